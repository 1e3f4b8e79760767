//! Error responses, in the two formats that a client sees: the gateway's compact line and the provider's
//! pretty-printed body. The texts are the vendor's where one was recorded.
//!
//! The handlers decide when each applies.

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::dto::error::{ErrorBody, ErrorDetail};
use super::dto::format::{self, as_time};
use super::resource_path::{CollectionName, PointName};

/// Which component answers. It shows in the headers and in the format of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Responder {
    Gateway,
    /// The gateway, in place of a provider that it cannot reach.
    GatewayForProvider,
    Provider,
}

#[derive(Debug)]
pub(crate) struct ErrorResponse {
    pub(crate) status: StatusCode,
    pub(crate) responder: Responder,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl ErrorResponse {
    pub(crate) fn gateway(status: StatusCode, code: &str, message: &str) -> Self {
        let body = format::compact(&ErrorBody::new(code, message, None));
        Self { status, responder: Responder::Gateway, body, headers: Vec::new() }
    }

    /// The gateway's error about a provider that it cannot reach.
    pub(crate) fn provider_unreachable(status: StatusCode, code: &str, message: &str) -> Self {
        Self { responder: Responder::GatewayForProvider, ..Self::gateway(status, code, message) }
    }

    pub(crate) fn provider(status: StatusCode, code: &str, message: &str) -> Self {
        Self::with_target(status, code, message, None)
    }

    /// An invalid member of the request body or query, named as `target`.
    pub(crate) fn invalid_parameter(target: &'static str, message: &str) -> Self {
        Self::with_target(StatusCode::BAD_REQUEST, "InvalidParameter", message, Some(target))
    }

    /// Also the form of every rejected copy: the vendor publishes no text for these.
    pub(crate) fn operation_not_allowed(message: &str) -> Self {
        Self::provider(StatusCode::CONFLICT, "OperationNotAllowed", message)
    }

    fn with_target(
        status: StatusCode,
        code: &str,
        message: &str,
        target: Option<&'static str>,
    ) -> Self {
        let body = format::pretty(&ErrorBody::new(code, message, target));
        Self { status, responder: Responder::Provider, body, headers: Vec::new() }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn group_not_found(group: &str) -> Self {
        let message = format!("Resource group '{group}' could not be found.");
        Self::gateway(StatusCode::NOT_FOUND, "ResourceGroupNotFound", &message)
    }

    pub(crate) fn collection_not_found(name: &CollectionName) -> Self {
        Self::resource_not_found("restorePointCollections", &name.group, &name.name)
    }

    pub(crate) fn resource_not_found(kind: &str, group: &str, name: &str) -> Self {
        let message = format!(
            "The Resource 'Microsoft.Compute/{kind}/{name}' under resource group '{group}' was not \
             found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        );
        Self::gateway(StatusCode::NOT_FOUND, "ResourceNotFound", &message)
    }

    /// A nested resource below a missing collection; `verb` is `Can not` for reads and
    /// `Failed to` for writes.
    pub(crate) fn parent_not_found(verb: &str, name: &PointName) -> Self {
        let message = format!(
            "{verb} perform requested operation on nested resource. Parent resource '{}' not found.",
            name.collection.name
        );
        Self::gateway(StatusCode::NOT_FOUND, "ParentResourceNotFound", &message)
    }

    /// The provider's response for a missing restore point or operation.
    pub(crate) fn entity_not_found() -> Self {
        let message = "The entity was not found in this Azure location.";
        Self::provider(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(crate) fn unknown_type(api_version: &str) -> Self {
        let message = format!(
            "The resource type could not be found in the namespace 'Microsoft.Compute' for api \
             version '{api_version}'."
        );
        Self::gateway(StatusCode::NOT_FOUND, "InvalidResourceType", &message)
    }

    /// A body that is not the expected JSON.
    pub(crate) fn invalid_content(reason: &serde_json::Error) -> Self {
        let message =
            format!("The request content was invalid and could not be deserialized: '{reason}'.");
        Self::gateway(StatusCode::BAD_REQUEST, "InvalidRequestContent", &message)
    }

    /// The gateway's own failure, such as a response of the provider that is too large.
    pub(crate) fn internal(subscription: &str, request: Uuid, at: Timestamp) -> Self {
        let message = format!(
            "Encountered internal server error. Diagnostic information: timestamp '{}', \
             subscription id '{subscription}', tracking id '{request}', request correlation id \
             '{request}'.",
            at.strftime("%Y%m%dT%H%M%SZ")
        );
        Self::gateway(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &message)
    }

    /// The provider's documented throttling response: a flat body with the outer code of a conflict, so
    /// that only the status distinguishes them, and JSON inside its text.
    pub(crate) fn throttled(retry_after_seconds: i64, window: Window) -> Self {
        let body = ErrorDetail {
            code: "OperationNotAllowed".into(),
            message:
                "The server rejected the request because too many requests have been received \
                      for this subscription."
                    .into(),
            target: None,
            details: vec![ErrorDetail {
                code: "TooManyRequests".into(),
                target: Some(window.operation_group),
                message: format::compact(&window),
                details: Vec::new(),
            }],
        };
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            responder: Responder::Provider,
            body: format::pretty(&body),
            headers: vec![
                ("retry-after", retry_after_seconds.to_string()),
                ("x-ms-request-charge", "1".into()),
            ],
        }
    }
}

/// The measurement that made the provider throttle.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Window {
    pub(crate) operation_group: &'static str,
    #[serde(serialize_with = "as_time")]
    pub(crate) start_time: Timestamp,
    #[serde(serialize_with = "as_time")]
    pub(crate) end_time: Timestamp,
    pub(crate) allowed_request_count: u32,
    pub(crate) measured_request_count: u32,
}

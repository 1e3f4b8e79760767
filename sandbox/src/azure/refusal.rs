//! Errors, in the two voices a client hears: the gateway's compact line and the provider's
//! pretty-printed body. The texts are the vendor's where one was ever recorded.
//!
//! When each applies is decided by those who refuse.

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::names::{CollectionName, PointName};
use super::wire::{self, ErrorBody, ErrorDetail};

/// Who answers: the gateway on its own or for a provider that it cannot reach, or the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Gateway,
    Unreachable,
    Provider,
}

/// A request that is not granted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) voice: Voice,
    pub(super) body: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn gateway(status: StatusCode, code: &str, message: &str) -> Self {
        let body = wire::compact(&ErrorBody::new(code, message, None));
        Self { status, voice: Voice::Gateway, body, headers: Vec::new() }
    }

    /// The gateway speaking of trouble behind it.
    pub(super) fn unreachable(status: StatusCode, code: &str, message: &str) -> Self {
        Self { voice: Voice::Unreachable, ..Self::gateway(status, code, message) }
    }

    pub(super) fn provider(status: StatusCode, code: &str, message: &str) -> Self {
        Self::about(status, code, message, None)
    }

    /// A bad member of the request body or query, named as `target`.
    pub(super) fn parameter(target: &'static str, message: &str) -> Self {
        Self::about(StatusCode::BAD_REQUEST, "InvalidParameter", message, Some(target))
    }

    /// The form of every refusal to copy: no text of these was ever published.
    pub(super) fn not_allowed(message: &str) -> Self {
        Self::provider(StatusCode::CONFLICT, "OperationNotAllowed", message)
    }

    fn about(status: StatusCode, code: &str, message: &str, target: Option<&'static str>) -> Self {
        let body = wire::pretty(&ErrorBody::new(code, message, target));
        Self { status, voice: Voice::Provider, body, headers: Vec::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn group_not_found(group: &str) -> Self {
        let message = format!("Resource group '{group}' could not be found.");
        Self::gateway(StatusCode::NOT_FOUND, "ResourceGroupNotFound", &message)
    }

    pub(super) fn collection_not_found(name: &CollectionName) -> Self {
        Self::resource_not_found("restorePointCollections", &name.group, &name.name)
    }

    pub(super) fn resource_not_found(kind: &str, group: &str, name: &str) -> Self {
        let message = format!(
            "The Resource 'Microsoft.Compute/{kind}/{name}' under resource group '{group}' was not \
             found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        );
        Self::gateway(StatusCode::NOT_FOUND, "ResourceNotFound", &message)
    }

    /// A nested resource below a collection that is not there; `verb` is `Can not` for reads and
    /// `Failed to` for writes.
    pub(super) fn parent_not_found(verb: &str, name: &PointName) -> Self {
        let message = format!(
            "{verb} perform requested operation on nested resource. Parent resource '{}' not found.",
            name.collection.name
        );
        Self::gateway(StatusCode::NOT_FOUND, "ParentResourceNotFound", &message)
    }

    /// The provider's answer for a restore point, or an operation, that it does not know.
    pub(super) fn entity_not_found() -> Self {
        let message = "The entity was not found in this Azure location.";
        Self::provider(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(super) fn unknown_type(api_version: &str) -> Self {
        let message = format!(
            "The resource type could not be found in the namespace 'Microsoft.Compute' for api \
             version '{api_version}'."
        );
        Self::gateway(StatusCode::NOT_FOUND, "InvalidResourceType", &message)
    }

    pub(super) fn unreadable(reason: &serde_json::Error) -> Self {
        let message =
            format!("The request content was invalid and could not be deserialized: '{reason}'.");
        Self::gateway(StatusCode::BAD_REQUEST, "InvalidRequestContent", &message)
    }

    /// The gateway's own failure, such as an answer that is too large for it.
    pub(super) fn internal(subscription: &str, request: Uuid, at: Timestamp) -> Self {
        let message = format!(
            "Encountered internal server error. Diagnostic information: timestamp '{}', \
             subscription id '{subscription}', tracking id '{request}', request correlation id \
             '{request}'.",
            at.strftime("%Y%m%dT%H%M%SZ")
        );
        Self::gateway(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &message)
    }

    /// The provider's documented throttling answer: a flat body whose outer code is the one of a
    /// conflict, so that only the status tells them apart, and JSON inside its text.
    pub(super) fn throttled(seconds: i64, window: Window) -> Self {
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
                message: wire::compact(&window),
                details: Vec::new(),
            }],
        };
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            voice: Voice::Provider,
            body: wire::pretty(&body),
            headers: vec![
                ("retry-after", seconds.to_string()),
                ("x-ms-request-charge", "1".into()),
            ],
        }
    }
}

/// What was counted when the provider throttles.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Window {
    pub(super) operation_group: &'static str,
    #[serde(serialize_with = "wire::as_time")]
    pub(super) start_time: Timestamp,
    #[serde(serialize_with = "wire::as_time")]
    pub(super) end_time: Timestamp,
    pub(super) allowed_request_count: u32,
    pub(super) measured_request_count: u32,
}

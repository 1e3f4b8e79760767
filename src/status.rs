//! The only place where an error becomes a gRPC status.
//!
//! Every status carries ErrorInfo, and the further google.rpc details that let a program act without
//! reading the text. Texts arrive here fit for callers; nothing is taken out here.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt, pb};

use crate::model::{Error, Failure, Invalid};

/// The domain of every ErrorInfo.
pub const DOMAIN: &str = "restorepoint.v1";

/// Turns an error into the status that the caller gets.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (code, reason) = classify(&error);
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, DOMAIN, metadata_of(&error));
        if let Some((field, problem)) = violated_field(&error) {
            details.add_bad_request_violation(field, problem);
        }
        add_details(&mut details, &error);
        let mut metadata = MetadataMap::new();
        if let Some(delay) = retry_delay(&error) {
            details.set_retry_info(Some(delay));
            // Clients with a retry policy obey this trailer (gRFC A6) without reading details.
            metadata.insert("grpc-retry-pushback-ms", delay_ms(delay).into());
        }
        Self::with_error_details_and_metadata(code, error.to_string(), details, metadata)
    }
}

/// The same for an error that is told inside a message: of a degraded watch, of an unreachable backend.
pub fn embedded(error: Error) -> pb::Status {
    inside(&Status::from(error))
}

/// What the vendor says of a restore point that failed. ABORTED, since the remedy is to begin the whole
/// copy anew: neither vendor resumes one.
pub fn failure(failure: &Failure) -> pb::Status {
    let metadata = HashMap::from([("vendor_code".to_owned(), failure.code.clone())]);
    let details = ErrorDetails::with_error_info("RESTORE_POINT_FAILED", DOMAIN, metadata);
    inside(&Status::with_error_details(Code::Aborted, failure.message.clone(), details))
}

/// A status as a field of a message: what travels in `grpc-status-details-bin` is one already.
fn inside(status: &Status) -> pb::Status {
    prost::Message::decode(status.details()).unwrap_or_default()
}

/// The trailers that end a body with `status`.
pub(crate) fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if let Err(unsendable) = status.add_header(&mut trailers) {
        // The code alone is always sendable, and it is what callers act on.
        tracing::error!(%unsendable, "a status does not fit into trailers");
        trailers.insert(Status::GRPC_STATUS, HeaderValue::from(status.code() as i32));
    }
    trailers
}

/// The end of a stream because this replica stops: come again, at another one.
pub fn draining() -> Status {
    let mut details = ErrorDetails::with_error_info("DRAINING", DOMAIN, HashMap::new());
    details.set_retry_info(Some(Duration::ZERO));
    Status::with_error_details(
        Code::Unavailable,
        "this replica of the gateway is stopping; resume with the last token",
        details,
    )
}

fn classify(error: &Error) -> (Code, &'static str) {
    match error {
        Error::InvalidArgument { what, .. } => (
            Code::InvalidArgument,
            match what {
                Invalid::Name => "INVALID_NAME",
                Invalid::Value => "INVALID_VALUE",
                Invalid::Filter => "INVALID_FILTER",
                Invalid::PageToken => "INVALID_PAGE_TOKEN",
                Invalid::ResumeToken => "INVALID_RESUME_TOKEN",
            },
        ),
        Error::NotFound { .. } => (Code::NotFound, "RESOURCE_NOT_FOUND"),
        Error::AlreadyExists { .. } => (Code::AlreadyExists, "RESOURCE_EXISTS_WITH_OTHER_CONTENT"),
        Error::Aborted { .. } => (Code::Aborted, "OPERATION_IN_PROGRESS"),
        Error::FailedPrecondition { rule, .. } => (Code::FailedPrecondition, rule),
        Error::Unsupported { .. } => (Code::Unimplemented, "CAPABILITY_NOT_SUPPORTED"),
        Error::Throttled { .. } => (Code::Unavailable, "BACKEND_THROTTLED"),
        Error::BudgetSpent { .. } => (Code::Unavailable, "BACKEND_BUDGET_SPENT"),
        Error::QuotaExhausted { .. } => (Code::ResourceExhausted, "BACKEND_QUOTA_EXHAUSTED"),
        Error::Unavailable { .. } | Error::Outage { .. } => {
            (Code::Unavailable, "BACKEND_UNAVAILABLE")
        }
        Error::CredentialRefused { .. } => (Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED"),
        Error::Forbidden { .. } => (Code::PermissionDenied, "BACKEND_FORBIDDEN"),
        Error::ResponseInvalid { .. } | Error::Interrupted { .. } => {
            (Code::Internal, "BACKEND_RESPONSE_INVALID")
        }
        Error::Internal { .. } => (Code::Internal, "INTERNAL"),
    }
}

fn metadata_of(error: &Error) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    let mut put = |key: &str, value: &str| metadata.insert(key.to_owned(), value.to_owned());
    match error {
        Error::InvalidArgument { field, .. } => put("field", field),
        Error::NotFound { name, .. } | Error::AlreadyExists { name, .. } => put("resource", name),
        Error::FailedPrecondition { subject, .. } => put("subject", subject),
        Error::Unsupported { backend, capability, .. } => {
            put("capability", capability);
            put("backend", backend)
        }
        Error::QuotaExhausted { backend, subject, .. } => {
            put("subject", subject);
            put("backend", backend)
        }
        Error::Throttled { backend, .. }
        | Error::BudgetSpent { backend, .. }
        | Error::Unavailable { backend, .. }
        | Error::Outage { backend, .. }
        | Error::CredentialRefused { backend, .. }
        | Error::Forbidden { backend, .. }
        | Error::ResponseInvalid { backend, .. }
        | Error::Interrupted { backend, .. } => put("backend", backend),
        Error::Aborted { .. } | Error::Internal { .. } => None,
    };
    metadata
}

fn violated_field(error: &Error) -> Option<(&str, String)> {
    match error {
        Error::InvalidArgument { field, problem, .. } => Some((field, problem.clone())),
        Error::NotFound { field: Some(field), .. } => Some((field, error.to_string())),
        _ => None,
    }
}

fn add_details(details: &mut ErrorDetails, error: &Error) {
    match error {
        Error::NotFound { name, detail, .. } => {
            details.set_resource_info(resource_type(name), name, "", detail);
        }
        Error::AlreadyExists { name, difference } => {
            details.set_resource_info(resource_type(name), name, "", difference);
        }
        Error::FailedPrecondition { rule, subject, description } => {
            details.add_precondition_failure_violation(*rule, subject, description);
        }
        Error::QuotaExhausted { subject, detail, .. } => {
            details.add_quota_failure_violation(subject, detail);
        }
        _ => {}
    }
}

fn retry_delay(error: &Error) -> Option<Duration> {
    match error {
        Error::Throttled { retry_after, .. }
        | Error::BudgetSpent { retry_after, .. }
        | Error::Unavailable { retry_after, .. }
        | Error::Outage { retry_after, .. } => Some(*retry_after),
        Error::QuotaExhausted { retry_after, .. } => *retry_after,
        Error::Aborted { .. } => Some(Duration::from_secs(30)),
        _ => None,
    }
}

fn delay_ms(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

/// `restorepoint.v1/Collection` and its like, from the shape of the name.
fn resource_type(name: &str) -> &'static str {
    if name.starts_with('/') {
        // A vendor's id, whose type the vendor knows.
        return "";
    }
    match name.split('/').count() {
        2 => "restorepoint.v1/Backend",
        4 => "restorepoint.v1/Collection",
        _ => "restorepoint.v1/RestorePoint",
    }
}

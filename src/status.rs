//! The only place where an error becomes a gRPC status.
//!
//! Every status carries ErrorInfo (AIP-193), and the further google.rpc details by which a program can act without
//! reading the text. Texts arrive here fit for callers; nothing is redacted here.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt, pb};

use crate::model::{Error, InvalidKind, PointFailure};

/// The domain of every ErrorInfo.
pub const DOMAIN: &str = "restorepoint.v1";

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
            set_retry_delay(&mut details, &mut metadata, delay);
        }
        Self::with_error_details_and_metadata(code, error.to_string(), details, metadata)
    }
}

/// The same as a field of a message: of a degraded watch, of an unreachable backend.
pub fn to_proto(error: Error) -> pb::Status {
    as_message(&Status::from(error))
}

/// Why a restore point failed, as a field of the point. ABORTED, since the remedy is to start the whole copy again: no
/// vendor resumes one.
pub fn of_failed_point(failure: &PointFailure) -> pb::Status {
    let metadata = HashMap::from([("vendor_code".to_owned(), failure.code.clone())]);
    let details = ErrorDetails::with_error_info("RESTORE_POINT_FAILED", DOMAIN, metadata);
    as_message(&Status::with_error_details(Code::Aborted, failure.message.clone(), details))
}

/// A status as a message, which is what `grpc-status-details-bin` holds.
fn as_message(status: &Status) -> pb::Status {
    prost::Message::decode(status.details()).unwrap_or_default()
}

/// The trailers that end a body with `status`.
pub(crate) fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if let Err(error) = status.add_header(&mut trailers) {
        // The code alone can always be sent, and it is what callers act on.
        tracing::error!(%error, "a status does not fit into trailers");
        trailers.insert(Status::GRPC_STATUS, HeaderValue::from(status.code() as i32));
    }
    trailers
}

/// The status of a stream that has ended well.
pub(crate) fn ok() -> Status {
    Status::ok("")
}

/// The status of a stream that ends because this replica shuts down: resume at once, at another one.
pub fn draining() -> Status {
    shutting_down("this replica of the gateway is shutting down: resume with the last token")
}

/// The status of a call that has not ended when the grace period of a shutdown is over.
pub fn cut_by_shutdown() -> Status {
    shutting_down("this replica of the gateway shut down before the call ended: retry at another")
}

fn shutting_down(message: &str) -> Status {
    let mut details = ErrorDetails::with_error_info("DRAINING", DOMAIN, HashMap::new());
    let mut metadata = MetadataMap::new();
    set_retry_delay(&mut details, &mut metadata, Duration::ZERO);
    Status::with_error_details_and_metadata(Code::Unavailable, message, details, metadata)
}

/// Says when to retry, in the details and in the trailer that clients with a retry policy obey (gRFC A6) without decoding
/// details.
fn set_retry_delay(details: &mut ErrorDetails, metadata: &mut MetadataMap, delay: Duration) {
    details.set_retry_info(Some(delay));
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    metadata.insert("grpc-retry-pushback-ms", delay_ms.into());
}

fn classify(error: &Error) -> (Code, &'static str) {
    match error {
        Error::InvalidArgument { kind, .. } => (
            Code::InvalidArgument,
            match kind {
                InvalidKind::Name => "INVALID_NAME",
                InvalidKind::Value => "INVALID_VALUE",
                InvalidKind::Filter => "INVALID_FILTER",
                InvalidKind::PageToken => "INVALID_PAGE_TOKEN",
                InvalidKind::ResumeToken => "INVALID_RESUME_TOKEN",
            },
        ),
        Error::NotFound { .. } => (Code::NotFound, "RESOURCE_NOT_FOUND"),
        Error::AlreadyExists { .. } => (Code::AlreadyExists, "RESOURCE_EXISTS_WITH_OTHER_CONTENT"),
        Error::Aborted { .. } => (Code::Aborted, "OPERATION_IN_PROGRESS"),
        Error::FailedPrecondition { rule, .. } | Error::NotYetAllowed { rule, .. } => {
            (Code::FailedPrecondition, rule)
        }
        Error::Unsupported { .. } => (Code::Unimplemented, "CAPABILITY_NOT_SUPPORTED"),
        Error::Throttled { .. } => (Code::Unavailable, "BACKEND_THROTTLED"),
        Error::RateLimited { .. } => (Code::Unavailable, "BACKEND_RATE_LIMITED"),
        Error::QuotaExhausted { .. } => (Code::ResourceExhausted, "BACKEND_QUOTA_EXHAUSTED"),
        Error::Unavailable { .. } | Error::CircuitOpen { .. } => {
            (Code::Unavailable, "BACKEND_UNAVAILABLE")
        }
        Error::CredentialRefused { .. } => (Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED"),
        Error::Forbidden { .. } => (Code::PermissionDenied, "BACKEND_FORBIDDEN"),
        Error::InvalidResponse { .. } | Error::Interrupted { .. } => {
            (Code::Internal, "BACKEND_RESPONSE_INVALID")
        }
        Error::ResponseTooLarge { .. } => (Code::ResourceExhausted, "RESPONSE_TOO_LARGE"),
        Error::Overloaded { .. } => (Code::Unavailable, "OVERLOADED"),
        Error::Internal { .. } => (Code::Internal, "INTERNAL"),
    }
}

fn metadata_of(error: &Error) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    let mut put = |key: &str, value: &str| metadata.insert(key.to_owned(), value.to_owned());
    match error {
        Error::InvalidArgument { field, .. } => put("field", field),
        Error::NotFound { name, .. } | Error::AlreadyExists { name, .. } => put("resource", name),
        Error::FailedPrecondition { subject, .. } | Error::NotYetAllowed { subject, .. } => {
            put("subject", subject)
        }
        Error::Unsupported { backend, capability, .. } => {
            put("capability", capability);
            put("backend", backend)
        }
        Error::QuotaExhausted { backend, subject, .. } => {
            put("subject", subject);
            put("backend", backend)
        }
        Error::Throttled { backend, .. }
        | Error::RateLimited { backend, .. }
        | Error::Unavailable { backend, .. }
        | Error::CircuitOpen { backend, .. }
        | Error::CredentialRefused { backend, .. }
        | Error::Forbidden { backend, .. }
        | Error::InvalidResponse { backend, .. }
        | Error::Interrupted { backend, .. } => put("backend", backend),
        Error::Aborted { .. }
        | Error::ResponseTooLarge { .. }
        | Error::Overloaded { .. }
        | Error::Internal { .. } => None,
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
        Error::FailedPrecondition { rule, subject, description }
        | Error::NotYetAllowed { rule, subject, description, .. } => {
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
        Error::Aborted { .. } => Some(Duration::from_secs(30)),
        error => error.retry_after(),
    }
}

/// `restorepoint.v1/Collection` and the like, by the number of segments.
fn resource_type(name: &str) -> &'static str {
    if name.starts_with('/') {
        // A vendor's id, whose type only the vendor defines.
        return "";
    }
    match name.split('/').count() {
        2 => "restorepoint.v1/Backend",
        4 => "restorepoint.v1/Collection",
        _ => "restorepoint.v1/RestorePoint",
    }
}

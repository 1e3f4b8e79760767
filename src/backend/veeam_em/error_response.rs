//! Error responses of Enterprise Manager, in every form that is known, and the gateway's error for each.
//!
//! The vendor documents an XML element `Error`. In the field there is also JSON in spite of the `Accept` header, a byte
//! order mark before either, an empty body, and the HTML of a proxy. Stack traces are removed.

use std::fmt;

use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::xml::{ErrorElement, Scanner};
use crate::model::Error;
use crate::upstream;

/// No known error body is larger, stack trace included.
const MAX_BODY_BYTES: u64 = 256 * 1024;
/// The message, under status 500, for a task that does not belong to the logon session.
const UNKNOWN_TASK: &str = "There is no backup task with id";

/// A response whose status is not success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    pub(super) status: StatusCode,
    message: String,
}

impl ErrorResponse {
    /// Reads the vendor's message; it is empty if the body is empty, HTML, or unreadable.
    pub(super) async fn read(response: Response) -> Self {
        let status = response.status();
        let body = upstream::collect(response, MAX_BODY_BYTES).await.unwrap_or_default();
        Self { status, message: message(&body) }
    }

    /// Whether the requested resource does not exist.
    pub(super) fn is_not_found(&self) -> bool {
        match self.status {
            StatusCode::NOT_FOUND => true,
            StatusCode::INTERNAL_SERVER_ERROR => self.message.contains(UNKNOWN_TASK),
            _ => false,
        }
    }

    /// The gateway's error, for requests to which [`ErrorResponse::is_not_found`] does not apply.
    ///
    /// A 400 is not the caller's fault, since every value from the caller is validated before it becomes part of a
    /// request. A 500 is a permanent fault of the server ("Object reference not set…"), which a retry meets again, so it
    /// is an invalid response and not a transient error.
    pub(super) fn into_error(self, backend: &str) -> Error {
        let (backend, detail) = (backend.to_owned(), self.to_string());
        match self.status {
            StatusCode::UNAUTHORIZED => Error::CredentialRefused { backend, detail },
            StatusCode::FORBIDDEN => Error::Forbidden { backend, detail },
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                tracing::warn!(
                    backend,
                    detail,
                    "the server does not implement a documented request"
                );
                Error::Unsupported {
                    backend,
                    capability: "read",
                    reason: "this Enterprise Manager does not implement the request (HTTP 405 or 501)",
                }
            }
            _ => Error::InvalidResponse { backend, problem: detail },
        }
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status.as_u16())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ", {}", self.message) }
    }
}

/// The message in the body of an error response.
pub(super) fn message(body: &[u8]) -> String {
    let (mut scanner, mut error) = (Scanner::default(), ErrorElement::default());
    let xml = scanner.push(body, &mut error).and_then(|()| scanner.finish());
    let message = match xml {
        Ok(()) => Some(error.message),
        Err(_) => json_message(body),
    };
    message.as_deref().map(without_stack_trace).unwrap_or_default()
}

/// The member `Message` of product version 12, `message` of version 13.
fn json_message(body: &[u8]) -> Option<String> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let error: Value = serde_json::from_slice(body).ok()?;
    error.get("Message").or_else(|| error.get("message"))?.as_str().map(str::to_owned)
}

/// The first line, up to the stack trace that .NET may have appended, whose lines begin with `at`.
fn without_stack_trace(message: &str) -> String {
    let end = message.find(['\n', '\r']).unwrap_or(message.len());
    let end = message[..end].find("   at ").unwrap_or(end);
    upstream::redact_text(&message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_trace_is_removed() {
        assert_eq!(without_stack_trace("It broke.\r\n   at Veeam.X()"), "It broke.");
        assert_eq!(without_stack_trace("It broke.   at Veeam.X()"), "It broke.");
        assert_eq!(without_stack_trace(""), "");
    }

    #[test]
    fn a_task_of_another_session_is_not_found() {
        let response =
            |status, message: &str| ErrorResponse { status, message: message.to_owned() };
        let unknown = "There is no backup task with id [task-297] in current rest session";
        assert!(response(StatusCode::INTERNAL_SERVER_ERROR, unknown).is_not_found());
        assert!(!response(StatusCode::INTERNAL_SERVER_ERROR, "It broke.").is_not_found());
        assert!(!response(StatusCode::BAD_REQUEST, unknown).is_not_found());
        assert!(response(StatusCode::NOT_FOUND, "").is_not_found());
    }
}

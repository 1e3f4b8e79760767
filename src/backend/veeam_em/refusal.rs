//! What Enterprise Manager says when it refuses, in each form that it is known to take, and what that
//! means.
//!
//! The vendor documents an `Error` element. In the field there are also JSON in spite of the `Accept`
//! header, a byte order mark in front of either, empty bodies, and HTML of whatever stands in between.
//! Stack traces stay behind.

use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::wire::{Fault, Scanner};
use crate::model::Error;
use crate::upstream;

/// No refusal is larger, stack trace included.
const LARGEST: u64 = 256 * 1024;
/// What a task that is not of this logon session is answered with, under status 500.
const LOST_TASK: &str = "There is no backup task with id";

/// A status other than success, and what the vendor says to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    message: String,
}

impl Refusal {
    /// Reads what the vendor says; nothing if the body is empty, HTML, or in any way unreadable.
    pub(super) async fn read(response: Response) -> Self {
        let status = response.status();
        let body = upstream::collect(response, LARGEST).await.unwrap_or_default();
        Self { status, message: message(&body) }
    }

    /// Whether it says that the thing asked for is not there.
    pub(super) fn is_absence(&self) -> bool {
        match self.status {
            StatusCode::NOT_FOUND => true,
            StatusCode::INTERNAL_SERVER_ERROR => self.message.contains(LOST_TASK),
            _ => false,
        }
    }

    /// The refusal as an error, for whoever has not asked [`Refusal::is_absence`] or has another answer
    /// to it.
    ///
    /// 400 is not the caller's fault: his words are checked before they go into a request. 500 is a
    /// fault in the server that the next attempt meets again ("Object reference not set…"): it does not
    /// pass by itself, and is reported as what it is, an answer that makes no sense.
    pub(super) fn into_error(self, backend: &str) -> Error {
        let (backend, detail) = (backend.to_owned(), self.to_string());
        match self.status {
            StatusCode::UNAUTHORIZED => Error::CredentialRefused { backend, detail },
            StatusCode::FORBIDDEN => Error::Forbidden { backend, detail },
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                tracing::warn!(backend, detail, "the server does not do what it is documented to");
                Error::Unsupported {
                    backend,
                    capability: "read",
                    reason: "this Enterprise Manager answers that it does not implement this \
                          (HTTP 405 or 501)",
                }
            }
            _ => Error::InvalidResponse { backend, problem: detail },
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HTTP {}", self.status.as_u16())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ", {}", self.message) }
    }
}

pub(super) fn message(body: &[u8]) -> String {
    let (mut scanner, mut fault) = (Scanner::default(), Fault::default());
    let xml = scanner.push(body, &mut fault).and_then(|()| scanner.finish());
    let message = match xml {
        Ok(()) => Some(fault.message),
        Err(_) => json_message(body),
    };
    message.as_deref().map(headline).unwrap_or_default()
}

/// `Message` of version 12, `message` of version 13.
fn json_message(body: &[u8]) -> Option<String> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let fault: Value = serde_json::from_slice(body).ok()?;
    fault.get("Message").or_else(|| fault.get("message"))?.as_str().map(str::to_owned)
}

/// The message without the stack trace that .NET may have put into it, which begins a line with `at`.
fn headline(message: &str) -> String {
    let end = message.find(['\n', '\r']).unwrap_or(message.len());
    let end = message[..end].find("   at ").unwrap_or(end);
    upstream::redact_text(&message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_trace_stays_behind() {
        assert_eq!(headline("It broke.\r\n   at Veeam.X()"), "It broke.");
        assert_eq!(headline("It broke.   at Veeam.X()"), "It broke.");
        assert_eq!(headline(""), "");
    }

    #[test]
    fn a_task_of_another_session_is_an_absent_one() {
        let refusal = |status, message: &str| Refusal { status, message: message.to_owned() };
        let lost = "There is no backup task with id [task-297] in current rest session";
        assert!(refusal(StatusCode::INTERNAL_SERVER_ERROR, lost).is_absence());
        assert!(!refusal(StatusCode::INTERNAL_SERVER_ERROR, "It broke.").is_absence());
        assert!(!refusal(StatusCode::BAD_REQUEST, lost).is_absence());
        assert!(refusal(StatusCode::NOT_FOUND, "").is_absence());
    }
}

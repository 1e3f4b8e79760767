//! What ARM says when it refuses, and what that is in the words of the house.
//!
//! Four shapes of error bodies are in use, and empty ones and HTML of a proxy besides. The status
//! decides, never the code alone: a throttled call and a forbidden one share `OperationNotAllowed`.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::http::{RETRY_AFTER_OUTAGE, redact_text};
use crate::model::Error;

/// For a 429 without advice: ARM's buckets fill up again each second, those of Compute each minute.
const AFTER_THROTTLE: Duration = Duration::from_secs(10);
/// Buckets fill up within a minute; a longer pause is a quota, such as three copies an hour.
const LONGEST_THROTTLE: Duration = Duration::from_secs(60);

/// An answer other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status.
    pub(super) status: StatusCode,
    /// Retry-After, if it came: whole seconds.
    pub(super) retry_after: Option<Duration>,
    /// ARM's code, such as `ResourceNotFound`; empty if there is none.
    pub(super) code: String,
    /// ARM's text with its details; empty if there is none. Not yet redacted.
    pub(super) message: String,
}

impl Refusal {
    /// Reads an answer: `{"error":{…}}`, the same without the wrapping, both with any case of the
    /// members, or anything else, of which nothing is kept.
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let (code, message) = match serde_json::from_slice::<Value>(body) {
            Ok(body) => said(&body),
            Err(_) => (String::new(), String::new()),
        };
        Self { status, retry_after: retry_after(headers), code, message }
    }

    /// What ARM said, for people.
    pub(super) fn text(&self) -> String {
        let Self { code, message, .. } = self;
        match (code.is_empty(), message.is_empty()) {
            (false, false) => redact_text(&format!("{code}: {message}")),
            (false, true) => redact_text(code),
            (true, false) => redact_text(message),
            (true, true) => format!("HTTP {} without an explanation", self.status.as_u16()),
        }
    }

    /// Whether ARM refuses because something else is under way.
    pub(super) fn is_about_another_operation(&self) -> bool {
        let text = self.message.to_lowercase();
        ["concurrent", "in progress", "another operation"].iter().any(|sign| text.contains(sign))
    }

    /// Whether the request may have been carried out all the same.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::REQUEST_TIMEOUT
    }

    /// The refusal as an error; `name` is what the caller knows the resource by.
    pub(super) fn into_error(self, backend: &str, name: &str) -> Error {
        let detail = self.text();
        let backend = backend.to_owned();
        match self.status.as_u16() {
            401 => Error::CredentialRefused { backend, detail },
            403 => Error::Forbidden { backend, detail },
            404 => Error::NotFound { name: name.to_owned(), field: None, detail },
            429 => Error::Throttled {
                backend,
                retry_after: self.retry_after.unwrap_or(AFTER_THROTTLE),
                detail,
            },
            408 | 500 | 502..=504 => Error::Unavailable {
                backend,
                retry_after: self.retry_after.unwrap_or(RETRY_AFTER_OUTAGE),
                detail: format!("HTTP {}, {detail}", self.status.as_u16()),
            },
            status => {
                Error::ResponseInvalid { backend, problem: format!("HTTP {status}, {detail}") }
            }
        }
    }

    /// The refusal of a write to `subject`.
    pub(super) fn of_write(self, backend: &str, subject: &str) -> Error {
        let subject = subject.to_owned();
        match (self.status.as_u16(), self.retry_after) {
            (429, Some(pause)) if pause > LONGEST_THROTTLE => Error::QuotaExhausted {
                backend: backend.to_owned(),
                subject,
                retry_after: Some(pause),
                detail: self.text(),
            },
            (401 | 403 | 404 | 429, _) => self.into_error(backend, &subject),
            (400..=499, _) if self.is_about_another_operation() => {
                Error::Aborted { problem: format!("{subject}: {}", self.text()) }
            }
            (400..=499, _) => Error::FailedPrecondition {
                rule: "VENDOR_REFUSED",
                subject,
                description: format!("ARM refuses it: {}", self.text()),
            },
            _ => self.into_error(backend, &subject),
        }
    }
}

/// Code and message of an error body.
pub(super) fn said(body: &Value) -> (String, String) {
    let error = member(body, "error").filter(|error| error.is_object()).unwrap_or(body);
    let code = text(error, "code");
    let mut message = text(error, "message");
    let details = member(error, "details").and_then(Value::as_array);
    for detail in details.into_iter().flatten().take(3) {
        // Compute puts JSON into the messages of details when it throttles; people need the target.
        let said = Some(text(detail, "message")).filter(|text| !text.starts_with('{'));
        let parts = [text(detail, "code"), text(detail, "target"), said.unwrap_or_default()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            message = format!("{message} [{}]", parts.join(": ")).trim_start().to_owned();
        }
    }
    (code, message)
}

fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

fn text(object: &Value, name: &str) -> String {
    match member(object, name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn refusal(status: u16, retry_after: Option<&str>, body: &str) -> Refusal {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.parse().unwrap());
        }
        Refusal::read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn every_shape_of_body_is_read() {
        for (body, text) in [
            (r#"{"error":{"code":"NotFound","message":"The entity"}}"#, "NotFound: The entity"),
            (
                r#"{"code":"OperationNotAllowed","message":"Too many"}"#,
                "OperationNotAllowed: Too many",
            ),
            (r#"{"Code":"429","Message":"Rate","Details":[],"Innererror":null}"#, "429: Rate"),
            (r#"{"code":429}"#, "429"),
            (r#"{"error":"no object"}"#, "HTTP 400 without an explanation"),
            ("", "HTTP 400 without an explanation"),
            ("<html><body>secret</body></html>", "HTTP 400 without an explanation"),
            ("[]", "HTTP 400 without an explanation"),
            (
                r#"{"code":"OperationNotAllowed","message":"M","details":[{"code":"TooManyRequests","target":"HighCostGet","message":"{\"a\":1}"}]}"#,
                "OperationNotAllowed: M [TooManyRequests: HighCostGet]",
            ),
        ] {
            assert_eq!(refusal(400, None, body).text(), text, "{body}");
        }
    }

    #[test]
    fn the_status_decides() {
        let body = r#"{"code":"OperationNotAllowed","message":"M"}"#;
        let error = |status, after| refusal(status, after, body).into_error("b", "backends/b/x");
        assert!(matches!(error(401, None), Error::CredentialRefused { .. }));
        assert!(matches!(error(403, None), Error::Forbidden { .. }));
        assert!(matches!(error(404, None), Error::NotFound { name, .. } if name == "backends/b/x"));
        let after = |error| match error {
            Error::Throttled { retry_after, .. } | Error::Unavailable { retry_after, .. } => {
                retry_after.as_secs()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(after(error(429, Some("1200"))), 1200);
        assert_eq!(after(error(429, None)), 10);
        assert_eq!(after(error(429, Some("soon"))), 10);
        assert_eq!(after(error(503, Some("7"))), 7);
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(after(error(status, None)), 5, "{status}");
        }
        for status in [302, 400, 405, 409, 412, 501] {
            assert!(matches!(error(status, None), Error::ResponseInvalid { .. }), "{status}");
        }
    }

    #[test]
    fn a_refused_write_is_told_by_its_kind() {
        let write = |status, after, text: &str| {
            let body = format!(r#"{{"error":{{"code":"C","message":"{text}"}}}}"#);
            refusal(status, after, &body).of_write("b", "s")
        };
        assert!(matches!(write(429, Some("61"), "M"), Error::QuotaExhausted { .. }));
        assert!(matches!(write(429, Some("60"), "M"), Error::Throttled { .. }));
        assert!(matches!(write(429, None, "M"), Error::Throttled { .. }));
        for status in [400, 409, 412] {
            assert!(matches!(write(status, None, "M"), Error::FailedPrecondition { .. }));
            assert!(matches!(write(status, None, "a Concurrent copy"), Error::Aborted { .. }));
        }
        assert!(matches!(write(404, None, "M"), Error::NotFound { .. }));
        assert!(matches!(write(302, None, "M"), Error::ResponseInvalid { .. }));
    }

    #[test]
    fn signatures_are_cut_off() {
        let body = r#"{"error":{"code":"C","message":"see https://a.example/x?sig=SECRET now"}}"#;
        assert_eq!(refusal(400, None, body).text(), "C: see https://a.example/x?… now");
    }
}

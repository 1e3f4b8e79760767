//! What ARM says when it refuses, and what that is in the words of the house.
//!
//! Four shapes of error bodies are in use, and empty ones and HTML of a proxy besides. The status
//! decides first, never the code alone: a throttled call and a forbidden one share
//! `OperationNotAllowed`. Within a status the code tells what is at fault: the resource, a rule, the
//! service, or a setting of the backend.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::model::Error;
use crate::upstream::{DEFAULT_RETRY_AFTER, redact_text};

/// For a 429 without advice: ARM's buckets fill up again each second, those of Compute each minute.
const AFTER_THROTTLE: Duration = Duration::from_secs(10);
/// Buckets fill up within a minute; a longer pause is a quota, such as three copies an hour.
const LONGEST_THROTTLE: Duration = Duration::from_secs(60);
/// What ARM was seen to ask for is less; a century would be no advice, and more than clocks can count.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// The codes by which ARM and Compute say that a resource, or what holds it, is not there. Any other 404
/// is about something else, such as a proxy's page, and must not be read as a deletion.
const ABSENT: [&str; 4] =
    ["NotFound", "ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"];

/// The policies of three an hour. Whatever the pause that is left of the hour, they are quotas.
const HOURLY: [&str; 3] = [
    "CopyRestorePoint",
    "CreateApplicationConsistentRestorePoint",
    "CreateCrashConsistentRestorePoint",
];

/// Codes of failures on the service's side, whatever the status: the advice for each is to come again.
const OF_THE_SERVICE: [&str; 6] = [
    "VMRestorePointInternalError",
    "InternalDiskRestorePointError",
    "InternalError",
    "InternalExecutionError",
    "InternalOperationError",
    "InternalServerError",
];

/// Settings of a backend that ARM does not take, by its codes: the rule broken, and what to do.
const OF_A_SETTING: [(&[&str], &str, &str); 2] = [
    (
        &["SubscriptionNotFound", "InvalidSubscriptionId", "MissingSubscription"],
        "SUBSCRIPTION_NOT_FOUND",
        "check the backend's `subscription_id`, and that its credential is of the same tenant",
    ),
    (
        &["InvalidResourceType", "InvalidApiVersionParameter", "MissingApiVersionParameter"],
        "API_VERSION_NOT_SUPPORTED",
        "set the backend's `api_version` to one that its cloud knows",
    ),
];

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
    /// What the details are about, such as the policies of Compute that throttle.
    targets: Vec<String>,
}

impl Refusal {
    /// Reads an answer: `{"error":{…}}`, the same without the wrapping, both with any case of the
    /// members, or anything else, of which nothing is kept.
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let (code, message) = said(&body);
        let targets = details(&body).map(|detail| text(detail, "target")).collect();
        Self { status, retry_after: retry_after(headers), code, message, targets }
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

    fn has_code(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.code.eq_ignore_ascii_case(code))
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
        let status = self.status.as_u16();
        if let Some(error) = self.of_a_setting(backend) {
            return error;
        }
        let backend = backend.to_owned();
        match status {
            401 => Error::CredentialRefused { backend, detail },
            403 => Error::Forbidden { backend, detail },
            404 if self.has_code(&ABSENT) => {
                Error::NotFound { name: name.to_owned(), field: None, detail }
            }
            429 => Error::Throttled {
                backend,
                retry_after: self.retry_after.unwrap_or(AFTER_THROTTLE),
                detail,
            },
            408 | 500 | 502..=504 => self.unavailable(backend),
            _ if self.has_code(&OF_THE_SERVICE) => self.unavailable(backend),
            _ => Error::InvalidResponse { backend, problem: format!("HTTP {status}, {detail}") },
        }
    }

    /// The refusal of a write to `subject`.
    pub(super) fn of_write(self, backend: &str, subject: &str) -> Error {
        let status = self.status.as_u16();
        if status == 429 && self.is_quota() {
            return Error::QuotaExhausted {
                backend: backend.to_owned(),
                subject: subject.to_owned(),
                retry_after: self.retry_after,
                detail: self.text(),
            };
        }
        let is_for_reads_too = matches!(status, 401 | 403 | 404 | 408 | 429)
            || !self.status.is_client_error()
            || self.has_code(&OF_THE_SERVICE);
        if is_for_reads_too {
            return self.into_error(backend, subject);
        }
        if let Some(error) = self.of_a_setting(backend) {
            return error;
        }
        if self.is_about_another_operation() {
            return Error::Aborted { problem: format!("{subject}: {}", self.text()) };
        }
        let (rule, remedy) = if self.has_code(&["ScopeLocked"]) {
            ("SCOPE_LOCKED", "; take the lock away at Azure first")
        } else {
            ("VENDOR_REFUSED", "")
        };
        Error::FailedPrecondition {
            rule,
            subject: subject.to_owned(),
            description: format!("ARM refuses it: {}{remedy}", self.text()),
        }
    }

    fn unavailable(self, backend: String) -> Error {
        Error::Unavailable {
            backend,
            retry_after: self.retry_after.unwrap_or(DEFAULT_RETRY_AFTER),
            detail: format!("HTTP {}, {}", self.status.as_u16(), self.text()),
        }
    }

    /// Whether the pause is one of a quota rather than of a bucket that fills up.
    fn is_quota(&self) -> bool {
        self.retry_after.is_some_and(|pause| pause > LONGEST_THROTTLE)
            || self
                .targets
                .iter()
                .any(|target| HOURLY.iter().any(|policy| target.eq_ignore_ascii_case(policy)))
    }

    /// The refusal of a request that no caller can help: a setting of the backend is wrong. It says
    /// nothing of the resource that was asked for.
    fn of_a_setting(&self, backend: &str) -> Option<Error> {
        let (_, rule, remedy) = OF_A_SETTING.iter().find(|(codes, rule, _)| {
            // Compute refuses old versions with a bare BadRequest; only its text tells.
            let bare = self.has_code(&["BadRequest"]) && self.message.contains("api-version");
            self.status.is_client_error()
                && (self.has_code(codes) || (bare && *rule == "API_VERSION_NOT_SUPPORTED"))
        })?;
        Some(Error::FailedPrecondition {
            rule,
            subject: format!("backends/{backend}"),
            description: format!(
                "ARM does not take a setting of backends/{backend} ({}); {remedy}",
                self.text()
            ),
        })
    }
}

/// Code and message of an error body.
pub(super) fn said(body: &Value) -> (String, String) {
    let error = error(body);
    let code = text(error, "code");
    let mut message = text(error, "message");
    for detail in details(body).take(3) {
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

fn error(body: &Value) -> &Value {
    member(body, "error").filter(|error| error.is_object()).unwrap_or(body)
}

fn details(body: &Value) -> impl Iterator<Item = &Value> {
    member(error(body), "details").and_then(Value::as_array).into_iter().flatten()
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
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap();
        Refusal::read(status, &HeaderMap::new(), body.as_bytes())
    }

    // What becomes of each status and code stands in tests/azure_adapter/errors.rs, at the wire.

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
            assert_eq!(refusal(400, body).text(), text, "{body}");
        }
    }

    #[test]
    fn signatures_are_cut_off() {
        let body = r#"{"error":{"code":"C","message":"see https://a.example/x?sig=SECRET now"}}"#;
        assert_eq!(refusal(400, body).text(), "C: see https://a.example/x?… now");
    }
}

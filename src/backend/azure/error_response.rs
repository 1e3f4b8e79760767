//! ARM's error responses, and the errors that they become.
//!
//! Error bodies come in four shapes, besides empty ones and a proxy's HTML. The status decides first, never the code
//! alone: a throttled request and a forbidden one share `OperationNotAllowed`. Within a status the code decides what is
//! at fault: the resource, a rule, the service, or a setting of the backend.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::redact::redact_message;
use crate::model::{DEFAULT_RETRY_AFTER, Error};
use crate::upstream::Effect;

/// The RetryInfo of a 429 without Retry-After: ARM's buckets refill every second, those of Compute every minute.
const DEFAULT_THROTTLE_RETRY_AFTER: Duration = Duration::from_secs(10);
/// Buckets refill within a minute; a longer Retry-After is that of a quota, such as three copies an hour.
const MAX_THROTTLE_RETRY_AFTER: Duration = Duration::from_secs(60);
/// A longer Retry-After is cut: ARM was never seen to send one, and a century would overflow clocks.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The codes of a 404 for a resource, or its parent, that does not exist. Any other 404 is about something else, such as
/// a proxy's page, and must not be taken for a deletion.
const NOT_FOUND_CODES: [&str; 4] =
    ["NotFound", "ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"];

/// Compute's throttling policies of three an hour: a 429 by one of them is an exhausted quota, even if only seconds of
/// the hour are left.
const HOURLY_QUOTA_POLICIES: [&str; 3] = [
    "CopyRestorePoint",
    "CreateApplicationConsistentRestorePoint",
    "CreateCrashConsistentRestorePoint",
];

/// Codes of failures of the service itself, whatever the status; Microsoft's advice for each is to retry.
const SERVICE_ERROR_CODES: [&str; 6] = [
    "VMRestorePointInternalError",
    "InternalDiskRestorePointError",
    "InternalError",
    "InternalExecutionError",
    "InternalOperationError",
    "InternalServerError",
];

/// The rule of an error about a version that the cloud does not have.
pub(super) const API_VERSION_NOT_SUPPORTED: &str = "API_VERSION_NOT_SUPPORTED";

/// A setting of the backend that ARM rejects.
struct SettingRule {
    codes: &'static [&'static str],
    rule: &'static str,
    remedy: &'static str,
}

const SUBSCRIPTION: SettingRule = SettingRule {
    codes: &["SubscriptionNotFound", "InvalidSubscriptionId", "MissingSubscription"],
    rule: "SUBSCRIPTION_NOT_FOUND",
    remedy: "check the backend's `subscription_id`, and that its credential belongs to the same tenant",
};
const API_VERSION: SettingRule = SettingRule {
    codes: &[
        "InvalidResourceType",
        "InvalidApiVersionParameter",
        "MissingApiVersionParameter",
        "NoRegisteredProviderFound",
    ],
    rule: API_VERSION_NOT_SUPPORTED,
    remedy: "set the backend's `api_version` to one that its cloud supports",
};

/// A response with a status other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    /// The status.
    pub(super) status: StatusCode,
    /// Retry-After in whole seconds, the only form that ARM sends.
    retry_after: Option<Duration>,
    /// ARM's code, such as `ResourceNotFound`; empty if there is none.
    code: String,
    /// ARM's text with its details; empty if there is none. Not yet redacted.
    message: String,
    /// The targets of the details, such as the throttling policies of Compute.
    targets: Vec<String>,
}

impl ErrorResponse {
    /// Reads `{"error":{…}}`, or the same without the wrapper, with the members in any casing. Of any other body
    /// nothing is kept.
    pub(super) fn parse(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let (code, message) = code_and_message(&body);
        let targets = details(&body).map(|detail| text(detail, "target")).collect();
        Self { status, retry_after: retry_after(headers), code, message, targets }
    }

    /// Whether the code in the body decides what this status means. The others mean the same without a body.
    pub(super) fn needs_code(status: StatusCode) -> bool {
        status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 408 | 429)
    }

    /// The error of a read; `name` is the resource's name in the gateway.
    pub(super) fn into_error(self, backend: &str, name: &str) -> Error {
        if let Some(error) = self.setting_error(backend) {
            return error;
        }
        let (status, detail, backend) = (self.status.as_u16(), self.text(), backend.to_owned());
        match status {
            401 => Error::CredentialRefused { backend, detail },
            403 => Error::Forbidden { backend, detail },
            404 if self.has_code(&NOT_FOUND_CODES) => {
                Error::NotFound { name: name.to_owned(), field: None, detail }
            }
            429 => Error::Throttled {
                backend,
                retry_after: self.retry_after.unwrap_or(DEFAULT_THROTTLE_RETRY_AFTER),
                detail,
            },
            408 | 500 | 502..=504 => self.unavailable(backend),
            _ if self.has_code(&SERVICE_ERROR_CODES) => self.unavailable(backend),
            _ => Error::InvalidResponse { backend, problem: format!("HTTP {status}, {detail}") },
        }
    }

    /// The error of a write; `subject` is the resource that its rules and quotas are about, by its name in the gateway.
    pub(super) fn into_write_error(self, backend: &str, subject: &str) -> Error {
        let status = self.status.as_u16();
        if status == 429 && self.is_quota_exhausted() {
            return Error::QuotaExhausted {
                backend: backend.to_owned(),
                subject: subject.to_owned(),
                retry_after: self.retry_after,
                detail: self.text(),
            };
        }
        let same_as_for_reads = matches!(status, 401 | 403 | 404 | 408 | 429)
            || !self.status.is_client_error()
            || self.has_code(&SERVICE_ERROR_CODES);
        if same_as_for_reads {
            return self.into_error(backend, subject);
        }
        if let Some(error) = self.setting_error(backend) {
            return error;
        }
        if self.is_concurrent_operation() {
            return Error::Aborted { problem: format!("{subject}: {}", self.text()) };
        }
        let (rule, remedy) = if self.has_code(&["ScopeLocked"]) {
            ("SCOPE_LOCKED", "; remove the lock in Azure first")
        } else {
            ("VENDOR_REFUSED", "")
        };
        Error::FailedPrecondition {
            rule,
            subject: subject.to_owned(),
            description: format!("ARM rejects the request: {}{remedy}", self.text()),
        }
    }

    /// Whether the request may have had an effect all the same.
    pub(super) fn may_have_taken_effect(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::REQUEST_TIMEOUT
    }

    /// Whether its Retry-After applies to all requests like the one it responds to: an empty token bucket or a service
    /// that is down. A quota, which only writes have, is that of one collection.
    pub(super) fn holds_backend(&self, effect: Effect) -> bool {
        let is_general = match self.status {
            StatusCode::TOO_MANY_REQUESTS => effect == Effect::Read || !self.is_quota_exhausted(),
            StatusCode::SERVICE_UNAVAILABLE => true,
            _ => false,
        };
        is_general && self.retry_after.is_some()
    }

    /// Code and message on one line, redacted.
    fn text(&self) -> String {
        let Self { code, message, .. } = self;
        match (code.is_empty(), message.is_empty()) {
            (false, false) => redact_message(&format!("{code}: {message}")),
            (false, true) => redact_message(code),
            (true, false) => redact_message(message),
            (true, true) => format!("HTTP {} without an error message", self.status.as_u16()),
        }
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.code.eq_ignore_ascii_case(code))
    }

    /// Whether another operation in progress is the cause. ARM has no code for it, only texts.
    fn is_concurrent_operation(&self) -> bool {
        let text = self.message.to_lowercase();
        ["concurrent", "in progress", "another operation"].iter().any(|part| text.contains(part))
    }

    /// Whether a 429 is an exhausted quota rather than an empty token bucket.
    fn is_quota_exhausted(&self) -> bool {
        let is_hourly = |target: &String| {
            HOURLY_QUOTA_POLICIES.iter().any(|policy| target.eq_ignore_ascii_case(policy))
        };
        self.retry_after.is_some_and(|pause| pause > MAX_THROTTLE_RETRY_AFTER)
            || self.targets.iter().any(is_hourly)
    }

    fn unavailable(self, backend: String) -> Error {
        Error::Unavailable {
            backend,
            retry_after: self.retry_after.unwrap_or(DEFAULT_RETRY_AFTER),
            detail: format!("HTTP {}, {}", self.status.as_u16(), self.text()),
        }
    }

    /// The error of a wrong setting of the backend. It is not about the requested resource, and no caller can correct it.
    fn setting_error(&self, backend: &str) -> Option<Error> {
        if !self.status.is_client_error() {
            return None;
        }
        // Compute rejects old versions with the code BadRequest; only the text names the cause.
        let is_old_version = self.has_code(&["BadRequest"]) && self.message.contains("api-version");
        let SettingRule { rule, remedy, .. } = if self.has_code(SUBSCRIPTION.codes) {
            SUBSCRIPTION
        } else if self.has_code(API_VERSION.codes) || is_old_version {
            API_VERSION
        } else {
            return None;
        };
        Some(Error::FailedPrecondition {
            rule,
            subject: format!("backends/{backend}"),
            description: format!(
                "ARM rejects a setting of backends/{backend} ({}); {remedy}",
                self.text()
            ),
        })
    }
}

/// Whether this resource group, and not only the resource in it, does not exist. ARM quotes its name.
pub(super) fn is_resource_group_missing(error: &Error, group: &str) -> bool {
    match error {
        Error::NotFound { detail, .. } => detail
            .strip_prefix("ResourceGroupNotFound")
            .is_some_and(|text| text.split('\'').any(|part| part.eq_ignore_ascii_case(group))),
        _ => false,
    }
}

/// Code and message of an error body, the first details included; each empty if there is none. Not redacted.
pub(super) fn code_and_message(body: &Value) -> (String, String) {
    let error = error_object(body);
    let code = text(error, "code");
    let mut message = text(error, "message");
    for detail in details(body).take(3) {
        // Compute puts JSON into the messages of details when it throttles; the target is what people need.
        let readable = Some(text(detail, "message")).filter(|text| !text.starts_with('{'));
        let parts = [text(detail, "code"), text(detail, "target"), readable.unwrap_or_default()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            message = format!("{message} [{}]", parts.join(": ")).trim_start().to_owned();
        }
    }
    (code, message)
}

fn error_object(body: &Value) -> &Value {
    member(body, "error").filter(|error| error.is_object()).unwrap_or(body)
}

fn details(body: &Value) -> impl Iterator<Item = &Value> {
    member(error_object(body), "details").and_then(Value::as_array).into_iter().flatten()
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
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn error_text(body: &str) -> String {
        let headers = HeaderMap::new();
        ErrorResponse::parse(StatusCode::BAD_REQUEST, &headers, body.as_bytes()).text()
    }

    // The error for each status and code is tested over the network, in tests/backends/azure/errors.rs.

    #[test]
    fn every_shape_of_body_is_parsed() {
        for (body, text) in [
            (r#"{"error":{"code":"NotFound","message":"The entity"}}"#, "NotFound: The entity"),
            (
                r#"{"code":"OperationNotAllowed","message":"Too many"}"#,
                "OperationNotAllowed: Too many",
            ),
            (r#"{"Code":"429","Message":"Rate","Details":[],"Innererror":null}"#, "429: Rate"),
            (r#"{"code":429}"#, "429"),
            (r#"{"error":"no object"}"#, "HTTP 400 without an error message"),
            ("", "HTTP 400 without an error message"),
            ("<html><body>secret</body></html>", "HTTP 400 without an error message"),
            ("[]", "HTTP 400 without an error message"),
            (
                r#"{"code":"OperationNotAllowed","message":"M","details":[{"code":"TooManyRequests","target":"HighCostGet","message":"{\"a\":1}"}]}"#,
                "OperationNotAllowed: M [TooManyRequests: HighCostGet]",
            ),
        ] {
            assert_eq!(error_text(body), text, "{body}");
        }
    }

    #[test]
    fn signatures_are_removed() {
        let body = r#"{"error":{"code":"C","message":"see https://a.example/x?sig=SECRET now"}}"#;
        assert_eq!(error_text(body), "C: see https://a.example/x?… now");
    }
}

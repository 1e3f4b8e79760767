//! Answers, and the headers around them: correlation, throttling, and the fixed ones that the front
//! door puts on everything.
//!
//! What an answer says is decided elsewhere; this file only dresses it.

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::operation::Started;
use super::refusal::{Refusal, Voice};
use super::wire;

/// An answer before it is dressed.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) voice: Voice,
    pub(super) body: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(super) fn provider(status: StatusCode, body: &impl Serialize) -> Self {
        Self { status, voice: Voice::Provider, body: wire::pretty(body), headers: Vec::new() }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, voice: Voice::Provider, body: String::new(), headers: Vec::new() }
    }

    /// The headers of an answer that starts an operation. Deletions carry both URLs, creations only
    /// the first.
    pub(super) fn starting(mut self, started: &Started) -> Self {
        self.headers.push(("azure-asyncoperation", started.status_url.clone()));
        self.headers.push(("azure-asyncnotification", "Enabled".into()));
        self.headers.extend(started.monitor_url.clone().map(|url| ("location", url)));
        self.headers.extend(started.retry_after.map(|s| ("retry-after", s.to_string())));
        self
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, voice, body, headers } = refusal;
        Self { status, voice, body, headers }
    }
}

/// What the headers of one answer are made of.
#[derive(Debug)]
pub(super) struct Correlation {
    pub(super) request_id: Uuid,
    pub(super) correlation_id: String,
    /// Echoed only if the client asked for it.
    pub(super) client_request_id: Option<String>,
    pub(super) tenant: String,
    pub(super) time: jiff::Timestamp,
    /// `reads`, `writes` or `deletes`.
    pub(super) kind: &'static str,
    pub(super) zero_remaining: bool,
}

const FIXED: [(&str, &str); 8] = [
    ("cache-control", "no-cache"),
    ("pragma", "no-cache"),
    ("expires", "-1"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-cache", "CONFIG_NOCACHE"),
    ("x-msedge-ref", "Ref A: 0 Ref B: 0 Ref C: 0"),
    ("x-ms-throttling-version", "v2"),
];

/// Dresses an answer: all headers a real one has.
pub(super) fn dress(reply: &Reply, correlation: &Correlation) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    for (name, value) in FIXED {
        put(name, value);
    }
    let correlation_id = &correlation.correlation_id;
    match reply.voice {
        Voice::Gateway | Voice::Unreachable => {
            let gateway = reply.voice == Voice::Gateway;
            put("x-ms-failure-cause", if gateway { "gateway" } else { "service" });
            // The gateway's own answers have no id apart from the correlation.
            put("x-ms-request-id", correlation_id);
        }
        Voice::Provider => put("x-ms-request-id", &correlation.request_id.to_string()),
    }
    put("x-ms-correlation-request-id", correlation_id);
    let stamp = correlation.time.strftime("%Y%m%dT%H%M%SZ");
    put("x-ms-routing-request-id", &format!("EASTUS:{stamp}:{correlation_id}"));
    if let Some(id) = &correlation.client_request_id {
        put("x-ms-client-request-id", id);
    }
    if reply.voice == Voice::Provider {
        let operation = format!(
            "tenantId={},objectId=SENSITIVE-object/eastus/{}",
            correlation.tenant, correlation.request_id
        );
        put("x-ms-operation-identifier", &operation);
        let (own, all) = match correlation.kind {
            _ if correlation.zero_remaining => ("0", "0"),
            "reads" => ("249", "3749"),
            _ => ("199", "2999"),
        };
        let (own_name, all_name) = remaining_names(correlation.kind);
        put(own_name, own);
        put(all_name, all);
    }
    for (name, value) in &reply.headers {
        put(name, value);
    }
    if !reply.body.is_empty() {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(CONTENT_TYPE, json);
    }
    headers
}

fn remaining_names(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "reads" => (
            "x-ms-ratelimit-remaining-subscription-reads",
            "x-ms-ratelimit-remaining-subscription-global-reads",
        ),
        "deletes" => (
            "x-ms-ratelimit-remaining-subscription-deletes",
            "x-ms-ratelimit-remaining-subscription-global-deletes",
        ),
        _ => (
            "x-ms-ratelimit-remaining-subscription-writes",
            "x-ms-ratelimit-remaining-subscription-global-writes",
        ),
    }
}

//! Answers, and the headers around them: correlation, and the fixed ones that the front door puts on
//! everything.
//!
//! What an answer says is decided elsewhere; this file only dresses it.

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::names::Provider;
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

    /// From the gateway itself, which answers for subscriptions and groups without any provider.
    pub(super) fn gateway(body: &impl Serialize) -> Self {
        let body = wire::compact(body);
        Self { status: StatusCode::OK, voice: Voice::Gateway, body, headers: Vec::new() }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, voice: Voice::Provider, body: String::new(), headers: Vec::new() }
    }

    /// The headers of an answer that starts an operation. Creations carry no second URL, and only
    /// the compute provider offers to notify.
    pub(super) fn starting(mut self, started: &Started) -> Self {
        self.headers.push(("azure-asyncoperation", started.status_url.clone()));
        if started.by == Provider::Compute {
            self.headers.push(("azure-asyncnotification", "Enabled".into()));
        }
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
}

const FIXED: [(&str, &str); 7] = [
    ("cache-control", "no-cache"),
    ("pragma", "no-cache"),
    ("expires", "-1"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-cache", "CONFIG_NOCACHE"),
    ("x-msedge-ref", "Ref A: 0 Ref B: 0 Ref C: 0"),
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
            if !reply.status.is_success() {
                let gateway = reply.voice == Voice::Gateway;
                put("x-ms-failure-cause", if gateway { "gateway" } else { "service" });
            }
            // The gateway's own answers have no id apart from the correlation.
            put("x-ms-request-id", correlation_id);
            if [StatusCode::TOO_MANY_REQUESTS, StatusCode::INTERNAL_SERVER_ERROR]
                .contains(&reply.status)
            {
                // HTTP/2 knows no such header; the server leaves it out there.
                put("connection", "close");
            }
        }
        Voice::Provider => put("x-ms-request-id", &correlation.request_id.to_string()),
    }
    put("x-ms-correlation-request-id", correlation_id);
    put("date", &correlation.time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
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

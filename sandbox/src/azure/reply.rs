//! Responses, and the headers on them: correlation, and the fixed ones that the front door adds to every
//! response.
//!
//! The handlers decide on status and body.

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::dto::format;
use super::error_response::{ErrorResponse, Responder};
use super::resource_path::Provider;

/// A response without the headers that every response has.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) responder: Responder,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn provider(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status,
            responder: Responder::Provider,
            body: format::pretty(body),
            headers: Vec::new(),
        }
    }

    /// From the gateway, which serves subscriptions and groups without any provider.
    pub(crate) fn gateway(body: &impl Serialize) -> Self {
        let body = format::compact(body);
        Self { status: StatusCode::OK, responder: Responder::Gateway, body, headers: Vec::new() }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, responder: Responder::Provider, body: String::new(), headers: Vec::new() }
    }

    /// Adds the headers that link to a started operation. Creations have no monitor URL, and only the
    /// compute provider offers notifications.
    pub(crate) fn with_operation(mut self, links: &OperationLinks) -> Self {
        self.headers.push(("azure-asyncoperation", links.status_url.clone()));
        if links.provider == Provider::Compute {
            self.headers.push(("azure-asyncnotification", "Enabled".into()));
        }
        self.headers.extend(links.monitor_url.clone().map(|url| ("location", url)));
        self.headers.extend(links.retry_after.map(|s| ("retry-after", s.to_string())));
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<ErrorResponse> for Reply {
    fn from(error: ErrorResponse) -> Self {
        let ErrorResponse { status, responder, body, headers } = error;
        Self { status, responder, body, headers }
    }
}

/// Where a client polls a started operation.
#[derive(Debug)]
pub(crate) struct OperationLinks {
    pub(crate) provider: Provider,
    pub(crate) status_url: String,
    pub(crate) monitor_url: Option<String>,
    pub(crate) retry_after: Option<u32>,
}

/// The values behind the correlation headers of one response.
#[derive(Debug)]
pub(crate) struct Correlation {
    pub(crate) request_id: Uuid,
    pub(crate) correlation_id: String,
    /// Echoed only if the client requests it.
    pub(crate) client_request_id: Option<String>,
    pub(crate) tenant: String,
    pub(crate) time: jiff::Timestamp,
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

/// All headers of a response.
pub(crate) fn headers(reply: &Reply, correlation: &Correlation) -> HeaderMap {
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
    match reply.responder {
        Responder::Gateway | Responder::GatewayForProvider => {
            if !reply.status.is_success() {
                let gateway = reply.responder == Responder::Gateway;
                put("x-ms-failure-cause", if gateway { "gateway" } else { "service" });
            }
            // The gateway's own responses have no id apart from the correlation.
            put("x-ms-request-id", correlation_id);
            if [StatusCode::TOO_MANY_REQUESTS, StatusCode::INTERNAL_SERVER_ERROR]
                .contains(&reply.status)
            {
                // HTTP/2 has no such header; the server removes it there.
                put("connection", "close");
            }
        }
        Responder::Provider => put("x-ms-request-id", &correlation.request_id.to_string()),
    }
    put("x-ms-correlation-request-id", correlation_id);
    put("date", &correlation.time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let stamp = correlation.time.strftime("%Y%m%dT%H%M%SZ");
    put("x-ms-routing-request-id", &format!("EASTUS:{stamp}:{correlation_id}"));
    if let Some(id) = &correlation.client_request_id {
        put("x-ms-client-request-id", id);
    }
    if reply.responder == Responder::Provider {
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

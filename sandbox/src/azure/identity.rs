//! What gives out tokens inside Azure itself, over plain HTTP on the machine: the metadata service of a
//! virtual machine, and the identity endpoint of an App Service.
//!
//! Both run for the one application that the directory knows. What else the metadata service tells of a
//! machine is left out.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::json;
use tokio::task::AbortHandle;

use super::server::{Server, lock};
use crate::StartError;

const VERSIONS: [&str; 2] = ["2018-02-01", "2019-08-01"];

/// What a program runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// A virtual machine.
    Machine,
    /// An App Service, whose endpoint wants a secret that only its own program is told.
    AppService,
}

/// A running endpoint; it stops when this is dropped.
#[derive(Debug)]
pub struct IdentityHost {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    host: Host,
    server: Arc<Server>,
    /// What tokens are for.
    resource: String,
    asked: Mutex<usize>,
    trouble: Mutex<VecDeque<u16>>,
}

impl IdentityHost {
    pub(super) fn start(
        host: Host,
        server: Arc<Server>,
        resource: String,
    ) -> Result<Self, StartError> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (asked, trouble) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { host, server, resource, asked, trouble });
        let router = axum::Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "a simulated identity endpoint stopped");
            }
        });
        Ok(Self { address, shared, serving: serving.abort_handle() })
    }

    /// Of a machine, what `http://169.254.169.254` is in Azure; of an App Service, the whole of its
    /// `IDENTITY_ENDPOINT`.
    pub fn url(&self) -> String {
        match self.shared.host {
            Host::Machine => format!("http://{}", self.address),
            Host::AppService => format!("http://{}/msi/token", self.address),
        }
    }

    /// The `IDENTITY_HEADER` of an App Service.
    pub fn secret(&self) -> &str {
        &self.shared.server.login.secret
    }

    /// How often a token was asked for so far, whatever the answer.
    pub fn asked(&self) -> usize {
        *lock(&self.shared.asked)
    }

    /// Answers the next requests with these statuses, one each, and no token.
    pub fn refuse_next(&self, statuses: &[u16]) {
        lock(&self.shared.trouble).extend(statuses);
    }
}

impl Drop for IdentityHost {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let (parts, _) = request.into_parts();
    *lock(&shared.asked) += 1;
    if let Some(status) = lock(&shared.trouble).pop_front() {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        return reply(status, &json!({ "error": "trouble", "error_description": "Come again." }));
    }
    match shared.grant(&parts) {
        Ok(body) => reply(StatusCode::OK, &body),
        Err((status, error, text)) => {
            reply(status, &json!({ "error": error, "error_description": text }))
        }
    }
}

fn reply(status: StatusCode, body: &serde_json::Value) -> Response {
    let json = [(CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, json, body.to_string()).into_response()
}

type Denial = (StatusCode, &'static str, &'static str);

impl Shared {
    fn grant(&self, parts: &Parts) -> Result<serde_json::Value, Denial> {
        let bad = |text| (StatusCode::BAD_REQUEST, "invalid_request", text);
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let path = match self.host {
            Host::Machine => "/metadata/identity/oauth2/token",
            Host::AppService => "/msi/token",
        };
        if parts.uri.path() != path || parts.method != Method::GET {
            return Err((StatusCode::NOT_FOUND, "not_found", "There is no such endpoint."));
        }
        match self.host {
            // So that no page in somebody's browser can ask.
            Host::Machine if header("metadata") != Some("true") => {
                return Err(bad("Required metadata header not specified"));
            }
            Host::AppService if header("x-identity-header") != Some(&self.server.login.secret) => {
                return Err((StatusCode::UNAUTHORIZED, "unauthorized", "Wrong identity header"));
            }
            Host::Machine | Host::AppService => {}
        }
        let query = parts.uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        if !VERSIONS.contains(&parameter("api-version").unwrap_or_default().as_str()) {
            return Err(bad("Required query variable 'api-version' is missing or unknown"));
        }
        let resource = parameter("resource").ok_or(bad("Required query variable 'resource'"))?;
        if resource.trim_end_matches('/') != self.resource {
            return Err((StatusCode::BAD_REQUEST, "invalid_resource", "AADSTS500011"));
        }
        let client = &self.server.login.client;
        if parameter("client_id").is_some_and(|asked| !asked.eq_ignore_ascii_case(client)) {
            return Err(bad("Identity not found"));
        }
        let grant = self.server.login.issue();
        // Every number is a text here.
        let seconds = grant.expires_in.to_string();
        let begins = jiff::Timestamp::now().as_second();
        let ends = begins + i64::try_from(grant.expires_in).unwrap_or_default();
        Ok(json!({
            "access_token": grant.access_token,
            "client_id": client,
            "expires_in": seconds,
            "expires_on": ends.to_string(),
            "ext_expires_in": seconds,
            "not_before": begins.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }))
    }
}

//! Managed identities: the instance metadata service of a virtual machine, and the identity endpoint of an
//! App Service. Both issue tokens over plain HTTP on the host.
//!
//! Both run for the one application in the directory. The rest of the metadata service is not simulated.

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

use super::service::LoginService;
use crate::lock::lock;
use crate::start_error::StartError;

const API_VERSIONS: [&str; 2] = ["2018-02-01", "2019-08-01"];

/// Where a program with a managed identity runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// A virtual machine.
    Machine,
    /// An App Service, whose endpoint needs a secret that only the app has.
    AppService,
}

/// A running endpoint; it stops when this is dropped.
#[derive(Debug)]
pub struct IdentityEndpoint {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    host: Host,
    login: Arc<LoginService>,
    /// The resource that tokens are valid for.
    resource: String,
    requests: Mutex<usize>,
    planned_errors: Mutex<VecDeque<u16>>,
}

impl IdentityEndpoint {
    pub(crate) fn start(
        host: Host,
        login: Arc<LoginService>,
        resource: String,
    ) -> Result<Self, StartError> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (requests, planned_errors) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { host, login, resource, requests, planned_errors });
        let router = axum::Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "a simulated identity endpoint stopped");
            }
        });
        Ok(Self { address, shared, serving: serving.abort_handle() })
    }

    /// For a machine, the counterpart of `http://169.254.169.254`; for an App Service, its
    /// `IDENTITY_ENDPOINT`.
    pub fn url(&self) -> String {
        match self.shared.host {
            Host::Machine => format!("http://{}", self.address),
            Host::AppService => format!("http://{}/msi/token", self.address),
        }
    }

    /// The `IDENTITY_HEADER` of an App Service.
    pub fn secret(&self) -> &str {
        &self.shared.login.secret
    }

    /// The number of requests so far, whatever their responses.
    pub fn requests(&self) -> usize {
        *lock(&self.shared.requests)
    }

    /// Responds to the next requests with these statuses, one each, instead of a token.
    pub fn fail_next(&self, statuses: &[u16]) {
        lock(&self.shared.planned_errors).extend(statuses);
    }
}

impl Drop for IdentityEndpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let (parts, _) = request.into_parts();
    *lock(&shared.requests) += 1;
    if let Some(status) = lock(&shared.planned_errors).pop_front() {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        return reply(
            status,
            &json!({ "error": "server_error", "error_description": "Retry later." }),
        );
    }
    match shared.token(&parts) {
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

type TokenError = (StatusCode, &'static str, &'static str);

impl Shared {
    fn token(&self, parts: &Parts) -> Result<serde_json::Value, TokenError> {
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
            // A web page in a browser cannot set this header.
            Host::Machine if header("metadata") != Some("true") => {
                return Err(bad("Required metadata header not specified"));
            }
            Host::AppService if header("x-identity-header") != Some(&self.login.secret) => {
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
        if !API_VERSIONS.contains(&parameter("api-version").unwrap_or_default().as_str()) {
            return Err(bad("Required query variable 'api-version' is missing or unknown"));
        }
        let resource = parameter("resource").ok_or(bad("Required query variable 'resource'"))?;
        if resource.trim_end_matches('/') != self.resource {
            return Err((StatusCode::BAD_REQUEST, "invalid_resource", "AADSTS500011"));
        }
        let client = &self.login.client;
        if parameter("client_id").is_some_and(|id| !id.eq_ignore_ascii_case(client)) {
            return Err(bad("Identity not found"));
        }
        let token = self.login.issue();
        // This endpoint sends every number as a string.
        let seconds = token.expires_in.to_string();
        let not_before = jiff::Timestamp::now().as_second();
        let expires_on = not_before + i64::try_from(token.expires_in).unwrap_or_default();
        Ok(json!({
            "access_token": token.access_token,
            "client_id": client,
            "expires_in": seconds,
            "expires_on": expires_on.to_string(),
            "ext_expires_in": seconds,
            "not_before": not_before.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }))
    }
}

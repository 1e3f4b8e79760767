//! From a request to its response: the entry point, logging on, and the handlers for a valid logon session.

use std::sync::Mutex;

use axum::body::Bytes;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::context::{ApiRequest, Context};
use super::format::reply::{ApiError, Reply, accepts_json};
use super::handlers::{logon, service_documents};
use super::model::inventories::Inventories;
use super::model::inventory::Inventory;
use super::model::logon_sessions::LogonSessions;
use super::parameters::Parameters;
use super::request_body::{Malformed, Node};
use super::router::dispatch;
use super::settings::{RequestBodies, Settings};
use super::vendor_fault::VendorFault;
use crate::interceptor::Simulator;
use crate::lock::lock;

/// Enterprise Manager without the socket.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) inventories: Mutex<Inventories>,
    pub(crate) sessions: Mutex<LogonSessions>,
}

impl Server {
    pub(crate) fn new(settings: Settings, inventory: Inventory) -> Self {
        let inventories = Mutex::new(Inventories::new(inventory, &settings));
        Self { inventories, settings, sessions: Mutex::default() }
    }

    fn reply(&self, request: &Parts, body: &[u8]) -> Reply {
        let lengths = [CONTENT_LENGTH, TRANSFER_ENCODING];
        let has_length = lengths.iter().any(|name| request.headers.contains_key(name));
        if request.method == Method::POST && !has_length {
            return Reply::error(StatusCode::LENGTH_REQUIRED, "Length Required");
        }
        let path = request.uri.path();
        let Some(path) = path.strip_prefix("/api").filter(|p| p.is_empty() || p.starts_with('/'))
        else {
            return ApiError::NotFound.into();
        };
        let parameters = Parameters::parse(request.uri.query().unwrap_or_default());
        let body = self.parse_body(&request.headers, body);
        match (path.trim_matches('/'), &request.method) {
            ("", &Method::GET) => Reply::ok(service_documents::entry_point()),
            ("", _) => ApiError::MethodNotAllowed("GET").into(),
            ("sessionMngr", &Method::POST) => {
                let (installation, now) = (self.settings.installation, self.settings.clock.now());
                let request = (&request.headers, &parameters);
                let mut sessions = lock(&self.sessions);
                logon::log_on(request, body, &mut sessions, installation, now)
                    .unwrap_or_else(Reply::from)
            }
            ("sessionMngr", _) => ApiError::MethodNotAllowed("POST").into(),
            (path, method) => {
                let request_in_session = ApiRequest { method, path, parameters: &parameters, body };
                self.reply_in_session(&request.headers, request_in_session)
            }
        }
    }

    /// Parses a body in the format that the server assumes.
    fn parse_body(&self, headers: &HeaderMap, body: &[u8]) -> Result<Option<Node>, Malformed> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = match self.settings.request_bodies {
            RequestBodies::ByContentType => {
                content_type.is_some_and(|value| value.to_ascii_lowercase().contains("json"))
            }
            RequestBodies::ByAccept => accepts_json(headers),
        };
        match body {
            [] => Ok(None),
            body if is_json => Node::from_json(body).map(Some),
            body => Node::from_xml(body).map(Some),
        }
    }

    /// The reply to a request with the token of a session that is alive, 401 otherwise.
    fn reply_in_session(&self, headers: &HeaderMap, request: ApiRequest<'_>) -> Reply {
        let (now, settings) = (self.settings.clock.now(), &self.settings);
        let mut sessions = lock(&self.sessions);
        let session = logon::token_of(headers)
            .and_then(|token| sessions.authenticate(token, now, settings.idle_timeout))
            .and_then(|id| Some((id, sessions.get(id)?.principal)));
        let Some((session, principal)) = session else {
            return Reply::unauthorized("Unauthorized access.");
        };
        let mut inventories = lock(&self.inventories);
        let (sessions, inventories) = (&mut *sessions, &mut *inventories);
        let mut context = Context { settings, now, session, principal, sessions, inventories };
        dispatch(&mut context, request).unwrap_or_else(Reply::from)
    }
}

impl Simulator for Server {
    type Fault = VendorFault;

    fn respond(&self, request: &Parts, body: Bytes, _: Option<VendorFault>) -> Response {
        self.reply(request, &body).write(&request.headers, &self.settings)
    }

    fn error(&self, request: &Parts, status: StatusCode, _: Option<u32>) -> Response {
        let error = match status {
            StatusCode::UNAUTHORIZED => Reply::unauthorized("Unauthorized access."),
            StatusCode::FORBIDDEN => Reply::error(status, "Access denied"),
            _ => Reply::error(status, status.canonical_reason().unwrap_or("Unknown")),
        };
        error.write(&request.headers, &self.settings)
    }
}

//! From a request to its answer: logon, and what a visitor finds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SET_COOKIE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use uuid::Uuid;

use super::accounts::Who;
use super::answer::{self, Answer, Refusal};
use super::directory;
use super::estate::Estate;
use super::logon::{self, Logons, Wanted};
use super::query::Parameters;
use super::script::Own;
use super::settings::{Installation, RequestBodies, Settings};
use super::spec::{Malformed, Node};
use super::visit::{Asked, Visit};
use super::world::World;
use crate::front::Vendor;

/// The server behind the socket.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) settings: Settings,
    world: Mutex<World>,
    logons: Mutex<Logons>,
}

impl Server {
    pub(super) fn new(settings: Settings, estate: Estate) -> Self {
        Self {
            world: Mutex::new(World::new(estate, &settings)),
            settings,
            logons: Mutex::default(),
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(super) fn logons(&self) -> MutexGuard<'_, Logons> {
        lock(&self.logons)
    }

    pub(super) fn sessions(&self) -> Vec<Uuid> {
        self.logons().live(self.settings.clock.now(), self.settings.idle_timeout)
    }

    fn reply(&self, request: &Parts, body: &[u8]) -> Answer {
        let sizes = [CONTENT_LENGTH, TRANSFER_ENCODING];
        if request.method == Method::POST && !sizes.iter().any(|h| request.headers.contains_key(h))
        {
            return Answer::error(StatusCode::LENGTH_REQUIRED, "Length Required");
        }
        let path = request.uri.path();
        let Some(path) = path.strip_prefix("/api").filter(|p| p.is_empty() || p.starts_with('/'))
        else {
            return Refusal::Absent.into();
        };
        let parameters = Parameters::parse(request.uri.query().unwrap_or_default());
        let spec = self.spec(&request.headers, body);
        match (path.trim_matches('/'), &request.method) {
            ("", &Method::GET) => Answer::ok(directory::entry_point()),
            ("", _) => Refusal::Only("GET").into(),
            ("sessionMngr", &Method::POST) => {
                self.log_on(&request.headers, &parameters, spec).unwrap_or_else(Answer::from)
            }
            ("sessionMngr", _) => Refusal::Only("POST").into(),
            (path, method) => {
                let asked = Asked { method, path, parameters: &parameters, spec };
                self.admit(&request.headers, asked)
            }
        }
    }

    /// What a body says, read as its sender means it or as the server has it.
    fn spec(&self, headers: &HeaderMap, body: &[u8]) -> Result<Option<Node>, Malformed> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let json = match self.settings.request_bodies {
            RequestBodies::ByContentType => {
                kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("json"))
            }
            RequestBodies::ByAccept => answer::accepts_json(headers),
        };
        match body {
            [] => Ok(None),
            body if json => Node::from_json(body).map(Some),
            body => Node::from_xml(body).map(Some),
        }
    }

    fn log_on(
        &self,
        headers: &HeaderMap,
        parameters: &Parameters,
        spec: Result<Option<Node>, Malformed>,
    ) -> Result<Answer, Refusal> {
        let installation = self.settings.installation;
        let Some(account) = logon::account_of(headers, installation) else {
            return Ok(Answer::unauthorized("The user name or password is incorrect."));
        };
        let version = parameters.get("v").unwrap_or_default();
        if version != "latest" && !logon::VERSIONS.contains(&version) {
            return Err(Refusal::Malformed(format!("Version '{version}' is not supported.")));
        }
        let who = match logon::wanted(spec?.as_ref()) {
            Wanted::User => Who::Account(account),
            Wanted::Tenant(tenant) if installation == Installation::CloudConnect => {
                Who::Tenant(tenant)
            }
            Wanted::Tenant(_) | Wanted::Nobody => {
                return Ok(Answer::unauthorized("The tenant name or password is incorrect."));
            }
        };
        let mut logons = self.logons();
        let username = account.username(installation);
        let id = logons.open(who, username, self.settings.clock.now());
        let session = logons.get(id).ok_or(Refusal::Forbidden)?;
        let token = logon::token(id);
        let body = directory::session(id, session, installation);
        Ok(Answer::document(StatusCode::CREATED, body)
            .header(LOCATION, directory::session_href(id))
            .header(SET_COOKIE, format!("{}={token}; Path=/api;", logon::TOKEN))
            .header(HeaderName::from_static("x-restsvcsessionid"), token))
    }

    /// Lets a request with a live token in.
    fn admit(&self, headers: &HeaderMap, asked: Asked<'_>) -> Answer {
        let (now, settings) = (self.settings.clock.now(), &self.settings);
        let mut logons = self.logons();
        let session = logon::token_of(headers)
            .and_then(|token| logons.admit(token, now, settings.idle_timeout))
            .and_then(|id| Some((id, logons.get(id)?.who)));
        let Some((session, who)) = session else {
            return Answer::unauthorized("Unauthorized access.");
        };
        let mut world = self.world();
        let (logons, world) = (&mut *logons, &mut *world);
        let mut visit = Visit { settings, now, session, who, logons, world };
        visit.answer(asked).unwrap_or_else(Answer::from)
    }
}

impl Vendor for Server {
    type Own = Own;

    fn answer(&self, request: &Parts, body: Bytes, _: Option<Own>) -> Response {
        self.reply(request, &body).write(&request.headers, &self.settings)
    }

    fn refuse(&self, request: &Parts, status: StatusCode, _: Option<u32>) -> Response {
        let refusal = match status {
            StatusCode::UNAUTHORIZED => Answer::unauthorized("Unauthorized access."),
            StatusCode::FORBIDDEN => Answer::error(status, "Access denied"),
            _ => Answer::error(status, status.canonical_reason().unwrap_or("Unknown")),
        };
        refusal.write(&request.headers, &self.settings)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

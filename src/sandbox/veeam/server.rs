//! From a request to its reply: script, logon, resource, wire format.
//!
//! Everything a cloud point offers is to be read; whatever would change something is refused with 405,
//! which is the truth for cloud points.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{
    ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION, SERVER, SET_COOKIE,
    TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use hyper::ext::ReasonPhrase;
use jiff::fmt::rfc2822::DateTimePrinter;
use uuid::Uuid;

use super::document::{Element, Scalar, to_xml};
use super::estate::Estate;
use super::json::to_json;
use super::kinds::Kind;
use super::logon::{self, Logons};
use super::query::{self, Parameters};
use super::script::{self, Reply, Script};
use super::settings::Settings;
use super::wire::{self, Form};
use super::world::World;

/// The server behind the socket.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) settings: Settings,
    world: Mutex<World>,
    logons: Mutex<Logons>,
    script: Mutex<Script>,
    calls: Mutex<BTreeMap<(String, String), usize>>,
}

/// A reply before it is written in XML or JSON.
struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Option<Element>,
}

impl Answer {
    fn new(status: StatusCode, body: Option<Element>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    fn ok(body: Element) -> Self {
        Self::new(StatusCode::OK, Some(body))
    }

    fn error(status: StatusCode, message: &str) -> Self {
        let children = vec![
            Element::value("FirstChanceExceptionMessage", message),
            Element::value("StackTrace", "SENSITIVE stack\n   at Veeam.Backup.Enterprise.RestAPI"),
        ];
        let body = Element::object("Error", children)
            .with("Message", message)
            .with("StatusCode", Scalar::Number(i64::from(status.as_u16())))
            .with("Status", reason(status));
        Self::new(status, Some(body))
    }

    fn unauthorized(message: &str) -> Self {
        let challenge = "Basic Realm=RestSvc".to_owned();
        Self::error(StatusCode::UNAUTHORIZED, message).header(WWW_AUTHENTICATE, challenge)
    }

    fn not_found() -> Self {
        Self::error(StatusCode::NOT_FOUND, "The requested resource is not found.")
    }

    fn only(allowed: &str) -> Self {
        Self::error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.")
            .header(ALLOW, allowed.to_owned())
    }

    fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Server {
    pub(super) fn new(settings: Settings, estate: Estate) -> Self {
        Self {
            world: Mutex::new(World::new(
                estate,
                settings.clock.now(),
                settings.collection_interval,
            )),
            settings,
            logons: Mutex::default(),
            script: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    pub(super) fn calls(&self) -> MutexGuard<'_, BTreeMap<(String, String), usize>> {
        lock(&self.calls)
    }

    pub(super) fn logons(&self) -> MutexGuard<'_, Logons> {
        lock(&self.logons)
    }

    pub(super) fn sessions(&self) -> Vec<Uuid> {
        self.logons().live(self.settings.clock.now(), self.settings.idle_timeout)
    }

    fn answer(&self, request: &Parts) -> Answer {
        let sizes = [CONTENT_LENGTH, TRANSFER_ENCODING];
        if request.method == Method::POST && !sizes.iter().any(|h| request.headers.contains_key(h))
        {
            return Answer::error(StatusCode::LENGTH_REQUIRED, "Length Required");
        }
        let path = request.uri.path();
        let Some(path) = path.strip_prefix("/api").filter(|p| p.is_empty() || p.starts_with('/'))
        else {
            return Answer::not_found();
        };
        let parameters = Parameters::parse(request.uri.query().unwrap_or_default());
        match (path.trim_matches('/'), &request.method) {
            ("", &Method::GET) => Answer::ok(logon::entry_point()),
            ("", _) => Answer::only("GET"),
            ("sessionMngr", &Method::POST) => self.log_on(&request.headers, &parameters),
            ("sessionMngr", _) => Answer::only("POST"),
            (path, method) => match self.admits(&request.headers) {
                true => self.resource(method, path, &parameters),
                false => Answer::unauthorized("Unauthorized access."),
            },
        }
    }

    fn log_on(&self, headers: &HeaderMap, parameters: &Parameters) -> Answer {
        if !logon::has_credentials(headers) {
            return Answer::unauthorized("The user name or password is incorrect.");
        }
        let version = parameters.get("v").unwrap_or_default();
        if version != "latest" && !logon::VERSIONS.contains(&version) {
            let message = format!("Version '{version}' is not supported.");
            return Answer::error(StatusCode::BAD_REQUEST, &message);
        }
        let id = self.logons().open(self.settings.clock.now());
        let token = logon::token(id);
        Answer::new(StatusCode::CREATED, Some(logon::session(id)))
            .header(LOCATION, logon::href(id))
            .header(SET_COOKIE, format!("{}={token}; Path=/api;", logon::TOKEN))
            .header(HeaderName::from_static("x-restsvcsessionid"), token)
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let now = self.settings.clock.now();
        let idle = self.settings.idle_timeout;
        logon::token_of(headers).is_some_and(|token| self.logons().admit(token, now, idle))
    }

    fn resource(&self, method: &Method, path: &str, parameters: &Parameters) -> Answer {
        if path == "logonSessions" || path.starts_with("logonSessions/") {
            return self.logon_sessions(method, path.trim_start_matches("logonSessions"));
        }
        let mut world = self.world();
        let estate = world.database(self.settings.clock.now());
        let known = match path {
            "query" => match query::answer(parameters, estate, &self.settings) {
                Ok(result) => Some(result),
                Err(complaint) => {
                    return Answer::error(StatusCode::BAD_REQUEST, &complaint);
                }
            },
            "cloud" => Some(logon::cloud_service()),
            path => self.read(path, parameters, estate),
        };
        match known {
            None => Answer::not_found(),
            Some(_) if method != Method::GET => Answer::only("GET"),
            Some(body) => Answer::ok(body),
        }
    }

    fn logon_sessions(&self, method: &Method, below: &str) -> Answer {
        let live = self.sessions();
        if below.is_empty() {
            let sessions = live.into_iter().map(logon::session).collect();
            return match *method {
                Method::GET => Answer::ok(Element::list("LogonSessions", sessions)),
                _ => Answer::only("GET"),
            };
        }
        let id = below.trim_start_matches('/').parse::<Uuid>().ok();
        match (id.filter(|id| live.contains(id)), method) {
            (None, _) => Answer::not_found(),
            (Some(id), &Method::GET) => Answer::ok(logon::session(id)),
            (Some(id), &Method::DELETE) => {
                self.logons().close(id);
                Answer::new(StatusCode::NO_CONTENT, None)
            }
            _ => Answer::only("GET, DELETE"),
        }
    }

    /// A collection, one of its entities, or a collection below one.
    fn read(&self, path: &str, parameters: &Parameters, estate: &Estate) -> Option<Element> {
        // Singular here; any other word is not seen.
        let form = match parameters.get("format") {
            Some(format) if format.eq_ignore_ascii_case("Entity") => Form::Entity,
            _ => Form::Reference,
        };
        let (kind, below) = Kind::ALL.into_iter().find_map(|kind| {
            let below = path.strip_prefix(kind.shape().collection)?;
            (below.is_empty() || below.starts_with('/')).then_some((kind, below))
        })?;
        if below.is_empty() {
            return Some(self.list(kind, form, None, estate));
        }
        let mut segments = below.trim_start_matches('/').split('/');
        let entity = estate.find(kind, segments.next()?.parse().ok()?)?;
        match (segments.next(), segments.next()) {
            (None, _) => Some(match form {
                Form::Reference => wire::reference("EntityRef", entity, estate, &self.settings),
                Form::Entity => wire::entity(entity, estate, &self.settings),
            }),
            (Some(segment), None) => {
                let children = kind.shape().children;
                let (_, child) = children.iter().find(|(name, _)| *name == segment)?;
                Some(self.list(*child, form, Some(entity.id), estate))
            }
            _ => None,
        }
    }

    fn list(&self, kind: Kind, form: Form, parent: Option<Uuid>, estate: &Estate) -> Element {
        let entities = estate
            .all(kind)
            .filter(|entity| parent.is_none_or(|parent| entity.parents.contains(&parent)));
        match form {
            Form::Reference => {
                wire::references("EntityReferences", entities, estate, &self.settings)
            }
            Form::Entity => wire::entities(kind, entities, estate, &self.settings),
        }
    }

    /// The answer on the wire, in JSON when that word is anywhere in `Accept`.
    fn write(&self, answer: Answer, request: &HeaderMap) -> Response {
        let mut accepted = request.get_all(ACCEPT).into_iter().filter_map(|v| v.to_str().ok());
        let json = accepted.any(|accept| accept.contains("application/json"));
        let (kind, body) = match &answer.body {
            None => (None, Vec::new()),
            Some(body) if json => (Some("application/json"), to_json(body, &self.settings)),
            Some(body) => {
                (Some("application/xml"), to_xml(body, &self.settings).unwrap_or_default())
            }
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = answer.status;
        if let Ok(reason) = ReasonPhrase::try_from(reason(answer.status).into_bytes()) {
            response.extensions_mut().insert(reason);
        }
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&self.settings.clock.now());
        let standard = [
            kind.map(|kind| (CONTENT_TYPE, kind.to_owned())),
            date.ok().map(|date| (DATE, date)),
            Some((SERVER, "Microsoft-HTTPAPI/2.0".to_owned())),
        ];
        for (name, value) in answer.headers.into_iter().chain(standard.into_iter().flatten()) {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Answers one request.
pub(super) async fn serve(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let target = request.uri.path_and_query().map_or("", |target| target.as_str());
    let call = (request.method.to_string(), request.uri.path().to_owned());
    *server.calls().entry(call).or_default() += 1;
    let scripted = server.script().next(&request.method, target);
    let real = || server.write(server.answer(&request), &request.headers);
    match scripted {
        None => real(),
        Some(Reply::Verbatim { status, headers, body }) => script::verbatim(status, &headers, body),
        Some(Reply::CutShort) => script::cut_short(real()).await,
        Some(Reply::HangUp) => script::hang_up(),
        Some(Reply::Silence) => std::future::pending().await,
    }
}

/// The reason phrase of .NET: the name without blanks, as in `400 BadRequest`.
fn reason(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

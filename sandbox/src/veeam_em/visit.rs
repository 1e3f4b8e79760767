//! One request of somebody who is logged on: what goes with the session, and the services.
//!
//! Resources, and what can be done with them, have files of their own.

use http::Method;
use jiff::Timestamp;
use uuid::Uuid;

use super::accounts::Who;
use super::answer::{Answer, Refusal};
use super::directory;
use super::document::Element;
use super::logon::{Logons, Session};
use super::query::{self, Parameters};
use super::settings::{Installation, Settings};
use super::spec::{Malformed, Node};
use super::view::View;
use super::world::World;

/// A visitor, and all there is to be visited.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
    pub(super) session: Uuid,
    pub(super) who: Who,
    pub(super) logons: &'a mut Logons,
    pub(super) world: &'a mut World,
}

/// What is asked, after the base of the API.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) parameters: &'a Parameters,
    /// What the body says, if there is one and somebody needs it.
    pub(super) spec: Result<Option<Node>, Malformed>,
}

impl Visit<'_> {
    pub(super) fn answer(&mut self, asked: Asked<'_>) -> Result<Answer, Refusal> {
        let segments: Vec<&str> = asked.path.split('/').collect();
        match *segments {
            ["logonSessions"] => {
                only_get(asked.method)?;
                Ok(Answer::ok(self.sessions()))
            }
            ["logonSessions", id] => self.logon_session(asked.method, id),
            ["tasks"] => {
                only_get(asked.method)?;
                let (now, settings) = (self.now, self.settings);
                let tasks = self.own_session()?.tasks.all().iter();
                let tasks = tasks.map(|task| task.document(now, settings)).collect();
                Ok(Answer::ok(Element::list("Tasks", tasks)))
            }
            ["tasks", name] => self.task_named(asked.method, name),
            ["query"] => {
                only_get(asked.method)?;
                self.query(asked.parameters).map(Answer::ok)
            }
            ["cloud"] if self.settings.installation == Installation::CloudConnect => {
                only_get(asked.method)?;
                Ok(Answer::ok(directory::cloud_service(self.session, self.who)))
            }
            ["querySvc" | "lookupSvc" | "agents"] => {
                only_get(asked.method)?;
                self.service(asked.path)
            }
            _ => self.resource(asked),
        }
    }

    fn query(&mut self, parameters: &Parameters) -> Result<Element, Refusal> {
        let (settings, seen) = (self.settings, (self.who, self.now));
        match parameters.get("type") {
            Some(name) if name.eq_ignore_ascii_case("Task") => {
                query::tasks(parameters, &self.own_session()?.tasks, seen, settings)
            }
            _ => query::answer(parameters, self.view(), settings),
        }
    }

    /// The database as this visitor sees it.
    pub(super) fn view(&mut self) -> View<'_> {
        View { estate: self.world.database(self.now), who: self.who }
    }

    pub(super) fn own_session(&mut self) -> Result<&mut Session, Refusal> {
        self.logons.get(self.session).ok_or(Refusal::Forbidden)
    }

    /// All sessions for an administrator, the own one for anybody else.
    fn sessions(&self) -> Element {
        let seen = |id: Uuid| self.who.is_administrator() || id == self.session;
        let sessions = self.logons.all().filter(|(id, _)| seen(*id));
        let installation = self.settings.installation;
        let sessions = sessions.map(|(id, one)| directory::session(id, one, installation));
        Element::list("LogonSessions", sessions.collect())
    }

    fn logon_session(&mut self, method: &Method, id: &str) -> Result<Answer, Refusal> {
        let id: Uuid = id.parse().map_err(|_| Refusal::Absent)?;
        if !self.who.is_administrator() && id != self.session {
            return Err(Refusal::Absent);
        }
        let installation = self.settings.installation;
        let session = self.logons.get(id).ok_or(Refusal::Absent)?;
        match *method {
            Method::GET => Ok(Answer::ok(directory::session(id, session, installation))),
            Method::DELETE => {
                self.logons.close(id);
                Ok(Answer::no_content())
            }
            _ => Err(Refusal::Only("GET, DELETE")),
        }
    }

    fn task_named(&mut self, method: &Method, name: &str) -> Result<Answer, Refusal> {
        let (now, settings) = (self.now, self.settings);
        let tasks = &mut self.own_session()?.tasks;
        let task = tasks.find(name).ok_or_else(|| Refusal::NoSuchTask(name.to_owned()))?;
        match *method {
            Method::GET => Ok(Answer::ok(task.document(now, settings))),
            Method::DELETE => {
                tasks.forget(name);
                Ok(Answer::no_content())
            }
            _ => Err(Refusal::Only("GET, DELETE")),
        }
    }

    fn service(&mut self, path: &str) -> Result<Answer, Refusal> {
        if matches!(self.who, Who::Tenant(_)) {
            return Err(Refusal::Forbidden);
        }
        let session = self.session;
        Ok(Answer::ok(match path {
            "querySvc" => directory::query_service(session),
            "lookupSvc" => directory::lookup_service(session, self.view()),
            _ => directory::agents_service(session),
        }))
    }
}

/// Whoever only reads says so.
pub(super) fn only_get(method: &Method) -> Result<(), Refusal> {
    if *method == Method::GET { Ok(()) } else { Err(Refusal::Only("GET")) }
}

//! One request of somebody who is logged on: from a path to what is there.
//!
//! Whatever would change something and has no action is refused with 405, which is the truth for cloud
//! points, and for making, copying and deleting points of any kind.

use http::Method;
use jiff::Timestamp;
use uuid::Uuid;

use super::accounts::Who;
use super::answer::{Answer, Refusal};
use super::directory;
use super::document::Element;
use super::kinds::Kind;
use super::logon::{Logons, Session};
use super::query::{self, Parameters};
use super::settings::{Installation, Settings, Vanished};
use super::spec::{Malformed, Node};
use super::view::View;
use super::wire::{self, Form};
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
    fn view(&mut self) -> View<'_> {
        View { estate: self.world.database(self.now), who: self.who }
    }

    fn own_session(&mut self) -> Result<&mut Session, Refusal> {
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

    /// A collection, one of its entities, or what is below one.
    fn resource(&mut self, asked: Asked<'_>) -> Result<Answer, Refusal> {
        // Singular here; any other word is not seen.
        let form = match asked.parameters.get("format") {
            Some(format) if format.eq_ignore_ascii_case("Entity") => Form::Entity,
            _ => Form::Reference,
        };
        let cloud = asked.path.starts_with("cloud/");
        if cloud && self.settings.installation != Installation::CloudConnect {
            return Err(Refusal::Absent);
        }
        let Some((kind, below)) = place(asked.path) else {
            let empty = directory::empty_collection(asked.path).ok_or(Refusal::Absent)?;
            only_get(asked.method)?;
            return match (self.who, form) {
                (Who::Tenant(_), _) if empty.element != "CloudFailoverPlan" => {
                    Err(Refusal::Forbidden)
                }
                (_, Form::Reference) => {
                    Ok(Answer::ok(Element::list("EntityReferences", Vec::new())))
                }
                (_, Form::Entity) => Ok(Answer::ok(Element::list(empty.plural, Vec::new()))),
            };
        };
        if !self.who.may_read(kind) {
            return Err(Refusal::Forbidden);
        }
        let action = asked.parameters.get("action");
        let posted = *asked.method == Method::POST;
        if below.is_empty() {
            if posted && (kind, action) == (Kind::BackupServer, Some("create")) {
                return Err(Refusal::NotSimulated("another backup server".to_owned()));
            }
            only_get(asked.method)?;
            let settings = self.settings;
            let view = self.view();
            return Ok(Answer::ok(wire::list(kind, form, view.all(kind), view.estate, settings)));
        }
        let segments: Vec<&str> = below.trim_start_matches('/').split('/').collect();
        let id = segments.first().and_then(|id| id.parse().ok()).ok_or(Refusal::Absent)?;
        if self.view().find(kind, id).is_none() {
            return Err(Refusal::Absent);
        }
        match (&segments[1..], action) {
            ([], Some(action)) if posted => self.act((kind, id), action, asked.spec?.as_ref()),
            ([], _)
                if kind == Kind::Job && [Method::PUT, Method::DELETE].contains(asked.method) =>
            {
                Err(Refusal::NotSimulated("changing a job".to_owned()))
            }
            ([], _) => {
                only_get(asked.method)?;
                self.entity(kind, id, form)
            }
            (["mounts", rest @ ..], _) if kind.shape().mounts.is_some() => {
                self.mounts(asked.method, (kind, id), rest)
            }
            ([segment], _) => {
                let mut children = kind.shape().children.iter();
                let (_, _, child) =
                    children.find(|(_, name, _)| name == segment).ok_or(Refusal::Absent)?;
                only_get(asked.method)?;
                if !self.who.may_read(*child) {
                    return Err(Refusal::Forbidden);
                }
                let settings = self.settings;
                let view = self.view();
                let parent = view.find(kind, id).ok_or(Refusal::Absent)?;
                let found = view.below(parent, *child);
                Ok(Answer::ok(wire::list(*child, form, found, view.estate, settings)))
            }
            _ => Err(Refusal::Absent),
        }
    }

    fn entity(&mut self, kind: Kind, id: Uuid, form: Form) -> Result<Answer, Refusal> {
        let settings = self.settings;
        if settings.vanished == Vanished::NotFound && !self.world.is_real(kind, id, self.now) {
            return Err(Refusal::Absent);
        }
        let view = self.view();
        let entity = view.find(kind, id).ok_or(Refusal::Absent)?;
        Ok(Answer::ok(match form {
            Form::Reference => wire::reference("EntityRef", entity, view.estate, settings),
            Form::Entity => wire::entity(entity, view.estate, settings),
        }))
    }

    fn mounts(
        &mut self,
        method: &Method,
        (kind, id): (Kind, Uuid),
        rest: &[&str],
    ) -> Result<Answer, Refusal> {
        match (rest, method) {
            ([], &Method::POST) => self.mount(kind, id),
            ([], &Method::GET) => {
                let now = self.now;
                let list = self.own_session()?.mounts.list(kind, id, now);
                list.map(Answer::ok).ok_or(Refusal::Absent)
            }
            ([], _) => Err(Refusal::Only("GET, POST")),
            ([number], method) => {
                let number = number.parse().map_err(|_| Refusal::Absent)?;
                let now = self.now;
                let mounts = &mut self.own_session()?.mounts;
                let mount = mounts.get(id, number, now).ok_or(Refusal::Absent)?;
                match *method {
                    Method::GET => Ok(Answer::ok(mount)),
                    Method::DELETE => {
                        mounts.remove(id, number);
                        Ok(Answer::no_content())
                    }
                    _ => Err(Refusal::Only("GET, DELETE")),
                }
            }
            _ => Err(Refusal::Absent),
        }
    }
}

/// The kind whose collection a path leads to, and what of the path is left.
fn place(path: &str) -> Option<(Kind, &str)> {
    Kind::ALL.into_iter().find_map(|kind| {
        let below = path.strip_prefix(kind.shape().collection)?;
        (below.is_empty() || below.starts_with('/')).then_some((kind, below))
    })
}

fn only_get(method: &Method) -> Result<(), Refusal> {
    if *method == Method::GET { Ok(()) } else { Err(Refusal::Only("GET")) }
}

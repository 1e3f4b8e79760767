//! From a path to the resource there: a collection, one of its entities, or what is below one.
//!
//! Whatever would change something and has no action is refused with 405, which is the truth for cloud
//! points, and for making, copying and deleting points of any kind.

use http::Method;
use uuid::Uuid;

use super::accounts::Who;
use super::answer::{Answer, Refusal};
use super::directory::{self, Empty};
use super::document::Element;
use super::kinds::Kind;
use super::settings::{Installation, Vanished};
use super::visit::{Asked, Visit, only_get};
use super::wire::{self, Form};

/// Where a path leads.
enum Place<'p> {
    Empty(&'static Empty),
    Collection(Kind),
    Entity(Kind, Uuid),
    /// All mounts of an entity, or one by its number.
    Mounts(Kind, Uuid, Option<&'p str>),
    /// Those of another kind that belong to an entity.
    Below(Kind, Uuid, Kind),
}

impl<'p> Place<'p> {
    fn of(path: &'p str) -> Option<Self> {
        let found = Kind::ALL.into_iter().find_map(|kind| {
            let below = path.strip_prefix(kind.shape().collection)?;
            (below.is_empty() || below.starts_with('/')).then_some((kind, below))
        });
        let Some((kind, below)) = found else {
            return directory::empty_collection(path).map(Place::Empty);
        };
        let mut segments = below.split('/').skip(1);
        let Some(id) = segments.next() else { return Some(Place::Collection(kind)) };
        let (id, rest) = (id.parse().ok()?, segments.collect::<Vec<_>>());
        let shape = kind.shape();
        match *rest {
            [] => Some(Place::Entity(kind, id)),
            ["mounts"] if shape.mounts.is_some() => Some(Place::Mounts(kind, id, None)),
            ["mounts", number] if shape.mounts.is_some() => {
                Some(Place::Mounts(kind, id, Some(number)))
            }
            [segment] => {
                let (_, _, child) = shape.children.iter().find(|(_, name, _)| *name == segment)?;
                Some(Place::Below(kind, id, *child))
            }
            _ => None,
        }
    }

    /// What is told about here, and what it hangs on.
    fn kinds(&self) -> Vec<Kind> {
        match self {
            Place::Empty(_) => Vec::new(),
            Place::Collection(kind) | Place::Entity(kind, _) | Place::Mounts(kind, ..) => {
                vec![*kind]
            }
            Place::Below(kind, _, child) => vec![*kind, *child],
        }
    }
}

impl Visit<'_> {
    /// Answers for any path that is not the session's or a service's.
    pub(super) fn resource(&mut self, asked: Asked<'_>) -> Result<Answer, Refusal> {
        // Singular here; any other word is not seen.
        let form = match asked.parameters.get("format") {
            Some(format) if format.eq_ignore_ascii_case("Entity") => Form::Entity,
            _ => Form::Reference,
        };
        let no_cloud = self.settings.installation != Installation::CloudConnect;
        if no_cloud && asked.path.starts_with("cloud/") {
            return Err(Refusal::Absent);
        }
        let place = Place::of(asked.path).ok_or(Refusal::Absent)?;
        if !place.kinds().into_iter().all(|kind| self.who.may_read(kind)) {
            return Err(Refusal::Forbidden);
        }
        if let Place::Entity(kind, id) | Place::Mounts(kind, id, _) | Place::Below(kind, id, _) =
            place
        {
            self.view().find(kind, id).ok_or(Refusal::Absent)?;
        }
        let action = asked.parameters.get("action");
        match (place, asked.method, action) {
            (Place::Entity(kind, id), &Method::POST, Some(action)) => {
                self.act((kind, id), action, asked.spec?.as_ref())
            }
            (Place::Collection(Kind::BackupServer), &Method::POST, Some("create")) => {
                Err(Refusal::NotSimulated("another backup server".to_owned()))
            }
            (Place::Entity(Kind::Job, _), &Method::PUT | &Method::DELETE, _) => {
                Err(Refusal::NotSimulated("changing a job".to_owned()))
            }
            (Place::Mounts(kind, id, None), method, _) => self.mounts(method, (kind, id)),
            (Place::Mounts(_, id, Some(number)), method, _) => {
                self.one_mount(method, id, number.parse().map_err(|_| Refusal::Absent)?)
            }
            (place, method, _) => {
                only_get(method)?;
                self.read(place, form)
            }
        }
    }

    fn read(&mut self, place: Place<'_>, form: Form) -> Result<Answer, Refusal> {
        let settings = self.settings;
        match place {
            Place::Empty(empty) => self.nothing(empty, form),
            Place::Collection(kind) => {
                let view = self.view();
                Ok(Answer::ok(wire::list(kind, form, view.all(kind), view.estate, settings)))
            }
            Place::Below(kind, id, child) => {
                let view = self.view();
                let parent = view.find(kind, id).ok_or(Refusal::Absent)?;
                let found = view.below(parent, child);
                Ok(Answer::ok(wire::list(child, form, found, view.estate, settings)))
            }
            Place::Entity(kind, id) => self.entity(kind, id, form),
            Place::Mounts(..) => Err(Refusal::Absent),
        }
    }

    /// A collection that is always empty. Of these a tenant has only failover plans.
    fn nothing(&self, empty: &Empty, form: Form) -> Result<Answer, Refusal> {
        if matches!(self.who, Who::Tenant(_)) && empty.element != "CloudFailoverPlan" {
            return Err(Refusal::Forbidden);
        }
        let name = match form {
            Form::Reference => "EntityReferences",
            Form::Entity => empty.plural,
        };
        Ok(Answer::ok(Element::list(name, Vec::new())))
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

    fn mounts(&mut self, method: &Method, (kind, id): (Kind, Uuid)) -> Result<Answer, Refusal> {
        match *method {
            Method::POST => self.mount(kind, id),
            Method::GET => {
                let now = self.now;
                let list = self.own_session()?.mounts.list(kind, id, now);
                list.map(Answer::ok).ok_or(Refusal::Absent)
            }
            _ => Err(Refusal::Only("GET, POST")),
        }
    }

    fn one_mount(&mut self, method: &Method, id: Uuid, number: usize) -> Result<Answer, Refusal> {
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
}

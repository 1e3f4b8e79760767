//! Entities: what the backup servers have, or what the database holds of it, in no useful order.
//!
//! Times are kept only as precisely as the database would. Which of the two an [`Estate`] is, and
//! how one follows the other, is the [`world`](super::world)'s matter.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::document::Scalar;
use super::kinds::Kind;
use super::settings::{NameStyle, Settings, VmName};

/// One thing with an id.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    pub(super) name: String,
    /// The VM, for kinds that have the `VmDisplayName` attribute.
    pub(super) vm: Option<String>,
    /// What the `Up` links lead to, in their order.
    pub(super) parents: Vec<Uuid>,
    /// What else it belongs to, with no link to it.
    pub(super) relatives: Vec<Uuid>,
    /// The tenant, for what belongs to one as a whole.
    pub(super) owner: Option<Owner>,
    /// The elements after `Links`, in schema order.
    pub(super) fields: Vec<(&'static str, Field)>,
    pub(super) stage: Stage,
}

/// A tenant of the provider, by the way of logging on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Standalone,
    Organization,
}

/// Whether the data behind a point is all there. Only its links tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    BeingWritten,
    Complete,
}

/// The content of one element.
#[derive(Debug, Clone)]
pub(super) enum Field {
    Plain(Scalar),
    Time(Timestamp),
}

impl Field {
    pub(super) fn text(text: &str) -> Self {
        Field::Plain(text.into())
    }

    pub(super) fn flag(value: bool) -> Self {
        Field::Plain(Scalar::Flag(value))
    }

    pub(super) fn number(value: i64) -> Self {
        Field::Plain(Scalar::Number(value))
    }

    pub(super) fn to_scalar(&self) -> Scalar {
        match self {
            Field::Plain(value) => value.clone(),
            // jiff writes no trailing zeros, and neither does .NET's XmlSerializer.
            Field::Time(time) => Scalar::Text(time.to_string()),
        }
    }
}

impl Entity {
    /// A complete entity without a VM.
    pub(super) fn new(
        kind: Kind,
        id: Uuid,
        name: impl Into<String>,
        parents: Vec<Uuid>,
        fields: Vec<(&'static str, Field)>,
    ) -> Self {
        let (name, vm, relatives, owner) = (name.into(), None, Vec::new(), None);
        let stage = Stage::Complete;
        Self { kind, id, name, vm, parents, relatives, owner, fields, stage }
    }

    /// The same entity as one that also belongs to another.
    pub(super) fn related_to(mut self, other: Uuid) -> Self {
        self.relatives.push(other);
        self
    }

    /// The same entity as a tenant's.
    pub(super) fn owned_by(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The same entity as that of a VM.
    pub(super) fn of_vm(self, vm: &str) -> Self {
        Self { vm: Some(vm.to_owned()), ..self }
    }

    pub(super) fn uid(&self) -> String {
        format!("urn:veeam:{}:{}", self.kind.shape().element, self.id)
    }

    /// Gives an element another value; false when there is no such element.
    pub(super) fn set(&mut self, element: &str, value: Field) -> bool {
        let found = self.fields.iter_mut().find(|(name, _)| *name == element);
        found.map(|(_, field)| *field = value).is_some()
    }

    pub(super) fn field(&self, element: &str) -> Option<&Field> {
        self.fields.iter().find(|(name, _)| *name == element).map(|(_, field)| field)
    }
}

/// One cloud point to be.
#[derive(Debug, Clone)]
pub(super) struct Point<'a> {
    pub(super) id: Uuid,
    pub(super) vm: &'a str,
    pub(super) created: Timestamp,
    pub(super) replica: Uuid,
    pub(super) point_type: &'a str,
    pub(super) state: &'a str,
}

/// All entities.
#[derive(Debug, Clone, Default)]
pub(super) struct Estate {
    entities: HashMap<Uuid, Arc<Entity>>,
    /// Which there are of a kind, in the order in which they came.
    order: BTreeMap<Kind, Vec<Uuid>>,
}

impl Estate {
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Entity> {
        self.order.get(&kind).into_iter().flatten().filter_map(|id| self.by_id(*id))
    }

    pub(super) fn find(&self, kind: Kind, id: Uuid) -> Option<&Entity> {
        self.by_id(id).filter(|entity| entity.kind == kind)
    }

    /// The parents of an entity, in the order of its `Up` links.
    pub(super) fn parents<'a>(&'a self, of: &'a Entity) -> impl Iterator<Item = &'a Entity> {
        of.parents.iter().filter_map(|id| self.by_id(*id))
    }

    /// What an entity belongs to, linked or not.
    pub(super) fn above<'a>(&'a self, of: &'a Entity) -> impl Iterator<Item = &'a Entity> {
        of.parents.iter().chain(&of.relatives).filter_map(|id| self.by_id(*id))
    }

    /// Adds an entity, or replaces the one with its id.
    pub(super) fn add(&mut self, entity: Entity) {
        let (kind, id) = (entity.kind, entity.id);
        if self.entities.insert(id, Arc::new(entity)).is_none() {
            self.order.entry(kind).or_default().push(id);
        }
    }

    /// An entity to be changed.
    pub(super) fn find_mut(&mut self, kind: Kind, id: Uuid) -> Option<&mut Entity> {
        self.entities.get_mut(&id).map(Arc::make_mut).filter(|entity| entity.kind == kind)
    }

    /// Takes an entity away; false when there is no such thing.
    pub(super) fn remove(&mut self, kind: Kind, id: Uuid) -> bool {
        let found = self.find(kind, id).is_some();
        if found {
            self.entities.remove(&id);
            self.order.entry(kind).or_default().retain(|known| *known != id);
        }
        found
    }

    /// Adds a cloud point, written as `settings` would have it.
    pub(super) fn add_point(&mut self, point: &Point<'_>, settings: &Settings) {
        let created = truncated(point.created, settings.fraction_digits);
        let server = self.all(Kind::BackupServer).map(|server| server.id).next();
        let mut fields = vec![("CreationTimeUTC", Field::Time(created))];
        if settings.vm_name == VmName::Present {
            fields.push(("VmName", Field::text(point.vm)));
        }
        fields.push(("PointType", Field::text(point.point_type)));
        fields.push(("State", Field::text(point.state)));
        let name = point_name(point.vm, created, settings);
        let parents = server.into_iter().chain([point.replica]).collect();
        let entity = Entity::new(Kind::CloudVmReplicaPoint, point.id, name, parents, fields);
        self.add(entity.of_vm(point.vm));
    }

    /// Gives a cloud point another state; false when there is no such point.
    pub(super) fn set_state(&mut self, id: Uuid, state: &str) -> bool {
        let point = self.find_mut(Kind::CloudVmReplicaPoint, id);
        point.is_some_and(|point| point.set("State", Field::text(state)))
    }

    fn by_id(&self, id: Uuid) -> Option<&Entity> {
        self.entities.get(&id).map(Arc::as_ref)
    }
}

/// The name of a point: `srv39@2015-12-25 20:00:47`, on some servers with a fraction.
pub(super) fn point_name(vm: &str, created: Timestamp, settings: &Settings) -> String {
    let created = match settings.name_style {
        NameStyle::WholeSeconds => truncated(created, 0),
        NameStyle::Microseconds => truncated(created, 6),
    };
    let time = created.to_zoned(TimeZone::UTC).datetime().to_string();
    format!("{vm}@{}", time.replace('T', " "))
}

/// The time that `civil` is in UTC.
pub(super) fn utc(civil: DateTime) -> Timestamp {
    // Fails only at the far ends of the calendar, where no seed point lies.
    TimeZone::UTC.to_timestamp(civil).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time as the database keeps it.
pub(super) fn truncated(time: Timestamp, digits: u8) -> Timestamp {
    let unit = 10_i128.pow(9_u32.saturating_sub(u32::from(digits)));
    let nanoseconds = time.as_nanosecond();
    Timestamp::from_nanosecond(nanoseconds - nanoseconds.rem_euclid(unit)).unwrap_or(time)
}

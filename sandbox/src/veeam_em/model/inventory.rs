//! Entities, and an inventory of them: that of the backup servers, or that of Enterprise Manager's database.
//!
//! Times have the precision of the database. How the two inventories differ is in
//! [`inventories`](super::inventories).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::kind::Kind;
use crate::veeam_em::format::document::Scalar;
use crate::veeam_em::settings::{NameStyle, Settings, VmName};

/// One resource.
#[derive(Debug, Clone)]
pub(crate) struct Entity {
    pub(crate) kind: Kind,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// The machine, for kinds with an attribute for it.
    pub(crate) vm: Option<String>,
    /// The targets of the `Up` links, in their order.
    pub(crate) parents: Vec<Uuid>,
    /// Parents without a link to them.
    pub(crate) unlinked_parents: Vec<Uuid>,
    /// The tenant that owns the entity and its children.
    pub(crate) owner: Option<Owner>,
    /// The elements after `Links`, in schema order.
    pub(crate) fields: Vec<(&'static str, Field)>,
    pub(crate) stage: Stage,
}

/// A tenant of the provider, by the kind of its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Standalone,
    Organization,
}

/// Whether the data of a point is complete. Only its links show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    BeingWritten,
    Complete,
}

/// The content of one element.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Plain(Scalar),
    Time(Timestamp),
}

impl Field {
    pub(crate) fn text(text: &str) -> Self {
        Field::Plain(text.into())
    }

    pub(crate) fn bool(value: bool) -> Self {
        Field::Plain(Scalar::Bool(value))
    }

    pub(crate) fn number(value: i64) -> Self {
        Field::Plain(Scalar::Number(value))
    }

    pub(crate) fn to_scalar(&self) -> Scalar {
        match self {
            Field::Plain(value) => value.clone(),
            // jiff writes no trailing zeros, and neither does .NET's XmlSerializer.
            Field::Time(time) => Scalar::Text(time.to_string()),
        }
    }
}

impl Entity {
    /// A complete entity without a machine.
    pub(crate) fn new(
        kind: Kind,
        id: Uuid,
        name: impl Into<String>,
        parents: Vec<Uuid>,
        fields: Vec<(&'static str, Field)>,
    ) -> Self {
        let (vm, unlinked_parents, owner) = (None, Vec::new(), None);
        let (name, stage) = (name.into(), Stage::Complete);
        Self { kind, id, name, vm, parents, unlinked_parents, owner, fields, stage }
    }

    /// The same entity with another parent, without a link to it.
    pub(crate) fn with_unlinked_parent(mut self, parent: Uuid) -> Self {
        self.unlinked_parents.push(parent);
        self
    }

    /// The same entity with an owner.
    pub(crate) fn owned_by(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The same entity with a machine.
    pub(crate) fn of_vm(self, vm: &str) -> Self {
        Self { vm: Some(vm.to_owned()), ..self }
    }

    pub(crate) fn uid(&self) -> String {
        format!("urn:veeam:{}:{}", self.kind.schema().element, self.id)
    }

    /// Sets the value of an element. Returns false if there is no such element.
    pub(crate) fn set(&mut self, element: &str, value: Field) -> bool {
        let found = self.fields.iter_mut().find(|(name, _)| *name == element);
        found.map(|(_, field)| *field = value).is_some()
    }

    pub(crate) fn field(&self, element: &str) -> Option<&Field> {
        self.fields.iter().find(|(name, _)| *name == element).map(|(_, field)| field)
    }
}

/// A cloud point to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewCloudPoint<'a> {
    pub(crate) id: Uuid,
    pub(crate) vm: &'a str,
    pub(crate) created: Timestamp,
    pub(crate) replica: Uuid,
    pub(crate) point_type: &'a str,
    pub(crate) state: &'a str,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory {
    entities: HashMap<Uuid, Arc<Entity>>,
    /// The entities of a kind, in the order in which they were added.
    order: BTreeMap<Kind, Vec<Uuid>>,
}

impl Inventory {
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Entity> {
        self.order.get(&kind).into_iter().flatten().filter_map(|id| self.by_id(*id))
    }

    pub(crate) fn find(&self, kind: Kind, id: Uuid) -> Option<&Entity> {
        self.by_id(id).filter(|entity| entity.kind == kind)
    }

    /// The parents of an entity, in the order of its `Up` links.
    pub(crate) fn parents<'a>(&'a self, of: &'a Entity) -> impl Iterator<Item = &'a Entity> {
        of.parents.iter().filter_map(|id| self.by_id(*id))
    }

    /// The parents of an entity, linked or not.
    pub(crate) fn all_parents<'a>(&'a self, of: &'a Entity) -> impl Iterator<Item = &'a Entity> {
        of.parents.iter().chain(&of.unlinked_parents).filter_map(|id| self.by_id(*id))
    }

    /// Adds an entity, or replaces the one with its id.
    pub(crate) fn add(&mut self, entity: Entity) {
        let (kind, id) = (entity.kind, entity.id);
        if self.entities.insert(id, Arc::new(entity)).is_none() {
            self.order.entry(kind).or_default().push(id);
        }
    }

    /// An entity to be changed.
    pub(crate) fn find_mut(&mut self, kind: Kind, id: Uuid) -> Option<&mut Entity> {
        self.entities.get_mut(&id).map(Arc::make_mut).filter(|entity| entity.kind == kind)
    }

    /// Removes an entity. Returns false if there is no such entity.
    pub(crate) fn remove(&mut self, kind: Kind, id: Uuid) -> bool {
        let found = self.find(kind, id).is_some();
        if found {
            self.entities.remove(&id);
            self.order.entry(kind).or_default().retain(|known| *known != id);
        }
        found
    }

    /// Adds a cloud point, in the format of `settings`.
    pub(crate) fn add_point(&mut self, point: &NewCloudPoint<'_>, settings: &Settings) {
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

    /// Sets the state of a cloud point. Returns false if there is no such point.
    pub(crate) fn set_state(&mut self, id: Uuid, state: &str) -> bool {
        let point = self.find_mut(Kind::CloudVmReplicaPoint, id);
        point.is_some_and(|point| point.set("State", Field::text(state)))
    }

    fn by_id(&self, id: Uuid) -> Option<&Entity> {
        self.entities.get(&id).map(Arc::as_ref)
    }
}

/// The name of a point: `srv39@2015-12-25 20:00:47`, on some servers with a fraction.
pub(crate) fn point_name(vm: &str, created: Timestamp, settings: &Settings) -> String {
    let created = match settings.name_style {
        NameStyle::WholeSeconds => truncated(created, 0),
        NameStyle::Microseconds => truncated(created, 6),
    };
    let time = created.to_zoned(TimeZone::UTC).datetime().to_string();
    format!("{vm}@{}", time.replace('T', " "))
}

/// `civil` as a time in UTC.
pub(crate) fn utc(civil: DateTime) -> Timestamp {
    // It fails only at the far ends of the calendar, where no seed point is.
    TimeZone::UTC.to_timestamp(civil).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time with the precision of the database.
pub(crate) fn truncated(time: Timestamp, digits: u8) -> Timestamp {
    let unit = 10_i128.pow(9_u32.saturating_sub(u32::from(digits)));
    let nanoseconds = time.as_nanosecond();
    Timestamp::from_nanosecond(nanoseconds - nanoseconds.rem_euclid(unit)).unwrap_or(time)
}

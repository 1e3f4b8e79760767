//! What the server's database holds: entities, in no useful order.
//!
//! Times are kept only as precisely as the database would. The quarter of an hour by which a real
//! server lags behind its backup servers is not simulated: a change is seen at once.

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
    /// The elements after `Links`, in schema order.
    pub(super) fields: Vec<(&'static str, Field)>,
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

    pub(super) fn to_scalar(&self) -> Scalar {
        match self {
            Field::Plain(value) => value.clone(),
            // jiff writes no trailing zeros, and neither does .NET's XmlSerializer.
            Field::Time(time) => Scalar::Text(time.to_string()),
        }
    }
}

impl Entity {
    pub(super) fn uid(&self) -> String {
        format!("urn:veeam:{}:{}", self.kind.shape().element, self.id)
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
#[derive(Debug, Default)]
pub(super) struct Estate {
    entities: Vec<Entity>,
}

impl Estate {
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(move |entity| entity.kind == kind)
    }

    pub(super) fn find(&self, kind: Kind, id: Uuid) -> Option<&Entity> {
        self.all(kind).find(|entity| entity.id == id)
    }

    /// The parents of an entity, in the order of its `Up` links.
    pub(super) fn parents<'a>(&'a self, of: &'a Entity) -> impl Iterator<Item = &'a Entity> {
        of.parents.iter().filter_map(|id| self.entities.iter().find(|entity| entity.id == *id))
    }

    pub(super) fn add(&mut self, entity: Entity) {
        self.entities.push(entity);
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
        self.add(Entity {
            kind: Kind::CloudVmReplicaPoint,
            id: point.id,
            name: point_name(point.vm, created, settings),
            vm: Some(point.vm.to_owned()),
            parents: server.into_iter().chain([point.replica]).collect(),
            fields,
        });
    }

    /// Gives a cloud point another state; false when there is no such point.
    pub(super) fn set_state(&mut self, id: Uuid, state: &str) -> bool {
        let fields = self
            .entities
            .iter_mut()
            .find(|entity| entity.kind == Kind::CloudVmReplicaPoint && entity.id == id)
            .into_iter()
            .flat_map(|point| &mut point.fields);
        for (name, field) in fields {
            if *name == "State" {
                *field = Field::text(state);
                return true;
            }
        }
        false
    }

    /// Takes a cloud point away; false when there is no such point.
    pub(super) fn remove_point(&mut self, id: Uuid) -> bool {
        let before = self.entities.len();
        self.entities.retain(|entity| entity.kind != Kind::CloudVmReplicaPoint || entity.id != id);
        self.entities.len() < before
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

//! Everything that exists in the simulated subscription.
//!
//! It finds and removes; the rules for making things are in `collections`, `points` and `copying`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::dice::Dice;
use super::encryption::EncryptionSet;
use super::limits::Spent;
use super::machine::Machine;
use super::names::{CollectionName, PointName};
use super::operation::{Operation, Signer, Started, Task};
use super::point::Point;
use super::server::Call;
use super::settings::Settings;
use super::wire::Tags;

#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) dice: Dice,
    pub(super) signer: Signer,
    pub(super) subscription: String,
    /// Resource groups in their own casing.
    pub(super) groups: Vec<String>,
    pub(super) machines: Vec<Arc<Machine>>,
    pub(super) encryption_sets: Vec<EncryptionSet>,
    pub(super) collections: BTreeMap<String, Collection>,
    pub(super) operations: BTreeMap<String, Operation>,
    /// The ids of what must not be deleted.
    pub(super) locks: Vec<String>,
    /// What throttling has counted.
    pub(super) spent: Spent,
    /// What is being deleted, and when it will be gone.
    pub(super) departures: Vec<(Timestamp, Departure)>,
}

#[derive(Debug)]
pub(super) enum Departure {
    Collection(CollectionName),
    Point(PointName),
}

#[derive(Debug)]
pub(super) struct Collection {
    pub(super) name: CollectionName,
    /// In the plain form.
    pub(super) region: String,
    /// As the client wrote it.
    pub(super) written_region: String,
    pub(super) tags: Tags,
    pub(super) source: Source,
    /// As the client wrote it.
    pub(super) source_id: String,
    pub(super) source_region: String,
    pub(super) guid: String,
    pub(super) instant_access: Option<bool>,
    pub(super) points: Vec<Point>,
    pub(super) deleting: bool,
}

/// What the points of a collection are taken of.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Machine(Arc<Machine>),
    /// The key of another collection.
    Collection(String),
}

impl Collection {
    pub(super) fn point(&self, name: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn point_mut(&mut self, name: &str) -> Option<&mut Point> {
        self.points.iter_mut().find(|point| point.name.eq_ignore_ascii_case(name))
    }

    /// The name of a point of this collection in the casing that is kept.
    pub(super) fn name_of(&self, point: &Point) -> PointName {
        PointName { collection: self.name.clone(), name: point.name.clone() }
    }
}

impl World {
    pub(super) fn collection(&self, name: &CollectionName) -> Option<&Collection> {
        self.collections.get(&name.key())
    }

    pub(super) fn collection_mut(&mut self, name: &CollectionName) -> Option<&mut Collection> {
        self.collections.get_mut(&name.key())
    }

    pub(super) fn point(&self, name: &PointName) -> Option<(&Collection, &Point)> {
        let collection = self.collection(&name.collection)?;
        Some((collection, collection.point(&name.name)?))
    }

    pub(super) fn has_group(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known.eq_ignore_ascii_case(group))
    }

    pub(super) fn machine(&self, group: &str, name: &str) -> Option<&Arc<Machine>> {
        self.machines.iter().find(|machine| {
            machine.group.eq_ignore_ascii_case(group) && machine.name.eq_ignore_ascii_case(name)
        })
    }

    /// Lets go of what is over by now.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let retention = self.settings.operation_retention;
        self.operations.retain(|_, operation| now < operation.ends + retention);
        let (gone, staying) =
            std::mem::take(&mut self.departures).into_iter().partition(|(at, _)| *at <= now);
        self.departures = staying;
        for (_, departure) in gone {
            match departure {
                Departure::Collection(name) => drop(self.collections.remove(&name.key())),
                Departure::Point(name) => {
                    if let Some(collection) = self.collection_mut(&name.collection) {
                        collection.points.retain(|point| {
                            !(point.deleting && point.name.eq_ignore_ascii_case(&name.name))
                        });
                    }
                }
            }
        }
    }

    /// Starts an operation.
    pub(super) fn begin(&mut self, call: &Call, task: Task<'_>) -> Started {
        let operation = Operation::new(
            call.request_id,
            (task, call.now),
            &call.version,
            self.settings.quirks.retry_after,
            (&self.signer, &mut self.dice),
        );
        let started = operation.introduce(&call.root);
        self.operations.insert(call.request_id.to_string(), operation);
        started
    }
}

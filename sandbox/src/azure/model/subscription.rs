//! Everything that exists in the simulated subscription.
//!
//! It finds, starts and removes; the handlers hold the rules for creating resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::bucket::Buckets;
use super::collection::Collection;
use super::encryption::EncryptionSet;
use super::machine::Machine;
use super::operation::{NewOperation, Operation, UrlSigner};
use super::point::Point;
use super::point_writes::PointWrites;
use super::quota::Quotas;
use crate::azure::call::Call;
use crate::azure::reply::OperationLinks;
use crate::azure::resource_path::{CollectionName, PointName};
use crate::azure::rng::Rng;
use crate::azure::settings::Settings;

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) settings: Settings,
    pub(crate) rng: Rng,
    pub(crate) url_signer: UrlSigner,
    /// Resource groups in their own casing.
    pub(crate) groups: Vec<String>,
    pub(crate) machines: Vec<Arc<Machine>>,
    pub(crate) encryption_sets: Vec<EncryptionSet>,
    /// By their keys.
    pub(crate) collections: BTreeMap<String, Collection>,
    pub(crate) operations: BTreeMap<String, Operation>,
    /// The ids of resources and resource groups that are locked against deletion.
    pub(crate) locks: Vec<String>,
    pub(crate) buckets: Buckets,
    pub(crate) quotas: Quotas,
    /// What was written, by the id of the point in lower case.
    pub(crate) point_writes: BTreeMap<String, PointWrites>,
    /// Resources that are being deleted, with the time of their removal.
    pub(crate) pending_deletions: Vec<(Timestamp, Deletion)>,
}

#[derive(Debug)]
pub(crate) enum Deletion {
    Collection(CollectionName),
    Point(PointName),
}

impl Subscription {
    pub(crate) fn collection(&self, name: &CollectionName) -> Option<&Collection> {
        self.collections.get(&name.key())
    }

    pub(crate) fn collection_mut(&mut self, name: &CollectionName) -> Option<&mut Collection> {
        self.collections.get_mut(&name.key())
    }

    pub(crate) fn point(&self, name: &PointName) -> Option<(&Collection, &Point)> {
        let collection = self.collection(&name.collection)?;
        Some((collection, collection.point(&name.name)?))
    }

    pub(crate) fn has_group(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known.eq_ignore_ascii_case(group))
    }

    pub(crate) fn machine(&self, group: &str, name: &str) -> Option<&Arc<Machine>> {
        self.machines.iter().find(|machine| {
            machine.group.eq_ignore_ascii_case(group) && machine.name.eq_ignore_ascii_case(name)
        })
    }

    /// Removes deleted resources and operations past their retention.
    pub(crate) fn advance_to(&mut self, now: Timestamp) {
        let retention = self.settings.operation_retention;
        self.operations.retain(|_, operation| now < operation.ends_at + retention);
        let (due, pending) =
            std::mem::take(&mut self.pending_deletions).into_iter().partition(|(at, _)| *at <= now);
        self.pending_deletions = pending;
        for (_, deletion) in due {
            match deletion {
                Deletion::Collection(name) => drop(self.collections.remove(&name.key())),
                Deletion::Point(name) => {
                    if let Some(collection) = self.collection_mut(&name.collection) {
                        collection.points.retain(|point| {
                            !(point.deleting && point.name.eq_ignore_ascii_case(&name.name))
                        });
                    }
                }
            }
        }
    }

    /// What was written of a point, to be added to.
    pub(crate) fn writes_of(&mut self, name: &PointName) -> &mut PointWrites {
        let key = name.id(&self.id).to_lowercase();
        self.point_writes.entry(key).or_default()
    }

    /// Starts the operation of a request.
    pub(crate) fn start_operation(&mut self, call: &Call, new: NewOperation<'_>) -> OperationLinks {
        let operation = Operation::new(
            call.request_id,
            (new, call.now),
            &call.api_version,
            self.settings.quirks.retry_after,
            (&self.url_signer, &mut self.rng),
        );
        let links = operation.links(&call.subscription_url);
        self.operations.insert(call.request_id.to_string(), operation);
        links
    }
}

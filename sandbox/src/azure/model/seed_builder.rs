//! Adds resources to a subscription without the checks of a request: the builder behind the seed.
//!
//! What the seed consists of is in `seed`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::collection::{Collection, Source};
use super::consistency::Consistency;
use super::encryption::{EncryptionChoices, EncryptionSet, KeyVault};
use super::machine::{Disk, Guest, Machine, Sku};
use super::point::Point;
use super::subscription::Subscription;
use crate::azure::dto::collection::Tags;
use crate::azure::resource_path::{CollectionName, PointName, plain_region};

pub(crate) struct SeedBuilder {
    pub(crate) subscription: Subscription,
    pub(crate) now: Timestamp,
}

impl SeedBuilder {
    /// Adds a virtual machine.
    pub(crate) fn machine(
        &mut self,
        group: &str,
        name: &str,
        region: &str,
        guest: Guest,
        disks: &[(u32, Sku)],
    ) -> Arc<Machine> {
        let subscription = &mut self.subscription;
        let providers = format!(
            "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Compute",
            subscription.id
        );
        let mut disk = |(index, (gigabytes, sku)): (usize, &(u32, Sku))| {
            let tail = format!("{:032x}", subscription.rng.guid().as_u128());
            let name = match index.checked_sub(1) {
                None => format!("{name}_OsDisk_1_{tail}"),
                Some(lun) => format!("{name}_DataDisk_{lun}"),
            };
            let id = format!("{providers}/disks/{name}");
            Disk { id, name, gigabytes: *gigabytes, sku: *sku }
        };
        let disks = disks.iter().enumerate().map(&mut disk).collect();
        let machine = Arc::new(Machine {
            group: group.into(),
            name: name.into(),
            id: format!("{providers}/virtualMachines/{name}"),
            vm_id: subscription.rng.guid().to_string(),
            region: region.into(),
            guest,
            disks,
        });
        subscription.machines.push(Arc::clone(&machine));
        machine
    }

    /// Adds a disk encryption set and returns its id.
    pub(crate) fn encryption_set(
        &mut self,
        group: &str,
        name: &str,
        region: &str,
        key_vault: KeyVault,
    ) -> String {
        let id = format!(
            "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Compute\
             /diskEncryptionSets/{name}",
            self.subscription.id
        );
        self.subscription.encryption_sets.push(EncryptionSet {
            group: group.into(),
            name: name.into(),
            id: id.clone(),
            region: region.into(),
            key_vault,
        });
        id
    }

    /// Adds a collection of a machine in the machine's region.
    pub(crate) fn collection(
        &mut self,
        group: &str,
        name: &str,
        machine: &Arc<Machine>,
        tags: &[(&str, &str)],
    ) -> CollectionName {
        let name = CollectionName { group: group.into(), name: name.into() };
        let tags: Tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let source = Source::Machine(Arc::clone(machine));
        let region = plain_region(&machine.region);
        self.insert_collection(
            &name,
            region,
            tags,
            source,
            machine.id.clone(),
            machine.region.clone(),
        );
        name
    }

    /// Adds a collection in another region for copies of the points of `source`.
    pub(crate) fn target(
        &mut self,
        group: &str,
        name: &str,
        region: &str,
        source: &CollectionName,
    ) -> CollectionName {
        let name = CollectionName { group: group.into(), name: name.into() };
        let source_id = source.id(&self.subscription.id);
        let source_region =
            self.subscription.collection(source).map(|one| one.region.clone()).unwrap_or_default();
        let source = Source::Collection(source.key());
        self.insert_collection(&name, region.into(), Tags::new(), source, source_id, source_region);
        name
    }

    fn insert_collection(
        &mut self,
        name: &CollectionName,
        region: String,
        tags: Tags,
        source: Source,
        source_id: String,
        source_region: String,
    ) {
        if !self.subscription.has_group(&name.group) {
            self.subscription.groups.push(name.group.clone());
        }
        let collection = Collection {
            name: name.clone(),
            written_region: region.clone(),
            region,
            tags,
            source,
            source_id,
            source_region,
            guid: self.subscription.rng.guid().to_string(),
            instant_access: None,
            points: Vec::new(),
            deleting: false,
        };
        self.subscription.collections.insert(name.key(), collection);
    }

    /// Adds a created local point, `age` old, and returns its id.
    pub(crate) fn local(
        &mut self,
        collection: &CollectionName,
        name: &str,
        machine: &Arc<Machine>,
        consistency: Consistency,
        age: SignedDuration,
    ) -> String {
        let subscription = &mut self.subscription;
        let all: Vec<usize> = (0..machine.disks.len()).collect();
        let (encryption, started_at) = (EncryptionChoices::default(), self.now - age);
        let disks = subscription.new_disk_points(machine, &all, &encryption, started_at, None);
        // Real times have arbitrary fractions.
        let fraction =
            SignedDuration::from_nanos(i64::from(subscription.rng.guid().as_fields().0) / 50);
        let time_created = self.now - age + fraction;
        self.add(
            collection,
            Point {
                name: name.into(),
                machine: Arc::clone(machine),
                consistency,
                requested_consistency: None,
                time_created,
                ready_at: time_created + SignedDuration::from_secs(40),
                error: None,
                deleting: false,
                disks,
                copied_from: None,
                instant_access: None,
            },
        )
    }

    /// Adds a copy whose replication began at `started_at`, and returns its id.
    pub(crate) fn copy(
        &mut self,
        target: &CollectionName,
        name: &str,
        (collection, source): (&CollectionName, &str),
        started_at: Timestamp,
    ) -> String {
        let source = PointName { collection: collection.clone(), name: source.into() };
        let source_id = source.id(&self.subscription.id);
        let encryption = EncryptionChoices::default();
        let copy =
            self.subscription.new_copy(name, &source, &source_id, (started_at, None), &encryption);
        copy.map(|copy| self.add(target, copy)).unwrap_or_default()
    }

    fn add(&mut self, collection: &CollectionName, point: Point) -> String {
        let name = PointName { collection: collection.clone(), name: point.name.clone() };
        if let Some(collection) = self.subscription.collection_mut(collection) {
            collection.points.push(point);
        }
        name.id(&self.subscription.id)
    }
}

//! Putting things into a world without asking: how the story that a subscription starts with is
//! written down.
//!
//! What the story is stands in `seed`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::consistency::Consistency;
use super::encryption::{Chosen, EncryptionSet, Vault};
use super::machine::{Disk, Guest, Machine, Sku};
use super::names::{CollectionName, PointName, plain_region};
use super::point::{self, Point};
use super::wire::Tags;
use super::world::{Collection, Source, World};

pub(super) struct Planting {
    pub(super) world: World,
    pub(super) now: Timestamp,
}

impl Planting {
    pub(super) fn machine(
        &mut self,
        group: &str,
        name: &str,
        region: &str,
        guest: Guest,
        disks: &[(u32, Sku)],
    ) -> Arc<Machine> {
        let world = &mut self.world;
        let providers = format!(
            "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Compute",
            world.subscription
        );
        let mut disk = |(index, (gigabytes, sku)): (usize, &(u32, Sku))| {
            let tail = format!("{:032x}", world.dice.guid().as_u128());
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
            vm_id: world.dice.guid().to_string(),
            region: region.into(),
            guest,
            disks,
        });
        world.machines.push(Arc::clone(&machine));
        machine
    }

    /// A disk encryption set; its id.
    pub(super) fn encryption_set(
        &mut self,
        group: &str,
        name: &str,
        region: &str,
        vault: Vault,
    ) -> String {
        let id = format!(
            "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Compute\
             /diskEncryptionSets/{name}",
            self.world.subscription
        );
        self.world.encryption_sets.push(EncryptionSet {
            group: group.into(),
            name: name.into(),
            id: id.clone(),
            region: region.into(),
            vault,
        });
        id
    }

    pub(super) fn collection(
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
        self.plant(&name, region, tags, source, machine.id.clone(), machine.region.clone());
        name
    }

    pub(super) fn target(
        &mut self,
        group: &str,
        name: &str,
        region: &str,
        home: &CollectionName,
    ) -> CollectionName {
        let name = CollectionName { group: group.into(), name: name.into() };
        let source_id = home.id(&self.world.subscription);
        let source_region =
            self.world.collection(home).map(|home| home.region.clone()).unwrap_or_default();
        let source = Source::Collection(home.key());
        self.plant(&name, region.into(), Tags::new(), source, source_id, source_region);
        name
    }

    fn plant(
        &mut self,
        name: &CollectionName,
        region: String,
        tags: Tags,
        source: Source,
        source_id: String,
        source_region: String,
    ) {
        if !self.world.has_group(&name.group) {
            self.world.groups.push(name.group.clone());
        }
        let collection = Collection {
            name: name.clone(),
            written_region: region.clone(),
            region,
            tags,
            source,
            source_id,
            source_region,
            guid: self.world.dice.guid().to_string(),
            instant_access: None,
            points: Vec::new(),
            deleting: false,
        };
        self.world.collections.insert(name.key(), collection);
    }

    /// A ready local point, `age` old; its id.
    pub(super) fn local(
        &mut self,
        collection: &CollectionName,
        name: &str,
        machine: &Arc<Machine>,
        consistency: Consistency,
        age: SignedDuration,
    ) -> String {
        let world = &mut self.world;
        let all: Vec<usize> = (0..machine.disks.len()).collect();
        let disks = world.taken(machine, &all, &Chosen::default(), None);
        // Real times have odd fractions.
        let odd = SignedDuration::from_nanos(i64::from(world.dice.guid().as_fields().0) / 50);
        let time_created = self.now - age + odd;
        self.add(
            collection,
            Point {
                name: name.into(),
                machine: Arc::clone(machine),
                consistency,
                asked: None,
                time_created,
                ready: time_created + SignedDuration::from_secs(40),
                failure: None,
                deleting: false,
                disks,
                copy_of: None,
                instant: None,
            },
        )
    }

    /// A copy whose replication began at `started`; its id.
    pub(super) fn copy(
        &mut self,
        target: &CollectionName,
        name: &str,
        (home, source): (&CollectionName, &str),
        started: Timestamp,
    ) -> String {
        let source = PointName { collection: home.clone(), name: source.into() };
        let written = point::id(&source, &self.world.subscription);
        let copy = self.world.copied(name, &source, &written, (started, None), &Chosen::default());
        copy.map(|copy| self.add(target, copy)).unwrap_or_default()
    }

    fn add(&mut self, collection: &CollectionName, point: Point) -> String {
        let name = PointName { collection: collection.clone(), name: point.name.clone() };
        if let Some(collection) = self.world.collection_mut(collection) {
            collection.points.push(point);
        }
        point::id(&name, &self.world.subscription)
    }
}

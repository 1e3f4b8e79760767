//! How restore points come to be, whether a client asks for one or the story begins with it: the
//! names of their disk restore points, and what a copy inherits.
//!
//! Whether one may be made was decided before.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::encryption::Chosen;
use super::instant::Lease;
use super::machine::{Machine, Sku};
use super::names::PointName;
use super::point::{self, Arrival, DiskPoint, Failure, Origin, Point};
use super::replication::Replication;
use super::world::World;

impl World {
    /// The disk restore points of a local point that holds the `included` disks of a machine, each
    /// encrypted as chosen; `instant` is when instant access to them begins, and how long it lasts.
    pub(super) fn taken(
        &mut self,
        machine: &Machine,
        included: &[usize],
        chosen: &Chosen,
        instant: Option<(Timestamp, SignedDuration)>,
    ) -> Vec<DiskPoint> {
        let make = |disk: &usize| DiskPoint {
            disk: *disk,
            name: self.disk_point_name(machine, *disk),
            encryption: chosen.of(*disk),
            origin: match instant {
                Some((started, lasting)) if machine.disks[*disk].sku == Sku::PremiumV2 => {
                    let takes = self.settings.replication;
                    let copying = Replication { started, takes, failed: None };
                    Origin::Instant(Lease { until: started + lasting, copying })
                }
                _ => Origin::Local,
            },
            granted_until: None,
        };
        included.iter().map(make).collect()
    }

    /// A copy called `name` of `source`, whose data begins to travel at `started`. Machine,
    /// consistency and time are those of the source, which goes by `written` in answers; encryption
    /// is not inherited.
    pub(super) fn copied(
        &mut self,
        name: &str,
        source: &PointName,
        written: &str,
        (started, failure): (Timestamp, Option<Failure>),
        chosen: &Chosen,
    ) -> Option<Point> {
        let (collection, original) = self.point(source)?;
        let source_id = point::id(&collection.name_of(original), &self.subscription);
        let machine = Arc::clone(&original.machine);
        let (consistency, time_created) = (original.consistency, original.time_created);
        let sources: Vec<(usize, String)> = original
            .disks
            .iter()
            .map(|disk| (disk.disk, format!("{source_id}/diskRestorePoints/{}", disk.name)))
            .collect();
        let arriving = |(disk, source_id): (usize, String)| DiskPoint {
            disk,
            name: self.disk_point_name(&machine, disk),
            encryption: chosen.of(disk),
            granted_until: None,
            origin: Origin::Copied(Arrival {
                source_id,
                replication: Replication {
                    started,
                    takes: self.pace(&machine, disk),
                    failed: None,
                },
            }),
        };
        let disks = sources.into_iter().map(arriving).collect();
        Some(Point {
            name: name.into(),
            machine,
            consistency,
            asked: Some(consistency),
            time_created,
            ready: started,
            failure,
            deleting: false,
            disks,
            copy_of: Some(written.into()),
            instant: None,
        })
    }

    fn disk_point_name(&mut self, machine: &Machine, disk: usize) -> String {
        format!("{}_{}", machine.disks[disk].name, self.dice.guid())
    }

    /// How long one disk of a copy takes: the largest takes the whole configured time, the others
    /// less by their size, and no two of a size quite the same.
    fn pace(&mut self, machine: &Machine, disk: usize) -> SignedDuration {
        let largest = machine.disks.iter().map(|disk| disk.gigabytes).max().unwrap_or(1);
        let gigabytes = machine.disks[disk].gigabytes;
        let own = i128::from(self.dice.roll() % 10);
        let thousandths = if gigabytes == largest {
            1000
        } else {
            400 + 600 * i128::from(gigabytes) / i128::from(largest) - own
        };
        let whole = self.settings.replication.as_millis();
        SignedDuration::from_millis(i64::try_from(whole * thousandths / 1000).unwrap_or(i64::MAX))
    }
}

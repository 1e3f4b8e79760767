//! Builds restore points, for a client's request and for the seed: the names of their disk restore points,
//! and what a copy inherits.
//!
//! Whether one may be created is decided before.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::encryption::EncryptionChoices;
use super::instant_access::InstantAccess;
use super::machine::Machine;
use super::point::{DiskCopy, DiskData, DiskPoint, Point};
use super::replication::Replication;
use super::subscription::Subscription;
use crate::azure::operation_error::OperationError;
use crate::azure::resource_path::PointName;

impl Subscription {
    /// The disk restore points of a local point that holds the `included` disks of a machine. Their background
    /// copies begin at `started_at`; `instant_access` is how long instant access lasts.
    pub(crate) fn new_disk_points(
        &mut self,
        machine: &Machine,
        included: &[usize],
        encryption: &EncryptionChoices,
        started_at: Timestamp,
        instant_access: Option<SignedDuration>,
    ) -> Vec<DiskPoint> {
        let new = |disk: &usize| DiskPoint {
            disk: *disk,
            name: self.disk_point_name(machine, *disk),
            encryption: encryption.of_disk(*disk),
            data: if machine.disks[*disk].sku.is_copied_in_background() {
                let duration = self.settings.replication;
                let background_copy = Replication { started_at, duration, failed_at: None };
                match instant_access {
                    None => DiskData::Background(background_copy),
                    Some(lasting) => DiskData::Instant(InstantAccess {
                        until: started_at + lasting,
                        background_copy,
                    }),
                }
            } else {
                DiskData::Local
            },
            access_until: None,
        };
        included.iter().map(new).collect()
    }

    /// A copy called `name` of `source`, which shows `written_source` as the id of its source. The
    /// replication begins at `started_at`. Machine, consistency and time are those of the source;
    /// encryption is not inherited.
    pub(crate) fn new_copy(
        &mut self,
        name: &str,
        source: &PointName,
        written_source: &str,
        (started_at, error): (Timestamp, Option<OperationError>),
        encryption: &EncryptionChoices,
    ) -> Option<Point> {
        let (collection, original) = self.point(source)?;
        let source_id = collection.name_of(original).id(&self.id);
        let machine = Arc::clone(&original.machine);
        let (consistency, time_created) = (original.consistency, original.time_created);
        let sources: Vec<(usize, String)> = original
            .disks
            .iter()
            .map(|disk| (disk.disk, format!("{source_id}/diskRestorePoints/{}", disk.name)))
            .collect();
        let new = |(disk, source_id): (usize, String)| DiskPoint {
            disk,
            name: self.disk_point_name(&machine, disk),
            encryption: encryption.of_disk(disk),
            access_until: None,
            data: DiskData::Copied(DiskCopy {
                source_id,
                replication: Replication {
                    started_at,
                    duration: self.replication_duration(&machine, disk),
                    failed_at: None,
                },
            }),
        };
        let disks = sources.into_iter().map(new).collect();
        Some(Point {
            name: name.into(),
            machine,
            consistency,
            requested_consistency: Some(consistency),
            time_created,
            ready_at: started_at,
            error,
            deleting: false,
            disks,
            copied_from: Some(written_source.into()),
            instant_access: None,
        })
    }

    fn disk_point_name(&mut self, machine: &Machine, disk: usize) -> String {
        format!("{}_{}", machine.disks[disk].name, self.rng.guid())
    }

    /// The largest disk of a copy takes the configured time, the others less by their size; disks of one
    /// size differ slightly.
    fn replication_duration(&mut self, machine: &Machine, disk: usize) -> SignedDuration {
        let largest = machine.disks.iter().map(|disk| disk.gigabytes).max().unwrap_or(1);
        let gigabytes = machine.disks[disk].gigabytes;
        let jitter = i128::from(self.rng.next_u64() % 10);
        let thousandths = if gigabytes == largest {
            1000
        } else {
            400 + 600 * i128::from(gigabytes) / i128::from(largest) - jitter
        };
        let whole = self.settings.replication.as_millis();
        SignedDuration::from_millis(i64::try_from(whole * thousandths / 1000).unwrap_or(i64::MAX))
    }
}

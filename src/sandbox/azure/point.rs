//! One restore point: what it is at a given time and how it is shown.
//!
//! Whether it may come to be is decided in `points` and `copying`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::machine::{DiskPointRef, Encryption, Machine};
use super::names::PointName;
use super::replication::{Progress, Replication};
use super::wire::{self, DiskInstance, Id, InstanceView, PointBody, PointProperties};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consistency {
    Crash,
    FileSystem,
    Application,
}

impl Consistency {
    fn text(self) -> &'static str {
        match self {
            Self::Crash => "CrashConsistent",
            Self::FileSystem => "FileSystemConsistent",
            Self::Application => "ApplicationConsistent",
        }
    }
}

/// The end of something that did not work out.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Creating,
    Succeeded,
    Failed,
    Deleting,
}

#[derive(Debug)]
pub(super) struct Point {
    pub(super) name: String,
    pub(super) machine: Arc<Machine>,
    /// What it will turn out to be, and what the client asked for.
    pub(super) consistency: Consistency,
    pub(super) asked: Option<Consistency>,
    pub(super) time_created: Timestamp,
    /// When the operation that makes it ends.
    pub(super) ready: Timestamp,
    pub(super) failure: Option<Failure>,
    pub(super) deleting: bool,
    pub(super) disks: Vec<DiskPoint>,
    /// The id of the copied point, as the client wrote it; `None` for a local point.
    pub(super) copy_of: Option<String>,
}

/// A disk restore point.
#[derive(Debug)]
pub(super) struct DiskPoint {
    /// Which disk of the machine.
    pub(super) disk: usize,
    pub(super) name: String,
    /// Only in copies.
    pub(super) arrival: Option<Arrival>,
}

/// Where the data of a copied disk comes from, and how far it is.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) source_id: String,
    pub(super) replication: Replication,
}

impl Point {
    pub(super) fn phase(&self, now: Timestamp) -> Phase {
        match &self.failure {
            _ if self.deleting => Phase::Deleting,
            _ if now < self.ready => Phase::Creating,
            Some(_) => Phase::Failed,
            None => Phase::Succeeded,
        }
    }

    /// Its disk restore points, which appear only once the operation has succeeded.
    pub(super) fn made(&self, now: Timestamp) -> &[DiskPoint] {
        if now >= self.ready && self.failure.is_none() { &self.disks } else { &[] }
    }

    /// The state of a copy as a whole: failed if one disk failed, finished only if all are.
    /// `None` for a local point.
    pub(super) fn progress(&self, now: Timestamp, tick: SignedDuration) -> Option<Progress> {
        let arrivals = self.disks.iter().filter_map(|disk| disk.arrival.as_ref());
        arrivals.map(|arrival| arrival.replication.progress(now, tick)).max()
    }

    /// Whether this copy still occupies its target.
    pub(super) fn is_copying(&self, now: Timestamp, tick: SignedDuration) -> bool {
        match self.phase(now) {
            Phase::Creating => true,
            Phase::Failed | Phase::Deleting => false,
            Phase::Succeeded => matches!(self.progress(now, tick), Some(Progress::Replicating(_))),
        }
    }
}

/// How much of a restore point is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Plain,
    /// `$expand=instanceView`.
    Instance {
        tick: SignedDuration,
    },
}

/// A restore point as it is shown at `now`.
pub(super) fn show(
    point: &Point,
    name: &PointName,
    subscription: &str,
    now: Timestamp,
    view: View,
) -> PointBody {
    let id = id(name, subscription);
    let phase = point.phase(now);
    let made = point.made(now);
    let mut refs: Vec<Option<DiskPointRef>> = Vec::new();
    refs.resize_with(point.machine.disks.len(), || None);
    for disk in made {
        refs[disk.disk] = Some(DiskPointRef {
            source_disk_restore_point: disk
                .arrival
                .as_ref()
                .map(|arrival| Id { id: arrival.source_id.clone() }),
            encryption: Encryption::PLATFORM,
            id: format!("{id}/diskRestorePoints/{}", disk.name),
        });
    }
    let known = if phase == Phase::Creating { point.asked } else { Some(point.consistency) };
    let instance_view = match view {
        View::Instance { tick } => instance_view(made, &id, now, tick),
        View::Plain => None,
    };
    PointBody {
        name: point.name.clone(),
        properties: PointProperties {
            source_metadata: point.machine.describe(refs),
            provisioning_state: match phase {
                Phase::Creating => "Creating",
                Phase::Succeeded => "Succeeded",
                Phase::Failed => "Failed",
                Phase::Deleting => "Deleting",
            },
            consistency_mode: known.map(Consistency::text),
            source_restore_point: point.copy_of.clone().map(|id| Id { id }),
            instance_view,
            time_created: wire::time(point.time_created),
        },
        id,
    }
}

/// Only copies have one: there is nothing to replicate in a local point.
fn instance_view(
    disks: &[DiskPoint],
    id: &str,
    now: Timestamp,
    tick: SignedDuration,
) -> Option<InstanceView> {
    let progress: Vec<(&DiskPoint, Progress)> = disks
        .iter()
        .filter_map(|disk| Some((disk, disk.arrival.as_ref()?.replication.progress(now, tick))))
        .collect();
    let worst = progress.iter().map(|(_, progress)| *progress).max()?;
    let disk_restore_points = progress
        .into_iter()
        .map(|(disk, progress)| DiskInstance {
            id: format!("{id}/diskRestorePoints/{}", disk.name),
            replication_status: progress.replication_status(),
        })
        .collect();
    Some(InstanceView { disk_restore_points, statuses: vec![worst.status()] })
}

pub(super) fn id(name: &PointName, subscription: &str) -> String {
    format!("{}/restorePoints/{}", name.collection.id(subscription), name.name)
}

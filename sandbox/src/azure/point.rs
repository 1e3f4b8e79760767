//! One restore point: what it is at a given time and how it is shown.
//!
//! Whether it may come to be is decided in `taking` and `copying`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::consistency::Consistency;
use super::encryption::Encryption;
use super::instant::{self, Lease};
use super::machine::{DiskPointRef, Machine};
use super::names::PointName;
use super::replication::{Progress, Replication};
use super::server::Call;
use super::settings::Quirks;
use super::versions;
use super::wire::{self, DiskInstance, Id, InstanceView, PointBody, PointProperties};
use super::world::World;

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
    /// How long its instant access lasts, if it was made with that.
    pub(super) instant: Option<SignedDuration>,
}

/// A disk restore point.
#[derive(Debug)]
pub(super) struct DiskPoint {
    /// Which disk of the machine.
    pub(super) disk: usize,
    pub(super) name: String,
    pub(super) encryption: Encryption,
    pub(super) origin: Origin,
    /// When the last signed access to it ends.
    pub(super) granted_until: Option<Timestamp>,
}

/// Where the data of a disk restore point is.
#[derive(Debug)]
pub(super) enum Origin {
    /// Beside the disk, complete from the start.
    Local,
    /// Beside the disk, and still in it for a while.
    Instant(Lease),
    /// On its way from another region.
    Copied(Arrival),
}

impl DiskPoint {
    pub(super) fn arrival(&self) -> Option<&Arrival> {
        if let Origin::Copied(arrival) = &self.origin { Some(arrival) } else { None }
    }

    pub(super) fn arrival_mut(&mut self) -> Option<&mut Arrival> {
        if let Origin::Copied(arrival) = &mut self.origin { Some(arrival) } else { None }
    }
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

    /// `timeCreated`: for a copy the time of its source, unless the quirk is off.
    pub(super) fn shown_time(&self, quirks: &Quirks) -> Timestamp {
        match self.copy_of {
            Some(_) if !quirks.inherited_time => self.ready,
            _ => self.time_created,
        }
    }

    /// Its disk restore points, which appear only once the operation has succeeded.
    pub(super) fn made(&self, now: Timestamp) -> &[DiskPoint] {
        if now >= self.ready && self.failure.is_none() { &self.disks } else { &[] }
    }

    /// The state of a copy as a whole: failed if one disk failed, finished only if all are.
    /// `None` for a local point.
    pub(super) fn progress(&self, now: Timestamp, tick: SignedDuration) -> Option<Progress> {
        let arrivals = self.disks.iter().filter_map(DiskPoint::arrival);
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
    Instance,
}

/// A restore point as it is shown to a call.
pub(super) fn show(
    world: &World,
    call: &Call,
    point: &Point,
    name: &PointName,
    view: View,
) -> PointBody {
    let id = id(name, &world.subscription);
    let phase = point.phase(call.now);
    let made = point.made(call.now);
    let mut refs: Vec<Option<DiskPointRef>> = Vec::new();
    refs.resize_with(point.machine.disks.len(), || None);
    for disk in made {
        refs[disk.disk] = Some(DiskPointRef {
            source_disk_restore_point: disk
                .arrival()
                .map(|arrival| Id { id: arrival.source_id.clone() }),
            encryption: disk.encryption.in_compute(&world.settings.quirks),
            id: format!("{id}/diskRestorePoints/{}", disk.name),
        });
    }
    let known = if phase == Phase::Creating { point.asked } else { Some(point.consistency) };
    let instance_view = match view {
        View::Instance => instance_view(world, call, made, &id),
        View::Plain => None,
    };
    let instant = point.instant.filter(|_| versions::knows(&call.version, instant::SINCE));
    PointBody {
        name: point.name.clone(),
        properties: PointProperties {
            source_metadata: point.machine.describe(refs, &call.version),
            provisioning_state: match phase {
                Phase::Creating => "Creating",
                Phase::Succeeded => "Succeeded",
                Phase::Failed => "Failed",
                Phase::Deleting => "Deleting",
            },
            consistency_mode: known.map(Consistency::text),
            source_restore_point: point.copy_of.clone().map(|id| Id { id }),
            instance_view,
            time_created: wire::time(point.shown_time(&world.settings.quirks)),
            instant_access_duration_minutes: instant.map(|lasting| lasting.as_mins()),
        },
        id,
    }
}

/// Only what travels or is in instant access has one: ordinary disks of a local point are missing.
fn instance_view(
    world: &World,
    call: &Call,
    disks: &[DiskPoint],
    id: &str,
) -> Option<InstanceView> {
    let (now, tick) = (call.now, world.settings.progress_tick);
    let instant_access = versions::knows(&call.version, instant::SINCE);
    let told = disks.iter().filter_map(|disk| match &disk.origin {
        Origin::Copied(arrival) => Some((disk, None, arrival.replication.progress(now, tick))),
        Origin::Instant(lease) if instant_access => {
            Some((disk, Some(lease.state(now, tick)), lease.copying.progress(now, tick)))
        }
        Origin::Instant(_) | Origin::Local => None,
    });
    let told: Vec<(&DiskPoint, Option<&'static str>, Progress)> = told.collect();
    let worst = told.iter().map(|(.., progress)| *progress).max()?;
    let disk_restore_points = told
        .into_iter()
        .map(|(disk, snapshot_access_state, progress)| DiskInstance {
            id: format!("{id}/diskRestorePoints/{}", disk.name),
            snapshot_access_state,
            replication_status: progress.replication_status(),
        })
        .collect();
    Some(InstanceView { disk_restore_points, statuses: vec![worst.status()] })
}

pub(super) fn id(name: &PointName, subscription: &str) -> String {
    format!("{}/restorePoints/{}", name.collection.id(subscription), name.name)
}

//! One restore point with its disk restore points, and its state at a given time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::consistency::Consistency;
use super::encryption::Encryption;
use super::instant_access::{AccessState, InstantAccess};
use super::machine::Machine;
use super::replication::{Progress, Replication};
use crate::azure::operation_error::OperationError;
use crate::azure::settings::Quirks;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProvisioningState {
    Creating,
    Succeeded,
    Failed,
    Deleting,
}

impl ProvisioningState {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) name: String,
    pub(crate) machine: Arc<Machine>,
    /// The consistency once it is created.
    pub(crate) consistency: Consistency,
    /// The consistency in the client's request.
    pub(crate) requested_consistency: Option<Consistency>,
    pub(crate) time_created: Timestamp,
    /// When the operation that creates it ends.
    pub(crate) ready_at: Timestamp,
    /// How that operation fails.
    pub(crate) error: Option<OperationError>,
    pub(crate) deleting: bool,
    pub(crate) disks: Vec<DiskPoint>,
    /// The id of the copied point, as the client wrote it; `None` for a local point.
    pub(crate) copied_from: Option<String>,
    /// How long its instant access lasts, if it was created with instant access.
    pub(crate) instant_access: Option<SignedDuration>,
}

/// A disk restore point.
#[derive(Debug)]
pub(crate) struct DiskPoint {
    /// The index of the disk in the machine.
    pub(crate) disk: usize,
    pub(crate) name: String,
    pub(crate) encryption: Encryption,
    pub(crate) data: DiskData,
    /// When the last signed access to it ends.
    pub(crate) access_until: Option<Timestamp>,
}

/// Where the data of a disk restore point is.
#[derive(Debug)]
pub(crate) enum DiskData {
    /// In the region of the disk, complete from the start.
    Local,
    /// In the region of the disk, and not accessible until its copy in the background has ended.
    Background(Replication),
    /// In the region of the disk, with instant access for a while.
    Instant(InstantAccess),
    /// Replicated from another region.
    Copied(DiskCopy),
}

/// The replication of a disk restore point from another region.
#[derive(Debug)]
pub(crate) struct DiskCopy {
    pub(crate) source_id: String,
    pub(crate) replication: Replication,
}

impl DiskPoint {
    /// `snapshotAccessState`, which decides what the disk restore point can be used for.
    pub(crate) fn access_state(&self, now: Timestamp, tick: SignedDuration) -> AccessState {
        let copied = |replication: &Replication| match replication.progress(now, tick) {
            Progress::Succeeded => AccessState::Available,
            Progress::Replicating(_) | Progress::Failed => AccessState::Pending,
        };
        match &self.data {
            DiskData::Local => AccessState::Available,
            DiskData::Background(background_copy) => copied(background_copy),
            DiskData::Instant(access) => access.state(now, tick),
            DiskData::Copied(copy) => copied(&copy.replication),
        }
    }

    /// Whether its data can be copied to another region and downloaded.
    pub(crate) fn is_available(&self, now: Timestamp, tick: SignedDuration) -> bool {
        self.access_state(now, tick) >= AccessState::Available
    }

    pub(crate) fn copy(&self) -> Option<&DiskCopy> {
        if let DiskData::Copied(copy) = &self.data { Some(copy) } else { None }
    }

    pub(crate) fn copy_mut(&mut self) -> Option<&mut DiskCopy> {
        if let DiskData::Copied(copy) = &mut self.data { Some(copy) } else { None }
    }
}

impl Point {
    pub(crate) fn provisioning_state(&self, now: Timestamp) -> ProvisioningState {
        match &self.error {
            _ if self.deleting => ProvisioningState::Deleting,
            _ if now < self.ready_at => ProvisioningState::Creating,
            Some(_) => ProvisioningState::Failed,
            None => ProvisioningState::Succeeded,
        }
    }

    /// `timeCreated`: for a copy the time of its source, unless the quirk is off.
    pub(crate) fn shown_time(&self, quirks: &Quirks) -> Timestamp {
        match self.copied_from {
            Some(_) if !quirks.inherited_time => self.ready_at,
            _ => self.time_created,
        }
    }

    /// The disk restore points, which appear only once the operation has succeeded.
    pub(crate) fn visible_disks(&self, now: Timestamp) -> &[DiskPoint] {
        if now >= self.ready_at && self.error.is_none() { &self.disks } else { &[] }
    }

    /// The progress of a copy as a whole: failed if one disk failed, succeeded if all have.
    /// `None` for a local point.
    pub(crate) fn progress(&self, now: Timestamp, tick: SignedDuration) -> Option<Progress> {
        let copies = self.disks.iter().filter_map(DiskPoint::copy);
        copies.map(|copy| copy.replication.progress(now, tick)).max()
    }

    /// Whether this copy keeps another one into its collection from starting.
    pub(crate) fn is_copying(&self, now: Timestamp, tick: SignedDuration) -> bool {
        match self.provisioning_state(now) {
            ProvisioningState::Creating => true,
            ProvisioningState::Failed | ProvisioningState::Deleting => false,
            ProvisioningState::Succeeded => {
                matches!(self.progress(now, tick), Some(Progress::Replicating(_)))
            }
        }
    }
}

//! A restore point in the words of the house.
//!
//! `usable` is no field: it follows from the state, so the two can never disagree.

use jiff::Timestamp;

use super::RestorePointName;
use crate::proto;

/// What only one vendor has: filled by its adapter, carried unread to the wire.
pub type Vendor = proto::restore_point::Vendor;

/// What only one vendor tells of a disk: filled by its adapter, carried unread to the wire.
pub type DiskVendor = proto::restore_point::disk::Vendor;

/// One recoverable state of one virtual machine.
#[derive(Debug, Clone, PartialEq)]
pub struct RestorePoint {
    /// The one name that it has.
    pub name: RestorePointName,
    /// Stable and unique within the backend.
    pub uid: String,
    /// The vendor's id, spelled as the vendor spells it.
    pub vendor_id: String,
    /// What the vendor shows to people.
    pub display_name: String,
    /// Where it stands.
    pub state: State,
    /// Why it stands there, for people.
    pub state_reason: String,
    /// The moment whose state it holds.
    pub point_time: Option<Timestamp>,
    /// The machine.
    pub source: Source,
    /// Region of the data; empty when the vendor has none.
    pub location: String,
    /// What its disks agree on.
    pub consistency: Consistency,
    /// For a copy, the point it was copied from, if that is in the same backend.
    pub source_restore_point: Option<RestorePointName>,
    /// For a copy, how much has arrived, 0 to 100.
    pub copy_progress_percent: Option<i32>,
    /// Its disks, if the vendor lists them.
    pub disks: Vec<Disk>,
    /// Why it failed, if it failed and as far as the vendor tells.
    pub failure: Option<Failure>,
    /// What only this vendor has.
    pub vendor: Vendor,
    /// The vendor's body, secrets removed; in view RAW only.
    pub raw: Option<Raw>,
}

/// Where a point stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Being made.
    Creating,
    /// A copy whose data is on its way.
    Copying,
    /// Every disk is there.
    Ready,
    /// A failover or failback runs from it.
    InUse,
    /// Used up by a permanent failover.
    Retired,
    /// Will never be usable.
    Failed,
    /// Being deleted.
    Deleting,
    /// The vendor's word is not known here.
    Unknown,
}

impl State {
    const NAMES: &[(Self, &str)] = &[
        (Self::Creating, "CREATING"),
        (Self::Copying, "COPYING"),
        (Self::Ready, "READY"),
        (Self::InUse, "IN_USE"),
        (Self::Retired, "RETIRED"),
        (Self::Failed, "FAILED"),
        (Self::Deleting, "DELETING"),
        (Self::Unknown, "UNKNOWN"),
    ];

    /// The state that the contract calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, own)| *own == name).map(|(state, _)| *state)
    }

    /// Whether a restore may start: the gateway never says so of a copy still under way.
    pub fn is_usable(self) -> bool {
        self == Self::Ready
    }

    /// Whether it will not change by itself, so that a watch may end.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Ready | Self::Retired | Self::Failed)
    }
}

/// What the disks of a point agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// The vendor does not say.
    Unspecified,
    /// As after a power cut.
    Crash,
    /// File systems were flushed.
    FileSystem,
    /// Applications took part.
    Application,
    /// The vendor's word is not known here.
    Unknown,
}

impl Consistency {
    const NAMES: &[(Self, &str)] = &[
        (Self::Crash, "CRASH_CONSISTENT"),
        (Self::FileSystem, "FILE_SYSTEM_CONSISTENT"),
        (Self::Application, "APPLICATION_CONSISTENT"),
        (Self::Unknown, "UNKNOWN_CONSISTENCY"),
    ];

    /// The consistency that the contract calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, own)| *own == name).map(|(consistency, _)| *consistency)
    }
}

/// The machine that a point was taken of; each field empty when the vendor does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Name of the machine.
    pub vm_name: String,
    /// The vendor's id of the machine.
    pub vm_uid: String,
    /// Region of the machine.
    pub location: String,
}

/// One disk of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Disk {
    /// Name of the disk.
    pub name: String,
    /// The vendor's id of the disk's restore point; empty while it is being made.
    pub vendor_id: String,
    /// Logical unit number; none for the operating system's disk.
    pub lun: Option<i32>,
    /// Size in GiB, 0 when unknown.
    pub size_gib: i64,
    /// Where this disk stands.
    pub state: State,
    /// For a copy, how much has arrived, 0 to 100.
    pub progress_percent: Option<i32>,
    /// For a copy, the disk restore point that it comes from.
    pub source_vendor_id: String,
    /// What only this vendor tells.
    pub vendor: Option<DiskVendor>,
}

/// What the vendor says of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The vendor's code as it came; empty when the vendor has none for it.
    pub code: String,
    /// The vendor's text, or what is known in its place.
    pub message: String,
}

/// The vendor's answer with its secrets removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Its media type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// How much of a point is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// Without the progress of single disks.
    Basic,
    /// All but the vendor's body.
    Full,
    /// All.
    Raw,
}

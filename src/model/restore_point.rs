//! A restore point, whichever vendor keeps it.
//!
//! `usable` is not a field: it follows from the state, so the two cannot disagree. Neither is `usable_for`: whatever the
//! other uses, nothing can be done with a point that is not READY.

use jiff::Timestamp;

use super::{DiskVendorProperties, RestorePointName, VendorProperties};

/// One recoverable state of one virtual machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestorePoint {
    /// Its canonical name.
    pub name: RestorePointName,
    /// Stable and unique within the backend.
    pub uid: String,
    /// The vendor's id, spelled as the vendor spells it.
    pub vendor_id: String,
    /// The name that the vendor's own tools show.
    pub display_name: String,
    /// Its state.
    pub state: State,
    /// What it can be used for besides a restore once it is READY.
    pub other_uses: OtherUses,
    /// Why it has this state, for people. It follows from the other fields.
    pub state_reason: String,
    /// The moment whose state of the virtual machine it holds.
    pub point_time: Option<Timestamp>,
    /// The virtual machine.
    pub source: Source,
    /// Region of the data; empty when the vendor has none.
    pub location: String,
    /// What its disks agree on.
    pub consistency: Consistency,
    /// For a copy, the point it was copied from, if that is in the same backend.
    pub source_restore_point: Option<RestorePointName>,
    /// For a copy, percent of the data that has arrived, 0 to 100.
    pub copy_progress_percent: Option<i32>,
    /// Its disks, if the vendor lists them.
    pub disks: Vec<Disk>,
    /// Why it failed, if it failed and as far as the vendor reports it.
    pub failure: Option<PointFailure>,
    /// What only this vendor reports.
    pub vendor: VendorProperties,
    /// The vendor's body, secrets removed; in view RAW only.
    pub raw: Option<RawBody>,
}

impl RestorePoint {
    /// Whether this use may start now.
    pub const fn is_usable_for(&self, wanted: Use) -> bool {
        self.state.is_usable()
            && match wanted {
                Use::Restore => true,
                Use::Copy => self.other_uses.copy,
                Use::Export => self.other_uses.export,
            }
    }

    /// Whether it will not change by itself, so that a watch may end.
    pub const fn is_terminal(&self) -> bool {
        self.state.is_terminal() && !(self.state.is_usable() && self.other_uses.pending)
    }

    /// The uses that may start now, in the contract's order.
    pub fn usable_for(&self) -> impl Iterator<Item = Use> {
        Use::ALL.into_iter().filter(|wanted| self.is_usable_for(*wanted))
    }
}

/// What a point can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Restoring the virtual machine or its disks.
    Restore,
    /// Copying the point to another region.
    Copy,
    /// Downloading the data of its disks.
    Export,
}

impl Use {
    /// All uses, in the contract's order.
    pub const ALL: [Self; 3] = [Self::Restore, Self::Copy, Self::Export];

    /// The contract's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restore => "RESTORE",
            Self::Copy => "COPY",
            Self::Export => "EXPORT",
        }
    }

    /// The use of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// What a READY point can be used for besides a restore; nothing by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherUses {
    /// [`Use::Copy`].
    pub copy: bool,
    /// [`Use::Export`].
    pub export: bool,
    /// More will be possible without anyone doing anything.
    pub pending: bool,
}

/// The state of a point or of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The vendor is creating it.
    Creating,
    /// A copy whose data has not all arrived.
    Copying,
    /// Every disk is there.
    Ready,
    /// A failover or failback runs from it.
    InUse,
    /// Used up by a permanent failover.
    Retired,
    /// Will never be usable.
    Failed,
    /// The vendor is deleting it.
    Deleting,
    /// The vendor's state is not known to the gateway.
    Unknown,
}

impl State {
    /// All states, in the contract's order.
    pub const ALL: [Self; 8] = [
        Self::Creating,
        Self::Copying,
        Self::Ready,
        Self::InUse,
        Self::Retired,
        Self::Failed,
        Self::Deleting,
        Self::Unknown,
    ];

    /// The contract's name, such as `IN_USE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Copying => "COPYING",
            Self::Ready => "READY",
            Self::InUse => "IN_USE",
            Self::Retired => "RETIRED",
            Self::Failed => "FAILED",
            Self::Deleting => "DELETING",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a restore may start. False of a copy whose data has not all arrived.
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Ready)
    }

    /// Whether a point in this state will not change to another by itself; see [`RestorePoint::is_terminal`].
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Ready | Self::Retired | Self::Failed)
    }
}

/// What the disks of a point agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// The vendor does not report it.
    Unspecified,
    /// As after a power failure.
    Crash,
    /// File systems were flushed.
    FileSystem,
    /// Applications took part.
    Application,
    /// The vendor's value is not known to the gateway.
    Unknown,
}

impl Consistency {
    /// What a filter can name, in the contract's order.
    pub const NAMED: [Self; 4] = [Self::Crash, Self::FileSystem, Self::Application, Self::Unknown];

    /// The contract's name, such as `CRASH_CONSISTENT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "CONSISTENCY_UNSPECIFIED",
            Self::Crash => "CRASH_CONSISTENT",
            Self::FileSystem => "FILE_SYSTEM_CONSISTENT",
            Self::Application => "APPLICATION_CONSISTENT",
            Self::Unknown => "UNKNOWN_CONSISTENCY",
        }
    }

    /// The consistency of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|consistency| consistency.name() == name)
    }
}

/// The virtual machine of a point; each field is empty when the vendor does not report it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Name of the virtual machine.
    pub vm_name: String,
    /// The vendor's id of the virtual machine.
    pub vm_uid: String,
    /// Region of the virtual machine.
    pub location: String,
}

/// One disk of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Name of the disk.
    pub name: String,
    /// The vendor's id of the disk's restore point; empty while it is being created.
    pub vendor_id: String,
    /// Logical unit number; none for the operating system's disk.
    pub lun: Option<i32>,
    /// Size in GiB, 0 when unknown.
    pub size_gib: i64,
    /// State of this disk.
    pub state: State,
    /// For a copy, percent of the data that has arrived, 0 to 100.
    pub progress_percent: Option<i32>,
    /// For a copy, the disk restore point it is copied from.
    pub source_vendor_id: String,
    /// What only this vendor reports.
    pub vendor: Option<DiskVendorProperties>,
}

/// Why a point failed, as the vendor reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointFailure {
    /// The vendor's code, unchanged; empty when the vendor has none for it.
    pub code: String,
    /// The vendor's text, or the gateway's own if the vendor sends none.
    pub message: String,
}

/// The vendor's body with its secrets removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBody {
    /// Its media type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// How much of a point a request selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// Without the progress of single disks.
    Basic,
    /// All but the vendor's body.
    Full,
    /// All.
    Raw,
}

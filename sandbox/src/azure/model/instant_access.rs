//! Instant access: disk restore points of Premium SSD v2 and Ultra Disks that can be used before their data has
//! been copied out of the disk, for a limited time.
//!
//! When each of the states begins was never recorded; they follow from their names.

use jiff::{SignedDuration, Timestamp};

use super::replication::{Progress, Replication};
use crate::azure::dto::point::Status;

/// The instant access to one disk.
#[derive(Debug, Clone)]
pub(crate) struct InstantAccess {
    pub(crate) until: Timestamp,
    /// The copy of the disk's data that makes instant access unnecessary.
    pub(crate) background_copy: Replication,
}

impl InstantAccess {
    pub(crate) fn state(&self, now: Timestamp, tick: SignedDuration) -> AccessState {
        let copied = self.background_copy.progress(now, tick) == Progress::Succeeded;
        match (now < self.until, copied) {
            (true, true) => AccessState::AvailableWithInstantAccess,
            (true, false) => AccessState::InstantAccess,
            (false, true) => AccessState::Available,
            (false, false) => AccessState::Pending,
        }
    }
}

/// `snapshotAccessState`, in the order in which it decides about a point of several disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AccessState {
    /// Neither restore, copy nor download.
    Pending,
    /// Restore, but neither copy nor download.
    InstantAccess,
    Available,
    AvailableWithInstantAccess,
}

impl AccessState {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InstantAccess => "InstantAccess",
            Self::Available => "Available",
            Self::AvailableWithInstantAccess => "AvailableWithInstantAccess",
        }
    }

    /// The aggregate in the instance view, as in the official example of 2025-04-01.
    pub(crate) fn status(self) -> Status {
        let code = match self {
            Self::Pending => "InstantAccessState/pending",
            Self::InstantAccess => "InstantAccessState/instantAccess",
            Self::Available => "InstantAccessState/available",
            Self::AvailableWithInstantAccess => "InstantAccessState/availableWithInstantAccess",
        };
        Status { code, level: "Info", display_status: self.text() }
    }
}

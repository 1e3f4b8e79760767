//! Instant access: disk restore points of Premium SSD v2 disks that can be used before their data has been
//! copied out of the disk, for a limited time.
//!
//! When each of the states begins was never recorded; they follow from their names.

use jiff::{SignedDuration, Timestamp};

use super::replication::{Progress, Replication};

/// The instant access to one disk.
#[derive(Debug, Clone)]
pub(crate) struct InstantAccess {
    pub(crate) until: Timestamp,
    /// The copy of the disk's data that makes instant access unnecessary.
    pub(crate) background_copy: Replication,
}

impl InstantAccess {
    /// `snapshotAccessState`.
    pub(crate) fn snapshot_access_state(
        &self,
        now: Timestamp,
        tick: SignedDuration,
    ) -> &'static str {
        let copied = self.background_copy.progress(now, tick) == Progress::Succeeded;
        match (now < self.until, copied) {
            (true, true) => "AvailableWithInstantAccess",
            (true, false) => "InstantAccess",
            (false, true) => "Available",
            (false, false) => "Pending",
        }
    }
}

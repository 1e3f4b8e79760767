//! How the data of one disk travels after the operation that started the copy has long succeeded.
//!
//! The state is a function of the time; what is shown lags behind it by up to one refresh.

use jiff::{SignedDuration, Timestamp};

use super::wire::{ReplicationStatus, Status};

/// Copies are cut off after two weeks.
const CUT_OFF: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The journey of one disk.
#[derive(Debug, Clone)]
pub(super) struct Replication {
    pub(super) started: Timestamp,
    pub(super) takes: SignedDuration,
    /// When a test made it fail.
    pub(super) failed: Option<Timestamp>,
}

/// What is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    Succeeded,
    Replicating(u8),
    /// Without the last percentage and without a reason: the service keeps neither.
    Failed,
}

impl Replication {
    pub(super) fn progress(&self, now: Timestamp, tick: SignedDuration) -> Progress {
        let elapsed = now.duration_since(self.started).max(SignedDuration::ZERO);
        let outlived = self.takes > CUT_OFF && elapsed >= CUT_OFF;
        if outlived || self.failed.is_some_and(|at| at <= now) {
            return Progress::Failed;
        }
        let shown = refreshed(elapsed, tick);
        if shown >= self.takes {
            return Progress::Succeeded;
        }
        let percent = 100 * shown.as_millis() / self.takes.as_millis().max(1);
        Progress::Replicating(u8::try_from(percent).unwrap_or(99).min(99))
    }
}

/// The last refresh before `elapsed`; a tick of zero shows everything at once.
fn refreshed(elapsed: SignedDuration, tick: SignedDuration) -> SignedDuration {
    if tick.is_zero() {
        return elapsed;
    }
    let rest = elapsed.as_nanos() % tick.as_nanos();
    SignedDuration::from_nanos_i128(elapsed.as_nanos() - rest)
}

impl Progress {
    pub(super) fn status(self) -> Status {
        let (code, level, display_status) = match self {
            Self::Succeeded => ("ReplicationState/succeeded", "Info", "Replication succeeded"),
            Self::Replicating(_) => ("ReplicationState/replicating", "Info", "Replicating"),
            // No text of a failure was ever published; the level is what tells it.
            Self::Failed => ("ReplicationState/failed", "Error", "Failed"),
        };
        Status { code, level, display_status }
    }

    pub(super) fn replication_status(self) -> ReplicationStatus {
        ReplicationStatus { status: self.status(), completion_percent: self.percent() }
    }

    pub(super) fn percent(self) -> Option<u8> {
        match self {
            Self::Succeeded => Some(100),
            Self::Replicating(percent) => Some(percent),
            Self::Failed => None,
        }
    }

    /// The disk provider says it in one word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Replicating(_) => "Replicating",
            Self::Failed => "Failed",
        }
    }
}

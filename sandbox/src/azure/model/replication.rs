//! The replication of one disk, which goes on long after the operation that started the copy has succeeded.
//!
//! The progress is a function of the time. The reported progress lags behind by up to one refresh.

use jiff::{SignedDuration, Timestamp};

use crate::azure::dto::point::{ReplicationStatus, Status};

/// Replications that take longer fail after two weeks.
const MAX_DURATION: SignedDuration = SignedDuration::from_hours(14 * 24);

#[derive(Debug, Clone)]
pub(crate) struct Replication {
    pub(crate) started_at: Timestamp,
    pub(crate) duration: SignedDuration,
    /// When a test made it fail.
    pub(crate) failed_at: Option<Timestamp>,
}

/// The reported progress, in the order in which it decides about a copy of several disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Progress {
    Succeeded,
    Replicating(u8),
    /// Without the last percentage and without a reason: the service reports neither.
    Failed,
}

impl Replication {
    pub(crate) fn progress(&self, now: Timestamp, tick: SignedDuration) -> Progress {
        let elapsed = now.duration_since(self.started_at).max(SignedDuration::ZERO);
        let timed_out = self.duration > MAX_DURATION && elapsed >= MAX_DURATION;
        if timed_out || self.failed_at.is_some_and(|at| at <= now) {
            return Progress::Failed;
        }
        let reported = last_refresh(elapsed, tick);
        if reported >= self.duration {
            return Progress::Succeeded;
        }
        let percent = 100 * reported.as_millis() / self.duration.as_millis().max(1);
        Progress::Replicating(u8::try_from(percent).unwrap_or(99).min(99))
    }
}

/// The time of the last refresh before `elapsed`; with a tick of zero it is `elapsed` itself.
fn last_refresh(elapsed: SignedDuration, tick: SignedDuration) -> SignedDuration {
    if tick.is_zero() {
        return elapsed;
    }
    let rest = elapsed.as_nanos() % tick.as_nanos();
    SignedDuration::from_nanos_i128(elapsed.as_nanos() - rest)
}

impl Progress {
    pub(crate) fn status(self) -> Status {
        let (code, level, display_status) = match self {
            Self::Succeeded => ("ReplicationState/succeeded", "Info", "Replication succeeded"),
            Self::Replicating(_) => ("ReplicationState/replicating", "Info", "Replicating"),
            // The vendor publishes no text for a failure; clients recognise it by the level.
            Self::Failed => ("ReplicationState/failed", "Error", "Failed"),
        };
        Status { code, level, display_status }
    }

    pub(crate) fn replication_status(self) -> ReplicationStatus {
        ReplicationStatus { status: self.status(), completion_percent: self.percent() }
    }

    pub(crate) fn percent(self) -> Option<u8> {
        match self {
            Self::Succeeded => Some(100),
            Self::Replicating(percent) => Some(percent),
            Self::Failed => None,
        }
    }

    /// `replicationState` of the disk provider.
    pub(crate) fn replication_state(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Replicating(_) => "Replicating",
            Self::Failed => "Failed",
        }
    }
}

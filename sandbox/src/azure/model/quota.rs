//! The three documented quotas of creations: three an hour each, independent of the buckets.
//!
//! The first two count per machine, in all its collections; copies count per target collection.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::azure::error_response::{ErrorResponse, Window};

const MAX_CREATIONS: u32 = 3;
const PERIOD: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quota {
    /// Charged when no consistency is requested, even if the point turns out crash consistent.
    ApplicationConsistent,
    CrashConsistent,
    Copy,
}

impl Quota {
    pub(crate) fn policy(self) -> &'static str {
        match self {
            Self::ApplicationConsistent => "CreateApplicationConsistentRestorePoint",
            Self::CrashConsistent => "CreateCrashConsistentRestorePoint",
            Self::Copy => "CopyRestorePoint",
        }
    }
}

/// The creations of the last hour, by quota and by the key of the machine or target collection.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    creations: BTreeMap<(Quota, String), Vec<Timestamp>>,
}

impl Quotas {
    /// Rejects a creation that exceeds the quota.
    pub(crate) fn check(
        &self,
        quota: Quota,
        key: &str,
        now: Timestamp,
    ) -> Result<(), ErrorResponse> {
        if self.remaining(quota, key, now) > 0 {
            return Ok(());
        }
        let oldest = self.recent(quota, key, now).min().unwrap_or(now);
        let free = oldest + PERIOD;
        let window = Window {
            operation_group: quota.policy(),
            start_time: oldest,
            end_time: free,
            allowed_request_count: MAX_CREATIONS,
            measured_request_count: MAX_CREATIONS + 1,
        };
        Err(ErrorResponse::throttled(free.duration_since(now).as_secs() + 1, window))
    }

    /// Counts an accepted creation.
    pub(crate) fn charge(&mut self, quota: Quota, key: &str, now: Timestamp) {
        let creations = self.creations.entry((quota, key.to_owned())).or_default();
        creations.retain(|at| *at + PERIOD > now);
        creations.push(now);
    }

    pub(crate) fn remaining(&self, quota: Quota, key: &str, now: Timestamp) -> u32 {
        let count = u32::try_from(self.recent(quota, key, now).count()).unwrap_or(u32::MAX);
        MAX_CREATIONS.saturating_sub(count)
    }

    fn recent(&self, quota: Quota, key: &str, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let creations = self.creations.get(&(quota, key.to_owned())).into_iter().flatten();
        creations.copied().filter(move |at| *at + PERIOD > now)
    }
}

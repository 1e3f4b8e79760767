//! The three documented quotas of creations: three an hour each, whatever the buckets hold.
//!
//! The first two count per machine, in all its collections; copies count per target collection.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::refusal::{Refusal, Window};
use super::super::server::Call;
use super::super::world::World;

const EACH: u32 = 3;
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Quota {
    /// Charged for whatever was not asked to be crash consistent, even if it turns out to be.
    ApplicationConsistent,
    CrashConsistent,
    Copy,
}

impl Quota {
    pub(super) fn policy(self) -> &'static str {
        match self {
            Self::ApplicationConsistent => "CreateApplicationConsistentRestorePoint",
            Self::CrashConsistent => "CreateCrashConsistentRestorePoint",
            Self::Copy => "CopyRestorePoint",
        }
    }

    /// Whether one more creation fits.
    pub(in super::super) fn check(
        self,
        world: &World,
        call: &Call,
        key: &str,
    ) -> Result<(), Refusal> {
        let quotas = &world.spent.quotas;
        if quotas.left(self, key, call.now) > 0 {
            return Ok(());
        }
        let oldest = quotas.recent(self, key, call.now).min().unwrap_or(call.now);
        let free = oldest + WINDOW;
        let window = Window {
            operation_group: self.policy(),
            start_time: oldest,
            end_time: free,
            allowed_request_count: EACH,
            measured_request_count: EACH + 1,
        };
        Err(Refusal::throttled(free.duration_since(call.now).as_secs() + 1, window))
    }

    /// Counts a creation that was accepted.
    pub(in super::super) fn charge(self, world: &mut World, call: &Call, key: &str) {
        let taken = world.spent.quotas.taken.entry((self, key.to_owned())).or_default();
        taken.retain(|at| *at + WINDOW > call.now);
        taken.push(call.now);
    }
}

#[derive(Debug, Default)]
pub(super) struct Quotas {
    taken: BTreeMap<(Quota, String), Vec<Timestamp>>,
}

impl Quotas {
    pub(super) fn left(&self, quota: Quota, key: &str, now: Timestamp) -> u32 {
        let count = u32::try_from(self.recent(quota, key, now).count()).unwrap_or(u32::MAX);
        EACH.saturating_sub(count)
    }

    fn recent(&self, quota: Quota, key: &str, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let taken = self.taken.get(&(quota, key.to_owned())).into_iter().flatten();
        taken.copied().filter(move |at| *at + WINDOW > now)
    }
}

//! Token buckets. Each is one moment: the one at which it will be full again.
//!
//! What they are for stands in `gateway` and `provider`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Full buckets are forgotten once there are more than so many.
const KEPT: usize = 1024;

/// A limit: so many requests at once, and all of them again after the period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub(super) name: &'static str,
    pub(super) capacity: u32,
    pub(super) period: SignedDuration,
}

impl Policy {
    pub(super) const fn per_minute(name: &'static str, capacity: u32) -> Self {
        Self { name, capacity, period: SignedDuration::from_secs(60) }
    }

    /// Made larger or smaller; never to nothing.
    pub(super) fn scaled(self, percent: u32) -> Self {
        let capacity = (u64::from(self.capacity) * u64::from(percent) / 100).max(1);
        Self { capacity: u32::try_from(capacity).unwrap_or(u32::MAX), ..self }
    }

    /// How long it takes until one more request fits.
    fn cost(&self) -> SignedDuration {
        SignedDuration::from_nanos_i128(self.period.as_nanos() / i128::from(self.capacity.max(1)))
    }
}

#[derive(Debug, Default)]
pub(super) struct Buckets {
    full_at: BTreeMap<(&'static str, String), Timestamp>,
}

impl Buckets {
    /// Takes one from each, or from none: then the first that is empty, and how long until it is not.
    pub(super) fn take(
        &mut self,
        wanted: &[(Policy, String)],
        now: Timestamp,
    ) -> Result<(), (Policy, SignedDuration)> {
        for (policy, key) in wanted {
            let wait = self.debt(policy, key, now) + policy.cost() - policy.period;
            if wait.is_positive() {
                return Err((*policy, wait));
            }
        }
        if self.full_at.len() > KEPT {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        for (policy, key) in wanted {
            let full_at = now + self.debt(policy, key, now) + policy.cost();
            self.full_at.insert((policy.name, key.clone()), full_at);
        }
        Ok(())
    }

    pub(super) fn left(&self, policy: &Policy, key: &str, now: Timestamp) -> u32 {
        let room = policy.period - self.debt(policy, key, now);
        let left = room.as_nanos() / policy.cost().as_nanos().max(1);
        u32::try_from(left.max(0)).unwrap_or(u32::MAX).min(policy.capacity)
    }

    /// How long until it is full.
    fn debt(&self, policy: &Policy, key: &str, now: Timestamp) -> SignedDuration {
        let full_at = self.full_at.get(&(policy.name, key.to_owned()));
        full_at.map_or(SignedDuration::ZERO, |at| at.duration_since(now).max(SignedDuration::ZERO))
    }
}

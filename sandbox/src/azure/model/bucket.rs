//! Token buckets. The state of each is one time: when it will be full again.
//!
//! The policies of the gateway and of the providers are in `throttling`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Full buckets are dropped once there are more than this.
const MAX_BUCKETS: usize = 1024;

/// A limit: `capacity` requests at once, refilled evenly over `period`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    pub(crate) capacity: u32,
    pub(crate) period: SignedDuration,
}

impl Policy {
    pub(crate) const fn per_minute(name: &'static str, capacity: u32) -> Self {
        Self { name, capacity, period: SignedDuration::from_secs(60) }
    }

    /// The same policy with `percent` of the capacity, at least 1.
    pub(crate) fn scaled(self, percent: u32) -> Self {
        let capacity = (u64::from(self.capacity) * u64::from(percent) / 100).max(1);
        Self { capacity: u32::try_from(capacity).unwrap_or(u32::MAX), ..self }
    }

    /// The time that one request takes to refill.
    fn refill_time(&self) -> SignedDuration {
        SignedDuration::from_nanos_i128(self.period.as_nanos() / i128::from(self.capacity.max(1)))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Buckets {
    full_at: BTreeMap<(&'static str, String), Timestamp>,
}

impl Buckets {
    /// Takes one request from each bucket, or none from any.
    ///
    /// # Errors
    /// The first empty bucket, and the time until it admits a request.
    pub(crate) fn take(
        &mut self,
        wanted: &[(Policy, String)],
        now: Timestamp,
    ) -> Result<(), (Policy, SignedDuration)> {
        for (policy, key) in wanted {
            let wait = self.time_to_full(policy, key, now) + policy.refill_time() - policy.period;
            if wait.is_positive() {
                return Err((*policy, wait));
            }
        }
        if self.full_at.len() > MAX_BUCKETS {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        for (policy, key) in wanted {
            let full_at = now + self.time_to_full(policy, key, now) + policy.refill_time();
            self.full_at.insert((policy.name, key.clone()), full_at);
        }
        Ok(())
    }

    /// How many requests a bucket admits now.
    pub(crate) fn remaining(&self, policy: &Policy, key: &str, now: Timestamp) -> u32 {
        let refilled = policy.period - self.time_to_full(policy, key, now);
        let remaining = refilled.as_nanos() / policy.refill_time().as_nanos().max(1);
        u32::try_from(remaining.max(0)).unwrap_or(u32::MAX).min(policy.capacity)
    }

    fn time_to_full(&self, policy: &Policy, key: &str, now: Timestamp) -> SignedDuration {
        let full_at = self.full_at.get(&(policy.name, key.to_owned()));
        full_at.map_or(SignedDuration::ZERO, |at| at.duration_since(now).max(SignedDuration::ZERO))
    }
}

/// `Retry-After` for a wait: rounded up, so that a client that waits that long is admitted.
pub(crate) fn retry_after_seconds(wait: SignedDuration) -> i64 {
    wait.as_secs() + i64::from(wait.subsec_nanos() > 0)
}

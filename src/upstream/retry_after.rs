//! What a backend remembers of a vendor's Retry-After (RFC 9110 §10.2.3): until it has passed, requests of the same class
//! fail at once, so that callers do not each find out for themselves.
//!
//! Which responses it applies to, and which are about one resource only, is the backends' to decide.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::intent::Effect;
use crate::model::Error;

/// The Retry-After of each class of requests. Vendors limit reads and writes separately.
#[derive(Debug, Default)]
pub(super) struct RetryAfter {
    reads: Mutex<Option<Hold>>,
    writes: Mutex<Option<Hold>>,
}

#[derive(Debug)]
struct Hold {
    until: Instant,
    /// The vendor's, with the Retry-After that it sent.
    error: Error,
}

impl RetryAfter {
    /// Passes unless a Retry-After for requests like this one has not passed yet.
    ///
    /// # Errors
    /// The vendor's error, with the time that is left.
    pub(super) fn check(&self, effect: Effect) -> Result<(), Error> {
        let mut hold = self.of(effect);
        let Some(held) = &*hold else { return Ok(()) };
        let left = held.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            *hold = None;
            return Ok(());
        }
        // In whole seconds, as vendors send it.
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Err(held.error.clone().with_retry_after(Duration::from_secs(seconds)))
    }

    /// Holds requests like this one for as long as `error` says.
    pub(super) fn hold(&self, effect: Effect, error: &Error) {
        let Some(retry_after) = error.retry_after() else { return };
        let until = Instant::now() + retry_after;
        let mut hold = self.of(effect);
        if hold.as_ref().is_none_or(|held| held.until < until) {
            *hold = Some(Hold { until, error: error.clone() });
        }
    }

    fn of(&self, effect: Effect) -> MutexGuard<'_, Option<Hold>> {
        let class = match effect {
            Effect::Read => &self.reads,
            Effect::IdempotentWrite | Effect::Write => &self.writes,
        };
        class.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::time::advance;

    use super::*;

    fn throttled(seconds: u64) -> Error {
        let (retry_after, detail) = (Duration::from_secs(seconds), "HTTP 429".to_owned());
        Error::Throttled { backend: "b".to_owned(), retry_after, detail }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_the_same_class_wait_for_the_longest_retry_after() {
        let retry_after = RetryAfter::default();
        retry_after.hold(Effect::Read, &throttled(30));
        retry_after.hold(Effect::Read, &throttled(5));
        advance(Duration::from_secs(10)).await;
        assert_eq!(retry_after.check(Effect::Read), Err(throttled(20)));
        assert_eq!(retry_after.check(Effect::IdempotentWrite), Ok(()));
        advance(Duration::from_secs(20)).await;
        assert_eq!(retry_after.check(Effect::Read), Ok(()));
    }
}

//! The circuit breaker of one backend. Closed, requests pass. After many consecutive requests without a response it
//! opens: requests fail at once, which spares callers the wait and the vendor the load. After a growing pause it is
//! half-open: one request probes the vendor, and its response closes the breaker.
//!
//! Any response closes it; what the response says is not looked at here. When callers give up before the response, one
//! of their requests goes on as a witness (see [`super::exchange`]), so that short deadlines neither hide that the vendor
//! is silent nor make a slow vendor look so.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Consecutive requests without a response that open the breaker.
const FAILURE_THRESHOLD: u32 = 10;
/// The first and the longest pause before a probe. Jitter adds up to a quarter, so that replicas do not probe at once.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// When to retry while a probe is in flight.
const RETRY_DURING_PROBE: Duration = Duration::from_secs(1);

/// A circuit breaker; closed at first.
#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    failures: Mutex<Option<Failures>>,
    witness: Mutex<Weak<Witness>>,
    /// Requests that were given up since the last response, without the witness.
    given_up: AtomicU32,
}

/// Held by the request that goes on after its caller has given up; there is one at a time.
#[derive(Debug)]
pub(super) struct Witness;

/// The requests without a response since the last response.
#[derive(Debug)]
struct Failures {
    /// When the first of them failed, on both clocks.
    first: Instant,
    since: Timestamp,
    count: u32,
    last_error: String,
    /// None while the breaker is closed.
    open: Option<Open>,
}

/// An open breaker; half-open from `until` on.
#[derive(Debug)]
struct Open {
    pause: Duration,
    until: Instant,
    /// Alive as long as the probing request: when its caller gives up, the next request probes.
    probe: Weak<Probe>,
}

#[derive(Debug)]
struct Probe;

/// A request is refused because the breaker is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitOpen {
    /// When the first request without a response failed.
    pub since: Timestamp,
    /// When to retry.
    pub retry_after: Duration,
    /// Why the last of these requests failed.
    pub last_error: String,
}

/// Permission for one request. Dropping it records nothing.
#[derive(Debug)]
pub(super) struct Permit {
    breaker: Arc<CircuitBreaker>,
    started: Instant,
    probe: Option<Arc<Probe>>,
}

impl CircuitBreaker {
    /// Passes if a request made now would be sent, without reserving the probe.
    ///
    /// # Errors
    /// While the breaker is open, and while a probe is in flight.
    pub(super) fn check(&self) -> Result<(), CircuitOpen> {
        self.failures().as_ref().map_or(Ok(()), |failures| failures.check(Instant::now()))
    }

    /// Permission for one request; in the half-open state it is the probe.
    ///
    /// # Errors
    /// As [`CircuitBreaker::check`].
    pub(super) fn acquire(self: &Arc<Self>) -> Result<Permit, CircuitOpen> {
        let started = Instant::now();
        let mut probe = None;
        if let Some(failures) = &mut *self.failures() {
            failures.check(started)?;
            probe = failures.open.as_mut().map(Open::start_probe);
        }
        Ok(Permit { breaker: Arc::clone(self), started, probe })
    }

    fn failures(&self) -> MutexGuard<'_, Option<Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// A response came: the breaker closes.
    pub(super) fn success(self) {
        self.breaker.given_up.store(0, Ordering::Relaxed);
        *self.breaker.failures() = None;
    }

    /// The caller gives up before the response. Some if the request is to go on as the witness.
    pub(super) fn give_up(&self) -> Option<Arc<Witness>> {
        let mut current = self.breaker.witness.lock().unwrap_or_else(PoisonError::into_inner);
        if current.strong_count() > 0 {
            self.breaker.given_up.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let witness = Arc::new(Witness);
        *current = Arc::downgrade(&witness);
        Some(witness)
    }

    /// No response came; `error` is shown to callers.
    pub(super) fn failure(self, error: String) {
        self.fail(error, 1, |permit, failures| permit.started > failures.first);
    }

    /// No response came to the witness for so long that the requests given up meanwhile count as well.
    pub(super) fn silence(self, error: String) {
        let given_up = self.breaker.given_up.swap(0, Ordering::Relaxed);
        self.fail(error, given_up.saturating_add(1), |_, _| true);
    }

    /// `shows_outage`: a broken connection fails all its requests at once. Only a request made after the first failure
    /// shows that the vendor is down, and silence to several.
    fn fail(self, error: String, count: u32, shows_outage: fn(&Self, &Failures) -> bool) {
        let mut failures = self.breaker.failures();
        let failures = failures.get_or_insert_with(|| Failures::starting_at(Instant::now()));
        failures.count = failures.count.saturating_add(count);
        failures.last_error = error;
        let pause = match (&failures.open, &self.probe) {
            (None, _) if failures.count >= FAILURE_THRESHOLD && shows_outage(&self, failures) => {
                MIN_PAUSE
            }
            (Some(open), Some(probe)) if open.is_probed_by(probe) => {
                (open.pause * 2).min(MAX_PAUSE)
            }
            _ => return,
        };
        failures.open = Some(Open::new(pause, fastrand::f64()));
    }
}

impl Failures {
    fn starting_at(first: Instant) -> Self {
        let now = Timestamp::now();
        // Whole seconds are precise enough for a message.
        let since = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { first, since, count: 0, last_error: String::new(), open: None }
    }

    fn check(&self, now: Instant) -> Result<(), CircuitOpen> {
        let Some(open) = &self.open else { return Ok(()) };
        let left = open.until.saturating_duration_since(now);
        let retry_after = match open.probe.strong_count() {
            0 if left.is_zero() => return Ok(()),
            0 => left,
            _ => RETRY_DURING_PROBE,
        };
        Err(CircuitOpen { since: self.since, retry_after, last_error: self.last_error.clone() })
    }
}

impl Open {
    /// `jitter` is 0.0 to 1.0.
    fn new(pause: Duration, jitter: f64) -> Self {
        let until = Instant::now() + pause.mul_f64(1.0 + jitter / 4.0);
        Self { pause, until, probe: Weak::new() }
    }

    fn start_probe(&mut self) -> Arc<Probe> {
        let probe = Arc::new(Probe);
        self.probe = Arc::downgrade(&probe);
        probe
    }

    fn is_probed_by(&self, probe: &Arc<Probe>) -> bool {
        std::ptr::eq(self.probe.as_ptr(), Arc::as_ptr(probe))
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;

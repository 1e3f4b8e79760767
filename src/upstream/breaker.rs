//! What spares callers of a vendor that does not answer the wait, and the vendor the storm when it is back: calls
//! are refused here for a while, then one goes through to try, and if it is answered, all do.
//!
//! Any answer will do. What it says, be it a refusal, is not looked at here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// So many calls in a row without an answer are no accident.
const FAILURES: u32 = 10;
/// How long calls are refused at first, and at most; up to a quarter longer, so that replicas do not try at once.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// What is left of a rest in which somebody tries already.
const TRIAL: Duration = Duration::from_secs(1);

/// Whether a vendor is asked at all.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    silence: Mutex<Option<Silence>>,
}

/// What has happened since the last answer.
#[derive(Debug)]
struct Silence {
    /// When the first call failed.
    began: Instant,
    since: Timestamp,
    failures: u32,
    last: String,
    /// None as long as calls go through.
    rest: Option<Rest>,
}

#[derive(Debug)]
struct Rest {
    length: Duration,
    end: Instant,
    /// Lives as long as the call that tries: one that is given up makes room for the next.
    trial: Weak<Trial>,
}

#[derive(Debug)]
struct Trial;

/// A call that is refused, because the vendor has left others unanswered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// When the first of them failed.
    pub since: Timestamp,
    /// When another call is worth a try.
    pub again: Duration,
    /// Why the last of them failed.
    pub last: String,
}

/// The right to one call. Dropped when nobody waits for its answer any more, which tells nothing.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    began: Instant,
    trial: Option<Arc<Trial>>,
}

impl Breaker {
    /// Looks whether a call made now would be refused, without making one.
    ///
    /// # Errors
    /// When it would be.
    pub(super) fn look(&self) -> Result<(), Outage> {
        self.silence().as_ref().map_or(Ok(()), |silence| silence.look(Instant::now()))
    }

    /// The right to make a call.
    ///
    /// # Errors
    /// During a rest, and after it while another call tries.
    pub(super) fn pass(&self) -> Result<Pass<'_>, Outage> {
        let began = Instant::now();
        let mut trial = None;
        if let Some(silence) = &mut *self.silence() {
            silence.look(began)?;
            trial = silence.rest.as_mut().map(Rest::begin_trial);
        }
        Ok(Pass { breaker: self, began, trial })
    }

    fn silence(&self) -> MutexGuard<'_, Option<Silence>> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The vendor has answered, whatever.
    pub(super) fn answered(self) {
        *self.breaker.silence() = None;
    }

    /// No answer came; `why` is told to callers.
    pub(super) fn unanswered(self, why: String) {
        let mut silence = self.breaker.silence();
        let silence = silence.get_or_insert_with(|| Silence::new(Instant::now()));
        silence.failures = silence.failures.saturating_add(1);
        silence.last = why;
        let length = match (&silence.rest, &self.trial) {
            // A connection that breaks takes all its calls with it: only one that was made after the first
            // has failed tells that the vendor is away.
            (None, _) if silence.failures >= FAILURES && self.began > silence.began => FIRST_REST,
            (Some(rest), Some(trial)) if rest.is_tried_by(trial) => {
                (rest.length * 2).min(LONGEST_REST)
            }
            _ => return,
        };
        silence.rest = Some(Rest::new(length, fastrand::f64()));
    }
}

impl Silence {
    fn new(began: Instant) -> Self {
        let now = Timestamp::now();
        // To the second: it is for people.
        let since = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { began, since, failures: 0, last: String::new(), rest: None }
    }

    fn look(&self, now: Instant) -> Result<(), Outage> {
        let Some(rest) = &self.rest else { return Ok(()) };
        let left = rest.end.saturating_duration_since(now);
        let again = match rest.trial.strong_count() {
            0 if left.is_zero() => return Ok(()),
            0 => left,
            _ => TRIAL,
        };
        Err(Outage { since: self.since, again, last: self.last.clone() })
    }
}

impl Rest {
    /// `spread` is up to 1.0.
    fn new(length: Duration, spread: f64) -> Self {
        let end = Instant::now() + length.mul_f64(1.0 + spread / 4.0);
        Self { length, end, trial: Weak::new() }
    }

    fn begin_trial(&mut self) -> Arc<Trial> {
        let trial = Arc::new(Trial);
        self.trial = Arc::downgrade(&trial);
        trial
    }

    fn is_tried_by(&self, trial: &Arc<Trial>) -> bool {
        std::ptr::eq(self.trial.as_ptr(), Arc::as_ptr(trial))
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;

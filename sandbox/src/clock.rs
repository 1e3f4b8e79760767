//! The time of the simulated vendors: real, accelerated, or moved manually.
//!
//! Simulators never sleep: each resource stores when it started, and its state is computed from `now`, so
//! that a test can skip a copy of several days.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::lock::lock;

const CENTURY: SignedDuration = SignedDuration::from_hours(100 * 365 * 24);

/// A shared clock; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock {
    base: Arc<Base>,
    skew: Arc<Mutex<SignedDuration>>,
}

#[derive(Debug)]
struct Base {
    start: Timestamp,
    /// When it started and how many times faster than real time it runs; `None` for a manual clock.
    running: Option<(Instant, f64)>,
    advanced: Mutex<SignedDuration>,
}

impl Clock {
    /// A clock that starts at the present and runs `speed` times as fast as real time (1.0 is real time).
    pub fn running(speed: f64) -> Self {
        Self::new(Timestamp::now(), Some((Instant::now(), speed)))
    }

    /// A clock that stands still at `start` and is moved only by [`Clock::advance`].
    pub fn manual(start: Timestamp) -> Self {
        Self::new(start, None)
    }

    fn new(start: Timestamp, running: Option<(Instant, f64)>) -> Self {
        let base = Base { start, running, advanced: Mutex::default() };
        Self { base: Arc::new(base), skew: Arc::default() }
    }

    /// A clock that advances with this one and has a skew of its own.
    pub(crate) fn with_own_skew(&self) -> Self {
        Self { base: Arc::clone(&self.base), skew: Arc::new(Mutex::new(self.skew())) }
    }

    /// The simulated time. It stops a century away from its start, so that calculations with it stay inside
    /// the calendar.
    pub fn now(&self) -> Timestamp {
        let Base { start, running, advanced } = &*self.base;
        let elapsed = running.map_or(SignedDuration::ZERO, |(since, speed)| {
            let seconds = since.elapsed().as_secs_f64() * speed;
            SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
        });
        let offset = elapsed.saturating_add(*lock(advanced)).saturating_add(self.skew());
        start.checked_add(offset.clamp(-CENTURY, CENTURY)).unwrap_or(*start)
    }

    /// Moves this clock, and every other that shares its time.
    pub fn advance(&self, by: SignedDuration) {
        let mut advanced = lock(&self.base.advanced);
        *advanced = advanced.saturating_add(by);
    }

    /// How far it is ahead of the clocks that share its time; negative if it is behind.
    pub fn skew(&self) -> SignedDuration {
        *lock(&self.skew)
    }

    /// Sets how far it is ahead of the clocks that share its time.
    pub(crate) fn set_skew(&self, skew: SignedDuration) {
        *lock(&self.skew) = skew;
    }
}

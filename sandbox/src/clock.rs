//! The time that the simulated vendors live in: the real one, a faster one, or one moved by hand.
//!
//! A simulator's life cycles never sleep: each notes when a thing began and computes its state from `now`,
//! so that a test can step over a copy of days in no time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

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
    /// When it began to run and how many times as fast as real time; a clock moved by hand has none.
    running: Option<(Instant, f64)>,
    moved: Mutex<SignedDuration>,
}

impl Clock {
    /// A clock that starts at the present and runs `speed` times as fast as real time (1.0 is real).
    pub fn running(speed: f64) -> Self {
        Self::new(Timestamp::now(), Some((Instant::now(), speed)))
    }

    /// A clock that stands at `start` and moves only by [`Clock::advance`].
    pub fn by_hand(start: Timestamp) -> Self {
        Self::new(start, None)
    }

    fn new(start: Timestamp, running: Option<(Instant, f64)>) -> Self {
        let base = Base { start, running, moved: Mutex::default() };
        Self { base: Arc::new(base), skew: Arc::default() }
    }

    /// The same time in another place: it moves with this one, and is skewed apart from it.
    pub(super) fn elsewhere(&self) -> Self {
        Self { base: Arc::clone(&self.base), skew: Arc::new(Mutex::new(self.skew())) }
    }

    /// The simulated time. It stops a century away from where it started, so that whoever counts on from
    /// it stays inside the calendar.
    pub fn now(&self) -> Timestamp {
        let Base { start, running, moved } = &*self.base;
        let ran = running.map_or(SignedDuration::ZERO, |(since, speed)| {
            let seconds = since.elapsed().as_secs_f64() * speed;
            SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
        });
        let passed = ran.saturating_add(read(moved)).saturating_add(self.skew());
        start.checked_add(passed.clamp(-CENTURY, CENTURY)).unwrap_or(*start)
    }

    /// Moves this clock, and every other that shares its time.
    pub fn advance(&self, by: SignedDuration) {
        let mut moved = self.base.moved.lock().unwrap_or_else(PoisonError::into_inner);
        *moved = moved.saturating_add(by);
    }

    /// How far it is ahead of those that share its time; negative when it is behind.
    pub fn skew(&self) -> SignedDuration {
        read(&self.skew)
    }

    /// Sets how far it is ahead of those that share its time.
    pub(super) fn set_skew(&self, skew: SignedDuration) {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = skew;
    }
}

fn read(duration: &Mutex<SignedDuration>) -> SignedDuration {
    *duration.lock().unwrap_or_else(PoisonError::into_inner)
}

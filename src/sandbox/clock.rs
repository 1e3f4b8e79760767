//! The time that the simulated vendors live in: the real one, a faster one, or one moved by hand.
//!
//! A simulator never sleeps: it notes when a thing began and computes its state from `now`, so that a
//! test can step over a copy of days in no time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// A shared clock; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock {
    pace: Arc<Pace>,
}

#[derive(Debug)]
enum Pace {
    Running { origin: Timestamp, started: Instant, speed: f64 },
    ByHand(Mutex<Timestamp>),
}

impl Clock {
    /// A clock that starts at the present and runs `speed` times as fast as real time (1.0 is real).
    pub fn running(speed: f64) -> Self {
        let pace = Pace::Running { origin: Timestamp::now(), started: Instant::now(), speed };
        Self { pace: Arc::new(pace) }
    }

    /// A clock that stands at `start` and moves only by [`Clock::advance`].
    pub fn by_hand(start: Timestamp) -> Self {
        Self { pace: Arc::new(Pace::ByHand(Mutex::new(start))) }
    }

    /// The simulated time.
    pub fn now(&self) -> Timestamp {
        match &*self.pace {
            Pace::Running { origin, started, speed } => {
                let elapsed = started.elapsed().as_secs_f64() * speed;
                *origin + SignedDuration::from_secs_f64(elapsed)
            }
            Pace::ByHand(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a clock by hand; a running one is left alone, since its time is not ours to move.
    pub fn advance(&self, by: SignedDuration) {
        if let Pace::ByHand(now) = &*self.pace {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            *now += by;
        }
    }
}

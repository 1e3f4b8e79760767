//! How long things took: counted by bounds, in plain atomics.
//!
//! Whoever times something takes no lock and knows nothing of who reads it, nor in what form it is shown.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// In seconds, the same for all that is timed: from what happens within the machine to the longest that a
/// vendor may be silent. What took longer than the last is counted beyond it.
pub const BOUNDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Counts of durations that only grow.
#[derive(Debug, Default)]
pub struct Timing {
    counts: [AtomicU64; BOUNDS.len() + 1],
    /// All durations together: it takes five centuries to overflow.
    nanoseconds: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    /// How many took at most as long as the bound of the same index and longer than the one before; the
    /// last counts those beyond all bounds.
    pub counts: [u64; BOUNDS.len() + 1],
    /// All of them together.
    pub total: Duration,
}

impl Timing {
    /// Counts one more.
    pub fn note(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let place = BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What has been counted so far.
    pub fn so_far(&self) -> Timed {
        Timed {
            counts: array::from_fn(|place| self.counts[place].load(Ordering::Relaxed)),
            total: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_counted_with_what_is_below_it() {
        let timing = Timing::default();
        let milliseconds = [0, 1, 2, 100, 101, 60_000, 60_001];
        for taken in milliseconds {
            timing.note(Duration::from_millis(taken));
        }
        let Timed { counts, total } = timing.so_far();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(total, Duration::from_millis(milliseconds.iter().sum()));
    }
}

//! A histogram of durations in plain atomics: observing one takes no lock and allocates nothing.
//!
//! How a histogram is exposed is not known here; `server/metrics` does that.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets in seconds, inclusive, the same for every histogram: from the gateway's own work to
/// the longest wait for a backend. A last bucket without a bound follows them.
pub const BUCKET_BOUNDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Counts of durations by bucket. They only grow.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; BUCKET_BOUNDS.len() + 1],
    /// The sum of all durations. It overflows after five centuries.
    nanoseconds: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramSnapshot {
    /// The count of each bucket, not cumulative: durations up to the bound of the same index and above the bound
    /// before it. The last bucket counts the durations above all bounds.
    pub counts: [u64; BUCKET_BOUNDS.len() + 1],
    /// The sum of all durations.
    pub sum: Duration,
}

impl Histogram {
    /// Counts one duration.
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BUCKET_BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// The counts so far.
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            counts: array::from_fn(|bucket| self.counts[bucket].load(Ordering::Relaxed)),
            sum: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let histogram = Histogram::default();
        let milliseconds = [0, 1, 2, 100, 101, 60_000, 60_001];
        for duration in milliseconds {
            histogram.observe(Duration::from_millis(duration));
        }
        let HistogramSnapshot { counts, sum } = histogram.snapshot();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(sum, Duration::from_millis(milliseconds.iter().sum()));
    }
}

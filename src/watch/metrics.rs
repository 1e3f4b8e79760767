//! Metrics of all watchers: events by type, and the latency of changes.
//!
//! Updated once an event of each stream, thousands at a time, so it takes no lock and allocates nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::event::EventType;
use crate::histogram::{Histogram, HistogramSnapshot};

/// The metrics of all watchers together.
#[derive(Debug, Default)]
pub struct WatchMetrics {
    /// In the order of [`EventType::ALL`].
    events: [AtomicU64; EventType::ALL.len()],
    delivery: Histogram,
}

impl WatchMetrics {
    /// Counts an event that is handed to a stream; `observe_time` is when the backend was read.
    pub(super) fn count(&self, event: EventType, observe_time: Option<Timestamp>) {
        self.events[event as usize].fetch_add(1, Ordering::Relaxed);
        // The others report what was known before, or nothing about the backend.
        if let (EventType::Changed | EventType::Deleted, Some(observed)) = (event, observe_time) {
            self.delivery.observe(elapsed_since(observed));
        }
    }

    /// Events by type.
    pub fn events(&self) -> [(EventType, u64); EventType::ALL.len()] {
        EventType::ALL.map(|event| (event, self.events[event as usize].load(Ordering::Relaxed)))
    }

    /// From reading the backend to the stream, of each CHANGED and DELETED.
    pub fn delivery(&self) -> HistogramSnapshot {
        self.delivery.snapshot()
    }
}

/// Zero if the clock was set back meanwhile.
fn elapsed_since(time: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(time)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn every_type_has_its_own_count() {
        let metrics = WatchMetrics::default();
        for (index, event) in EventType::ALL.into_iter().enumerate() {
            (0..=index).for_each(|_| metrics.count(event, None));
        }
        let counts = metrics.events().map(|(event, count)| (event as u64 + 1, count));
        assert!(counts.iter().all(|(expected, count)| expected == count), "{counts:?}");
    }

    #[test]
    fn only_changes_are_timed_and_never_below_zero() {
        let metrics = WatchMetrics::default();
        let now = Timestamp::now();
        let an_hour_ago = now - SignedDuration::from_hours(1);
        for event in EventType::ALL {
            metrics.count(event, Some(an_hour_ago));
        }
        metrics.count(EventType::Changed, None);
        metrics.count(EventType::Deleted, Some(now + SignedDuration::from_hours(1)));
        let HistogramSnapshot { counts, .. } = metrics.delivery();
        assert_eq!(counts.iter().sum::<u64>(), 3);
        assert_eq!((counts.first(), counts.last()), (Some(&1), Some(&2)));
    }
}

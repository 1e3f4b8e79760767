//! What watchers were told, counted: events by their kind, and how long changes were on their way.
//!
//! It is fed once an event of each stream, thousands at once, so it takes no lock and allocates nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::histogram::{Histogram, HistogramSnapshot};
use crate::proto::watch_status_response::Event;

/// What there is to tell, in the contract's order.
const EVENTS: [Event; 9] = [
    Event::Snapshot,
    Event::Synced,
    Event::Changed,
    Event::Heartbeat,
    Event::Deleted,
    Event::Degraded,
    Event::Recovered,
    Event::Reset,
    Event::Draining,
];

/// The counts of all streams together.
#[derive(Debug, Default)]
pub struct Tally {
    /// By the contract's number, of which 0 is never sent.
    events: [AtomicU64; EVENTS.len() + 1],
    delivery: Histogram,
}

impl Tally {
    /// An event is handed to a stream; `observed` is when the vendor was read of what it tells.
    pub fn told(&self, event: Event, observed: Option<Timestamp>) {
        if let Some(count) = self.events.get(event as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        // The others tell what was known before, or nothing of the vendor.
        if let (Event::Changed | Event::Deleted, Some(observed)) = (event, observed) {
            self.delivery.observe(since(observed));
        }
    }

    /// How often each kind of event was told.
    pub fn events(&self) -> [(Event, u64); EVENTS.len()] {
        EVENTS.map(|event| (event, self.events[event as usize].load(Ordering::Relaxed)))
    }

    /// From the reading of the vendor to the stream, of each CHANGED and DELETED.
    pub fn delivery(&self) -> HistogramSnapshot {
        self.delivery.snapshot()
    }
}

/// Nothing, if the clock was set back meanwhile.
fn since(observed: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(observed)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn every_event_of_the_contract_has_its_count() {
        let tally = Tally::default();
        let mut number = 1;
        while let Ok(event) = Event::try_from(number) {
            (0..number).for_each(|_| tally.told(event, None));
            number += 1;
        }
        let told: Vec<_> = tally.events().map(|(event, count)| (event as u64, count)).into();
        assert_eq!(told, (1..10).map(|count| (count, count)).collect::<Vec<_>>());
        assert_eq!(number, 10, "the contract has an event that is not counted");
    }

    #[test]
    fn only_changes_are_timed_and_never_below_nothing() {
        let tally = Tally::default();
        let now = Timestamp::now();
        let ago = now - SignedDuration::from_hours(1);
        for event in EVENTS {
            tally.told(event, Some(ago));
        }
        tally.told(Event::Changed, None);
        tally.told(Event::Deleted, Some(now + SignedDuration::from_hours(1)));
        let HistogramSnapshot { counts, .. } = tally.delivery();
        assert_eq!(counts.iter().sum::<u64>(), 3);
        assert_eq!((counts.first(), counts.last()), (Some(&1), Some(&2)));
    }
}

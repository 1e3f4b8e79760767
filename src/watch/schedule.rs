//! Which targets of one backend are polled next, and when. It has no clock, no task and no backend of its own, so that
//! tests drive it.
//!
//! The most overdue target goes first. The interval of a target is short after a change and backs off while nothing
//! changes; no target is polled before the vendor's Retry-After.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::reading::{Change, Observation};
use super::target::Target;
use crate::backend::Operation;
use crate::config::PollPolicy;

/// The factor by which the interval grows while nothing changes.
const BACKOFF_FACTOR: f64 = 1.5;
/// How many targets one poll reads where one request of the vendor's API can.
const MAX_GROUP: usize = 100;

/// The targets of one backend.
#[derive(Debug)]
pub(super) struct Schedule {
    policy: PollPolicy,
    entries: HashMap<Arc<str>, Entry>,
    /// The targets that are not in flight, by the time of their next step.
    queue: BTreeSet<(Instant, Arc<str>)>,
}

#[derive(Debug)]
struct Entry {
    target: Arc<Target>,
    latest: watch::Sender<Observation>,
    subscribers: usize,
    subscriber_count: SubscriberCount,
    /// Whether a subscriber came after the last poll began: it waits for the next result even if nothing changes.
    newcomers: Newcomers,
    /// Targets with the same group are polled together.
    group: Option<Arc<str>>,
    interval: Duration,
    /// When the last poll began.
    polled: Option<Instant>,
    /// The vendor's Retry-After.
    not_before: Option<Instant>,
    state: PollState,
}

/// Counts the subscribers of one target; each holds a clone.
#[derive(Debug, Clone, Default)]
pub(super) struct SubscriberCount(Arc<()>);

impl SubscriberCount {
    /// Whether there is more than one subscriber.
    pub(super) fn is_shared(&self) -> bool {
        // The schedule holds one clone itself.
        Arc::strong_count(&self.0) > 2
    }
}

/// Whether a subscriber waits for its first result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newcomers {
    None,
    Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PollState {
    /// The next poll is due at this time.
    Scheduled(Instant),
    /// It has no subscriber, and is removed at this time unless one comes.
    Idle(Instant),
    InFlight,
    /// A subscriber came while it was in flight.
    InFlightAndRequested,
}

/// A target to be polled now.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) key: Arc<str>,
    pub(super) target: Arc<Target>,
    pub(super) operation: Option<Arc<Operation>>,
}

/// The result of a poll, as far as the schedule is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollResult {
    Success(Change),
    /// It failed, with the vendor's Retry-After if there was one.
    Failure(Option<Duration>),
}

impl Schedule {
    pub(super) fn new(policy: PollPolicy) -> Self {
        Self { policy, entries: HashMap::new(), queue: BTreeSet::new() }
    }

    /// Applies another policy from the next step of each target on.
    pub(super) fn set_policy(&mut self, policy: PollPolicy) {
        self.policy = policy;
    }

    pub(super) fn policy(&self) -> PollPolicy {
        self.policy
    }

    /// Adds a subscriber. It sees what is known at once, and the next result as soon as a poll is due.
    pub(super) fn subscribe(
        &mut self,
        key: &Arc<str>,
        target: &Target,
        group: Option<Arc<str>>,
        operation: Option<Operation>,
        now: Instant,
    ) -> (watch::Receiver<Observation>, SubscriberCount) {
        let (queue, policy) = (&mut self.queue, self.policy);
        let entry = self.entries.entry(Arc::clone(key)).or_insert_with(|| {
            queue.insert((now, Arc::clone(key)));
            Entry {
                target: Arc::new(target.clone()),
                latest: watch::Sender::new(Observation::empty()),
                subscribers: 0,
                subscriber_count: SubscriberCount::default(),
                newcomers: Newcomers::None,
                group,
                interval: policy.min_interval,
                polled: None,
                not_before: None,
                state: PollState::Scheduled(now),
            }
        });
        entry.subscribers += 1;
        entry.newcomers = Newcomers::Waiting;
        let subscription = (entry.latest.subscribe(), entry.subscriber_count.clone());
        if let Some(operation) = operation {
            entry.latest.send_if_modified(|latest| {
                if latest.operation.is_none() {
                    latest.operation = Some(Arc::new(operation));
                    // Tokens that were made before lack it.
                    latest.renew();
                }
                false
            });
        }
        // A newcomer may bring a poll forward, but never closer to the last one than the shortest interval, or than the
        // vendor allows.
        let soonest = entry.polled.map(|polled| polled + policy.min_interval).max(entry.not_before);
        let soonest = soonest.map_or(now, |soonest| soonest.max(now));
        let (queued_at, due) = match entry.state {
            PollState::Scheduled(due) => (due, due.min(soonest)),
            // When it would have been removed says nothing about when it may be polled.
            PollState::Idle(until) => (until, soonest),
            PollState::InFlight | PollState::InFlightAndRequested => {
                entry.state = PollState::InFlightAndRequested;
                return subscription;
            }
        };
        queue.remove(&(queued_at, Arc::clone(key)));
        queue.insert((due, Arc::clone(key)));
        entry.state = PollState::Scheduled(due);
        subscription
    }

    /// Removes a subscriber.
    pub(super) fn unsubscribe(&mut self, key: &Arc<str>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.subscribers = entry.subscribers.saturating_sub(1);
        if let (0, PollState::Scheduled(due)) = (entry.subscribers, entry.state) {
            self.queue.remove(&(due, Arc::clone(key)));
            self.set_idle(key, now);
        }
    }

    /// Keeps a target without subscribers for the idle TTL, and at least for the vendor's Retry-After, which a new
    /// subscriber must respect too.
    fn set_idle(&mut self, key: &Arc<str>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let until = entry.not_before.max(Some(now + self.policy.idle_ttl)).unwrap_or(now);
        entry.state = PollState::Idle(until);
        self.queue.insert((until, Arc::clone(key)));
    }

    /// The target that has waited longest for its poll, and those that can be polled together with it.
    pub(super) fn next_group(&mut self, now: Instant) -> Option<Vec<Due>> {
        let first = loop {
            let (_, key) = self.queue.first().filter(|(due, _)| *due <= now)?.clone();
            self.queue.pop_first();
            match self.entries.get(&key)?.state {
                PollState::Idle(_) => drop(self.entries.remove(&key)),
                _ => break key,
            }
        };
        let mut keys = vec![first];
        let first = self.entries.get(&keys[0])?;
        if let Some(group) = &first.group {
            // A poll a little early costs nothing where the request is made anyway, and keeps a group together.
            let soon = now + first.interval / 2;
            let can_join = |key: &Arc<str>| {
                self.entries.get(key).is_some_and(|entry| {
                    entry.group.as_ref() == Some(group)
                        && entry.subscribers > 0
                        && entry.not_before.is_none_or(|not_before| not_before <= now)
                })
            };
            let nearly_due = self.queue.iter().take_while(|(due, _)| *due <= soon);
            let joining: Vec<_> =
                nearly_due.filter(|(_, key)| can_join(key)).take(MAX_GROUP - 1).cloned().collect();
            for queued in joining {
                self.queue.remove(&queued);
                keys.push(queued.1);
            }
        }
        let due = keys.into_iter().filter_map(|key| {
            let entry = self.entries.get_mut(&key)?;
            entry.state = PollState::InFlight;
            entry.polled = Some(now);
            let operation = entry.latest.borrow().operation.clone();
            Some(Due { key, target: Arc::clone(&entry.target), operation })
        });
        Some(due.collect())
    }

    /// The channel to publish a result in, and whether a subscriber waits for it whatever it is.
    pub(super) fn publisher(
        &mut self,
        key: &str,
    ) -> Option<(watch::Sender<Observation>, Newcomers)> {
        let entry = self.entries.get_mut(key)?;
        let newcomers = std::mem::replace(&mut entry.newcomers, Newcomers::None);
        Some((entry.latest.clone(), newcomers))
    }

    /// Schedules the next poll. `jitter` is 0.0 to 1.0, and pulls apart what began together.
    pub(super) fn reschedule(
        &mut self,
        key: &Arc<str>,
        result: PollResult,
        jitter: f64,
        now: Instant,
    ) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let PollPolicy { min_interval, max_interval, progress_interval, .. } = self.policy;
        let began = entry.polled.unwrap_or(now);
        let requested = entry.state == PollState::InFlightAndRequested;
        let longer = entry.interval.mul_f64(BACKOFF_FACTOR).max(min_interval).min(max_interval);
        entry.not_before = match result {
            PollResult::Failure(retry_after) => retry_after.map(|pause| began + pause),
            PollResult::Success(_) => None,
        };
        let (interval, at_least) = match result {
            PollResult::Success(Change::Other) => (min_interval, Duration::ZERO),
            PollResult::Success(Change::CopyProgress) => match *entry.target {
                // The vendor updates it again only then: an earlier poll shows the same.
                Target::Point(_) => {
                    (min_interval, progress_interval.saturating_sub(entry.interval))
                }
                // In a collection, points that are not being copied may change meanwhile.
                Target::Collection(_) => (longer, Duration::ZERO),
            },
            PollResult::Success(Change::None) => (longer, Duration::ZERO),
            PollResult::Failure(retry_after) => (longer, retry_after.unwrap_or_default()),
        };
        entry.interval = interval;
        let pause = match (requested, result) {
            (true, PollResult::Success(_)) => min_interval,
            _ => interval.max(at_least),
        };
        if entry.subscribers == 0 {
            return self.set_idle(key, now);
        }
        // Jitter adds up to a tenth.
        let due = (began + pause.mul_f64(1.0 + jitter / 10.0)).max(now);
        entry.state = PollState::Scheduled(due);
        self.queue.insert((due, Arc::clone(key)));
    }

    /// When the next step is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// How long the target that has waited longest has waited beyond its time.
    pub(super) fn poll_lag(&self, now: Instant) -> Duration {
        self.next_due().map_or(Duration::ZERO, |due| now.saturating_duration_since(due))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;

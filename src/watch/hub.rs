//! The pollers of all backends, and the subscriptions to their targets. No lock is held across an await.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::metrics::WatchMetrics;
use super::poller::{Poller, Retirement};
use super::reading::{Observation, Reading};
use super::schedule::SubscriberCount;
use super::target::Target;
use crate::backend::{Operation, Registry};
use crate::config::{PollPolicies, PollPolicy};
use crate::model::BackendId;

/// All pollers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    policies: ArcSwap<PollPolicies>,
    pollers: Mutex<HashMap<BackendId, Arc<Poller>>>,
    metrics: WatchMetrics,
}

/// The watched targets of one backend.
#[derive(Debug, Clone, Copy, Default)]
pub struct BackendTargets {
    /// Targets with subscribers, and those whose last one left less than the idle TTL ago.
    pub count: usize,
    /// How long the target that has waited longest has waited beyond its time: what a rate limit costs.
    pub poll_lag: Duration,
}

impl Hub {
    /// A hub without pollers.
    pub fn new(registry: Registry, policies: impl Into<PollPolicies>) -> Self {
        let policies = ArcSwap::from_pointee(policies.into());
        let (pollers, metrics) = (Mutex::default(), WatchMetrics::default());
        Self { inner: Arc::new(Inner { registry, policies, pollers, metrics }) }
    }

    /// Replaces the policies; polls that are scheduled stay scheduled.
    pub fn set_policies(&self, policies: PollPolicies) {
        // Under the lock of the pollers, so that none begins with an old policy after this.
        let pollers = self.inner.pollers();
        self.inner.policies.store(Arc::new(policies));
        for poller in pollers.values() {
            poller.schedule().set_policy(self.inner.policy(poller.backend()));
        }
    }

    /// Subscribes to a target, which is polled from now on.
    pub(super) fn subscribe(&self, target: &Target, operation: Option<Operation>) -> Subscription {
        let key: Arc<str> = target.key().into();
        let group = match target {
            Target::Point(point) => self
                .inner
                .registry
                .get(&point.backend)
                .ok()
                .and_then(|backend| backend.poll_group(point))
                .map(Arc::from),
            Target::Collection(_) => None,
        };
        let mut pollers = self.inner.pollers();
        let policy = self.inner.policy(target.backend());
        let poller = pollers.entry(target.backend().clone()).or_insert_with(|| {
            let registry = self.inner.registry.clone();
            let poller = Arc::new(Poller::new(target.backend().clone(), registry, policy));
            let inner = Arc::clone(&self.inner);
            tokio::spawn(Arc::clone(&poller).run(move |poller| inner.retire(poller)));
            poller
        });
        let poller = Arc::clone(poller);
        // Still under the lock of the pollers: one without targets retires only under it.
        let (latest, subscriber_count) =
            poller.schedule().subscribe(&key, target, group, operation, Instant::now());
        poller.wake();
        let not_before =
            Timestamp::now().saturating_sub(policy.min_interval).unwrap_or(Timestamp::MIN);
        Subscription { latest, subscriber_count, poller, key, not_before }
    }

    /// How many targets are polled.
    pub fn target_count(&self) -> usize {
        self.targets().values().map(|targets| targets.count).sum()
    }

    /// The longest poll lag of any backend.
    pub fn poll_lag(&self) -> Duration {
        self.targets().values().map(|targets| targets.poll_lag).max().unwrap_or_default()
    }

    /// The watched targets, by backend.
    pub fn targets(&self) -> BTreeMap<BackendId, BackendTargets> {
        let now = Instant::now();
        let pollers = self.inner.pollers();
        let targets = pollers.iter().map(|(backend, poller)| {
            let schedule = poller.schedule();
            let (count, poll_lag) = (schedule.len(), schedule.poll_lag(now));
            (backend.clone(), BackendTargets { count, poll_lag })
        });
        targets.collect()
    }

    /// The metrics of all watchers.
    pub fn metrics(&self) -> &WatchMetrics {
        &self.inner.metrics
    }
}

impl Inner {
    fn policy(&self, backend: &BackendId) -> PollPolicy {
        self.policies.load().of(backend)
    }

    /// Removes a poller that has no targets; a later subscriber starts another.
    fn retire(&self, poller: &Poller) -> Retirement {
        let mut pollers = self.pollers();
        if poller.schedule().len() > 0 {
            return Retirement::Refused;
        }
        pollers.remove(poller.backend());
        Retirement::Granted
    }

    fn pollers(&self) -> MutexGuard<'_, HashMap<BackendId, Arc<Poller>>> {
        self.pollers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A watcher's subscription to a target: with the last one dropped, the target is not polled any more.
#[derive(Debug)]
pub(super) struct Subscription {
    latest: watch::Receiver<Observation>,
    subscriber_count: SubscriberCount,
    poller: Arc<Poller>,
    key: Arc<str>,
    not_before: Timestamp,
}

impl Subscription {
    /// Whether a reading from before the subscription is too old to be its first. It may be as old as the shortest
    /// interval, since the target is not polled more often anyway.
    pub(super) fn is_stale(&self, reading: &Reading) -> bool {
        reading.time < self.not_before
    }

    /// Whether other watchers subscribe to the same target.
    pub(super) fn is_shared(&self) -> bool {
        self.subscriber_count.is_shared()
    }

    /// What is known now; not to be held, since it blocks the publisher.
    pub(super) fn latest(&self) -> watch::Ref<'_, Observation> {
        self.latest.borrow()
    }

    /// The observations from now on, beginning with what is known.
    pub(super) fn updates(&self) -> watch::Receiver<Observation> {
        self.latest.clone()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.poller.schedule().unsubscribe(&self.key, Instant::now());
        self.poller.wake();
    }
}

//! The pollers by backend, and who watches what. Never locked across an await.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::pace::{Pace, Paces};
use super::poller::{self, Poller};
use super::reading::{Observation, Reading};
use super::schedule::Audience;
use super::tally::Tally;
use super::target::Target;
use super::token::Resume;
use crate::backend::{Operation, Registry};
use crate::model::{BackendId, Error, PointRef, RestorePointName, Sealer};

/// All pollers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub registry: Registry,
    paces: ArcSwap<Paces>,
    sealer: Arc<Sealer>,
    pollers: Mutex<HashMap<BackendId, Arc<Poller>>>,
    tally: Tally,
}

/// What is watched of one backend.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched {
    /// Targets on the plan: those with watchers, and those whose last one left a moment ago.
    pub targets: usize,
    /// How long the target that waits longest has waited beyond its time: what a budget costs.
    pub longest_wait: Duration,
}

impl Hub {
    /// A hub without watchers.
    pub fn new(registry: Registry, sealer: Arc<Sealer>, paces: impl Into<Paces>) -> Self {
        let paces = ArcSwap::from_pointee(paces.into());
        let (pollers, tally) = (Mutex::default(), Tally::default());
        Self { inner: Arc::new(Inner { registry, paces, sealer, pollers, tally }) }
    }

    /// Puts other paces in place of those that there were; what is planned already stays planned.
    pub fn repace(&self, paces: Paces) {
        // Under the lock of the pollers, so that none begins by an old pace after this.
        let pollers = self.inner.pollers();
        self.inner.paces.store(Arc::new(paces));
        for poller in pollers.values() {
            poller.schedule().repace(self.inner.pace(poller.backend()));
        }
    }

    /// Follows a target; it is read from now on, if nobody else has it read.
    pub(super) fn follow(&self, target: &Target, operation: Option<Operation>) -> Following {
        let key: Arc<str> = target.key().into();
        let batch = match target {
            Target::Point(point) => self
                .inner
                .registry
                .get(&point.backend)
                .ok()
                .and_then(|backend| backend.batch(point))
                .map(Arc::from),
            Target::Collection(_) => None,
        };
        let mut pollers = self.inner.pollers();
        let pace = self.inner.pace(target.backend());
        let poller = pollers.entry(target.backend().clone()).or_insert_with(|| {
            let poller = Arc::new(Poller::new(target.backend().clone(), pace));
            tokio::spawn(poller::run(Arc::clone(&self.inner), Arc::clone(&poller)));
            poller
        });
        let poller = Arc::clone(poller);
        // Still under the lock of the pollers: one without targets ends only under it.
        let (latest, audience) =
            poller.schedule().follow(&key, target, batch, operation, Instant::now());
        poller.wake();
        let not_before = Timestamp::now().saturating_sub(pace.quickest).unwrap_or(Timestamp::MIN);
        Following { latest, audience, poller, key, not_before }
    }

    /// The token that a caller of Copy takes to WatchStatus.
    ///
    /// # Errors
    /// INTERNAL when it cannot be sealed.
    pub fn token_of_copy(
        &self,
        point: &RestorePointName,
        operation: Option<&Operation>,
    ) -> Result<String, Error> {
        let target = Target::Point(PointRef::from(point));
        let mut resume = Resume::default();
        if let Some(operation) = operation {
            resume.carry(&target, operation);
        }
        resume.seal(&self.inner.sealer, [&target])
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// How many targets are polled at the moment.
    pub fn polled_targets(&self) -> usize {
        self.watched().values().map(|watched| watched.targets).sum()
    }

    /// The longest wait of any backend's.
    pub fn longest_wait(&self) -> Duration {
        self.watched().values().map(|watched| watched.longest_wait).max().unwrap_or_default()
    }

    /// What is watched, of each backend of which anything is.
    pub fn watched(&self) -> BTreeMap<BackendId, Watched> {
        let now = Instant::now();
        let pollers = self.inner.pollers();
        let watched = pollers.iter().map(|(backend, poller)| {
            let schedule = poller.schedule();
            let (targets, longest_wait) = (schedule.len(), schedule.longest_wait(now));
            (backend.clone(), Watched { targets, longest_wait })
        });
        watched.collect()
    }

    /// What all watchers together have been told.
    pub fn tally(&self) -> &Tally {
        &self.inner.tally
    }
}

impl Inner {
    pub(super) fn pace(&self, backend: &BackendId) -> Pace {
        self.paces.load().of(backend)
    }

    /// Ends a poller that has no targets; a watcher who comes later starts another.
    pub(super) fn retire(&self, poller: &Poller) -> Retired {
        let mut pollers = self.pollers();
        if poller.schedule().len() > 0 {
            return Retired::StillNeeded;
        }
        pollers.remove(poller.backend());
        Retired::Yes
    }

    fn pollers(&self) -> MutexGuard<'_, HashMap<BackendId, Arc<Poller>>> {
        self.pollers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of the wish to stop polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retired {
    Yes,
    StillNeeded,
}

/// A watcher's hold on a target: when the last one is dropped, the target is not read any more.
#[derive(Debug)]
pub(super) struct Following {
    latest: watch::Receiver<Observation>,
    audience: Audience,
    poller: Arc<Poller>,
    key: Arc<str>,
    not_before: Timestamp,
}

impl Following {
    /// Whether a reading is too old to be told as what there was when the watcher came. It may be as old as the
    /// quickest pace, since its target is read no oftener anyway.
    pub(super) fn is_too_old(&self, reading: &Reading) -> bool {
        reading.time < self.not_before
    }

    /// Whether others watch the same.
    pub(super) fn is_shared(&self) -> bool {
        self.audience.is_shared()
    }

    /// What is known now; not to be held on to, since nothing is published meanwhile.
    pub(super) fn now(&self) -> watch::Ref<'_, Observation> {
        self.latest.borrow()
    }

    /// The same as it changes, beginning with what is known now.
    pub(super) fn updates(&self) -> watch::Receiver<Observation> {
        self.latest.clone()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.poller.schedule().left(&self.key, Instant::now());
        self.poller.wake();
    }
}

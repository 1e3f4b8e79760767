//! The pollers by target, and who watches what. Never locked across an await.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::observation::{Observation, Target};
use super::{poller, token};
use crate::backend::{Operation, Registry};
use crate::model::{Error, PointRef, RestorePointName, Sealer};

/// How often vendors are read.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The pause after a change. ARM refreshes a copy's progress every ten minutes only, but a creation
    /// takes seconds.
    pub quickest: Duration,
    /// The pause that silence grows to.
    pub slowest: Duration,
    /// How long a poller goes on after its last watcher has left, for the one that comes right back.
    pub linger: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            quickest: Duration::from_secs(5),
            slowest: Duration::from_secs(60),
            linger: Duration::from_secs(10),
        }
    }
}

/// All pollers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub registry: Registry,
    pub settings: Settings,
    sealer: Arc<Sealer>,
    pollers: Mutex<HashMap<String, Polled>>,
}

/// A target with a running poller.
#[derive(Debug, Clone)]
pub(super) struct Polled {
    pub latest: Arc<watch::Sender<Observation>>,
    /// Wakes the poller early.
    pub wake: Arc<Notify>,
}

impl Hub {
    /// A hub without watchers.
    pub fn new(registry: Registry, sealer: Arc<Sealer>, settings: Settings) -> Self {
        let pollers = Mutex::default();
        Self { inner: Arc::new(Inner { registry, settings, sealer, pollers }) }
    }

    /// Follows a target; its poller is started if nobody else follows it.
    pub(super) fn subscribe(
        &self,
        target: &Target,
        operation: Option<Operation>,
    ) -> watch::Receiver<Observation> {
        let mut pollers = self.inner.pollers();
        let polled = pollers.entry(target.key()).or_insert_with(|| {
            let polled = Polled {
                latest: Arc::new(watch::Sender::new(Observation::default())),
                wake: Arc::default(),
            };
            tokio::spawn(poller::run(Arc::clone(&self.inner), target.clone(), polled.clone()));
            polled
        });
        if let Some(operation) = operation {
            polled.latest.send_if_modified(|latest| {
                latest.operation.get_or_insert(operation);
                false
            });
        }
        polled.wake.notify_one();
        polled.latest.subscribe()
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
        token::Resume::of_copy(&target, operation)
            .seal(&self.inner.sealer, std::slice::from_ref(&target))
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// How many targets are polled at the moment.
    pub fn polled_targets(&self) -> usize {
        self.inner.pollers().len()
    }
}

impl Inner {
    /// Ends a target's polling if nobody follows it; a watcher who comes later starts it anew.
    pub(super) fn retire(&self, target: &Target, polled: &Polled) -> Retired {
        let mut pollers = self.pollers();
        if polled.latest.receiver_count() > 0 {
            return Retired::StillWatched;
        }
        pollers.remove(&target.key());
        Retired::Yes
    }

    /// Forgets a target whose poller has ended without retiring: the next watcher starts another.
    pub(super) fn forget(&self, target: &Target) {
        self.pollers().remove(&target.key());
    }

    fn pollers(&self) -> MutexGuard<'_, HashMap<String, Polled>> {
        self.pollers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of the wish to stop polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retired {
    Yes,
    StillWatched,
}

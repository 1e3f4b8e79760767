//! One backend's poller: reads what is due, a few at once, and publishes what it finds.
//!
//! It knows no watcher: a target has a channel that holds its latest observation, and whoever is slow to
//! look at it misses readings and delays nobody.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::hub::{Inner, Retired};
use super::pace::Pace;
use super::reading::{Difference, Observation, Reading};
use super::schedule::{Due, Newcomers, Outcome, Schedule};
use super::target::Target;
use crate::backend::{Backend, Observed};
use crate::model::{BackendId, Error, RestorePoint, Segment, View};

/// How many readings of one backend are under way at once: enough to fill a budget of 25 a second over a
/// slow line, and few enough that a caller's own read finds its place among them.
const AT_ONCE: usize = 8;
/// How many points of a collection are asked for at once.
const STEP: usize = 1000;

/// The targets of one backend, and what wakes its task.
#[derive(Debug)]
pub(super) struct Poller {
    backend: BackendId,
    schedule: Mutex<Schedule>,
    changed: Notify,
}

impl Poller {
    pub(super) fn new(backend: BackendId, pace: Pace) -> Self {
        Self { backend, schedule: Mutex::new(Schedule::new(pace)), changed: Notify::new() }
    }

    pub(super) fn backend(&self) -> &BackendId {
        &self.backend
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the task look at its plan again.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Publishes what was read of a target, and plans its next reading.
    fn settle(&self, due: &Due, read: Result<Reading, Error>) {
        // Waking ten thousand watchers takes its time: not under the lock.
        let Some((latest, newcomers)) = self.schedule().publication(&due.key) else { return };
        let outcome = publish(&latest, newcomers, &due.target, read);
        self.schedule().plan(&due.key, outcome, fastrand::f64(), Instant::now());
    }
}

/// Reads what `poller` has due, until nobody watches anything of its backend.
pub(super) async fn run(hub: Arc<Inner>, poller: Arc<Poller>) {
    let mut readings = JoinSet::new();
    loop {
        while readings.len() < AT_ONCE {
            let Some(due) = poller.schedule().take(Instant::now()) else { break };
            readings.spawn(read(Arc::clone(&hub), Arc::clone(&poller), due));
        }
        if readings.is_empty() && hub.retire(&poller) == Retired::Yes {
            return;
        }
        let next = match readings.len() {
            AT_ONCE.. => None,
            _ => poller.schedule().next_due(),
        };
        tokio::select! {
            Some(ended) = readings.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a reading was cut off");
                }
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            () = poller.changed.notified() => {}
        }
    }
}

/// Reads targets together and settles each. A panic costs this reading only.
async fn read(hub: Arc<Inner>, poller: Arc<Poller>, due: Vec<Due>) {
    let reading = AssertUnwindSafe(readings(&hub, &poller.backend, &due)).catch_unwind().await;
    let mut reading = reading.unwrap_or_else(|_| {
        let problem = "reading a watched target panicked".to_owned();
        due.iter().map(|_| Err(Error::Internal { problem: problem.clone() })).collect()
    });
    // One result for each, or the backend breaks its promise.
    reading.resize_with(due.len(), || {
        Err(Error::Internal { problem: "a watched target was passed over".to_owned() })
    });
    for (due, read) in due.iter().zip(reading) {
        poller.settle(due, read);
    }
}

async fn readings(hub: &Inner, backend: &BackendId, due: &[Due]) -> Vec<Result<Reading, Error>> {
    let backend = match configured(hub, backend) {
        Ok(backend) => backend,
        Err(error) => return due.iter().map(|_| Err(error.clone())).collect(),
    };
    if let [Due { target, .. }] = due
        && let Target::Collection(name) = &**target
    {
        let points = collection(&*backend, &name.collection).await;
        return vec![points.map(|points| Reading::of(points, Timestamp::now()))];
    }
    let observed: Vec<_> = due
        .iter()
        .filter_map(|due| match &*due.target {
            Target::Point(point) => Some(Observed { point, operation: due.operation.as_deref() }),
            Target::Collection(_) => None,
        })
        .collect();
    let points = match observed[..] {
        [Observed { point, operation }] => vec![backend.observe(point, operation).await],
        _ => backend.observe_together(&observed).await,
    };
    let now = Timestamp::now();
    points.into_iter().map(|point| point.map(|point| Reading::of([point], now))).collect()
}

/// A backend that a reload has taken away says nothing of its points: they are not gone, only out of sight.
fn configured(hub: &Inner, id: &BackendId) -> Result<Arc<dyn Backend>, Error> {
    hub.registry.get(id).map_err(|_| Error::Unavailable {
        backend: id.as_str().to_owned(),
        retry_after: hub.pace(id).slowest,
        detail: "it is not configured any more".to_owned(),
    })
}

async fn collection(backend: &dyn Backend, collection: &str) -> Result<Vec<RestorePoint>, Error> {
    let collection = Segment::Id(collection.to_owned());
    let mut points = Vec::new();
    let mut cursor = None;
    loop {
        let page = backend.list(&collection, View::Full, cursor.as_ref(), STEP).await?;
        points.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(points);
        }
    }
}

/// Publishes a reading. Watchers are woken only by what they have to be told.
fn publish(
    latest: &watch::Sender<Observation>,
    newcomers: Newcomers,
    target: &Target,
    read: Result<Reading, Error>,
) -> Outcome {
    let reading = match read {
        Ok(reading) => reading,
        Err(Error::NotFound { .. }) => Reading::gone(Timestamp::now()),
        // Our own limit says nothing of the vendor: the reading that is known stands, a little longer.
        Err(Error::BudgetSpent { retry_after, .. }) => return Outcome::Failed(Some(retry_after)),
        Err(error) => {
            tracing::warn!(%target, %error, "a watched target cannot be read");
            let pause = asked_pause(&error);
            latest.send_if_modified(|latest| {
                latest.frames = Arc::default();
                let known = latest.trouble.replace(Arc::new(error)).is_some();
                !known || newcomers == Newcomers::Waiting
            });
            return Outcome::Failed(pause);
        }
    };
    let mut difference = Difference::Change;
    latest.send_if_modified(|latest| {
        difference = match &latest.reading {
            Some(known) => reading.beyond(known),
            None => Difference::Change,
        };
        latest.reading = Some(reading);
        latest.frames = Arc::default();
        let recovered = latest.trouble.take().is_some();
        recovered || difference != Difference::None || newcomers == Newcomers::Waiting
    });
    Outcome::Read(difference)
}

/// The pause that the vendor asks for, or that is made for it.
fn asked_pause(error: &Error) -> Option<Duration> {
    match error {
        Error::Throttled { retry_after, .. }
        | Error::Unavailable { retry_after, .. }
        | Error::Outage { retry_after, .. } => Some(*retry_after),
        _ => None,
    }
}

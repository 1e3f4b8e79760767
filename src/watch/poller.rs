//! The poller of one backend: polls what is due, a few targets at once, and publishes the results.
//!
//! It is independent of watchers. A target has a channel that holds its latest observation; a slow subscriber misses results
//! without delaying others.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::reading::{Change, Observation, Reading};
use super::schedule::{Due, Newcomers, PollResult, Schedule};
use super::target::Target;
use crate::backend::{Backend, PollTarget, Registry};
use crate::config::PollPolicy;
use crate::model::{BackendId, DEFAULT_RETRY_AFTER, Error, RestorePoint, Segment, View};

/// Enough to fill a rate limit of 25 requests a second at a high latency, and few enough that a caller's own read finds
/// its place among them.
const MAX_CONCURRENT_POLLS: usize = 8;
/// Bounds the time until watchers of a silent vendor receive DEGRADED.
const POLL_TIMEOUT: Duration = Duration::from_secs(60);
/// Page size when a collection is read.
const PAGE_SIZE: usize = 1000;

/// The targets of one backend, and what wakes its task.
#[derive(Debug)]
pub(super) struct Poller {
    backend: BackendId,
    registry: Registry,
    schedule: Mutex<Schedule>,
    changed: Notify,
}

/// Whether a poller without targets may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retirement {
    Granted,
    /// A subscriber has come.
    Refused,
}

impl Poller {
    pub(super) fn new(backend: BackendId, registry: Registry, policy: PollPolicy) -> Self {
        let schedule = Mutex::new(Schedule::new(policy));
        Self { backend, registry, schedule, changed: Notify::new() }
    }

    pub(super) fn backend(&self) -> &BackendId {
        &self.backend
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the task look at its schedule again.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Polls what is due until no target is left and `retire` grants the end.
    pub(super) async fn run(self: Arc<Self>, retire: impl Fn(&Self) -> Retirement) {
        let mut polls = JoinSet::new();
        loop {
            while polls.len() < MAX_CONCURRENT_POLLS {
                let Some(group) = self.schedule().next_group(Instant::now()) else { break };
                polls.spawn(Arc::clone(&self).poll(group));
            }
            if polls.is_empty() && retire(&self) == Retirement::Granted {
                return;
            }
            let next = match polls.len() {
                MAX_CONCURRENT_POLLS.. => None,
                _ => self.schedule().next_due(),
            };
            tokio::select! {
                Some(ended) = polls.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a poll was aborted");
                    }
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Polls a group and publishes each result. A panic costs this poll only.
    async fn poll(self: Arc<Self>, group: Vec<Due>) {
        let for_all = |error: Error| group.iter().map(|_| Err(error.clone())).collect::<Vec<_>>();
        let read = timeout(POLL_TIMEOUT, AssertUnwindSafe(self.read(&group)).catch_unwind());
        let mut results = match read.await {
            Ok(Ok(results)) => results,
            Ok(Err(_)) => {
                for_all(Error::Internal { problem: "polling a watched target panicked".to_owned() })
            }
            Err(_) => for_all(Error::Unavailable {
                backend: self.backend.as_str().to_owned(),
                retry_after: DEFAULT_RETRY_AFTER,
                detail: format!("no result within {} s", POLL_TIMEOUT.as_secs()),
            }),
        };
        // A backend returns one result for each target.
        results.resize_with(group.len(), || {
            Err(Error::Internal {
                problem: "the poll of a watched target has no result".to_owned(),
            })
        });
        for (due, result) in group.iter().zip(results) {
            self.publish(due, result);
        }
    }

    async fn read(&self, group: &[Due]) -> Vec<Result<Reading, Error>> {
        let backend = match self.configured_backend() {
            Ok(backend) => backend,
            Err(error) => return group.iter().map(|_| Err(error.clone())).collect(),
        };
        if let [Due { target, .. }] = group
            && let Target::Collection(name) = &**target
        {
            let points = read_collection(&*backend, &name.collection).await;
            return vec![points.map(|points| Reading::of(points, Timestamp::now()))];
        }
        let targets: Vec<_> = group
            .iter()
            .filter_map(|due| match &*due.target {
                Target::Point(point) => {
                    Some(PollTarget { point, operation: due.operation.as_deref() })
                }
                Target::Collection(_) => None,
            })
            .collect();
        let points = backend.poll(&targets).await;
        let now = Timestamp::now();
        points.into_iter().map(|point| point.map(|point| Reading::of([point], now))).collect()
    }

    /// Points of a backend that a reload has removed are not deleted, only not readable.
    fn configured_backend(&self) -> Result<Arc<dyn Backend>, Error> {
        self.registry.get(&self.backend).map_err(|_| Error::Unavailable {
            backend: self.backend.as_str().to_owned(),
            retry_after: self.schedule().policy().max_interval,
            detail: "it is no longer configured".to_owned(),
        })
    }

    /// Publishes the result of a poll, and schedules the next one.
    fn publish(&self, due: &Due, result: Result<Reading, Error>) {
        // Waking ten thousand watchers takes its time: not under the lock.
        let Some((latest, newcomers)) = self.schedule().publisher(&due.key) else { return };
        let result = send(&latest, newcomers, &due.target, result);
        self.schedule().reschedule(&due.key, result, fastrand::f64(), Instant::now());
    }
}

async fn read_collection(
    backend: &dyn Backend,
    collection: &str,
) -> Result<Vec<RestorePoint>, Error> {
    let collection = Segment::Id(collection.to_owned());
    let mut points = Vec::new();
    let mut cursor = None;
    loop {
        let page = backend.list(&collection, View::Full, cursor.as_ref(), PAGE_SIZE).await?;
        points.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(points);
        }
    }
}

/// Puts a result into the channel of a target. Watchers are woken only by what they have to send.
fn send(
    latest: &watch::Sender<Observation>,
    newcomers: Newcomers,
    target: &Target,
    result: Result<Reading, Error>,
) -> PollResult {
    let reading = match result {
        Ok(reading) => reading,
        Err(Error::NotFound { .. }) => Reading::absent(Timestamp::now()),
        // The gateway's own limit says nothing about the vendor: what is known stays known a little longer.
        Err(Error::RateLimited { retry_after, .. }) => {
            return PollResult::Failure(Some(retry_after));
        }
        Err(error) => {
            tracing::warn!(%target, %error, "cannot poll a watched target");
            let retry_after = error.retry_after();
            latest.send_if_modified(|latest| {
                latest.renew();
                let already_failing = latest.last_error.replace(Arc::new(error)).is_some();
                !already_failing || newcomers == Newcomers::Waiting
            });
            return PollResult::Failure(retry_after);
        }
    };
    let mut change = Change::Other;
    latest.send_if_modified(|latest| {
        change = match &latest.reading {
            Some(known) => reading.change_since(known),
            None => Change::Other,
        };
        latest.reading = Some(reading);
        latest.renew();
        let recovered = latest.last_error.take().is_some();
        recovered || change != Change::None || newcomers == Newcomers::Waiting
    });
    PollResult::Success(change)
}

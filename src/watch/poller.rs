//! One target's poller: reads, publishes, pauses, and ends when it has been alone for a while.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout};

use super::hub::{Inner, Polled, Retired};
use super::observation::{Observation, Reading, Target};
use crate::backend::{Backend, Operation};
use crate::model::{BackendId, Error, RestorePoint, Segment, View};

/// How fast pauses grow while nothing changes.
const GROWTH: f64 = 1.5;
/// How many points of a collection are asked for at once.
const STEP: usize = 1000;

/// Takes a target off the hub if its poller panics, so that its watchers learn of it.
struct Lookout<'a>(&'a Inner, &'a Target);

impl Drop for Lookout<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.forget(self.1);
        }
    }
}

/// Polls `target` until nobody follows it.
pub(super) async fn run(hub: Arc<Inner>, target: Target, polled: Polled) {
    let _lookout = Lookout(&hub, &target);
    let mut pause = hub.settings.quickest;
    loop {
        let began = Instant::now();
        let operation = polled.latest.borrow().operation.clone();
        let read = read(&hub, &target, operation.as_ref()).await;
        let asked_pause = read.as_ref().err().and_then(asked_pause);
        pause = match publish(&polled, &target, read) {
            Published::Change => hub.settings.quickest,
            Published::NoChange => pause.mul_f64(GROWTH).min(hub.settings.slowest),
        };
        let next = jittered(asked_pause.map_or(pause, |asked| asked.max(pause)));

        // A newcomer may wake the poller, but never make it faster than the quickest pace, or than the
        // vendor allows.
        let soonest = began + asked_pause.unwrap_or(hub.settings.quickest);
        tokio::select! {
            () = sleep_until(began + next) => {}
            () = async {
                polled.wake.notified().await;
                sleep_until(soonest).await;
            } => {}
        }
        if polled.latest.receiver_count() == 0 {
            // Ends early if a watcher comes back; being wrong about it costs one more turn.
            let come_back = timeout(hub.settings.linger, polled.wake.notified()).await;
            if come_back.is_err() && hub.retire(&target, &polled) == Retired::Yes {
                return;
            }
        }
    }
}

async fn read(
    hub: &Inner,
    target: &Target,
    operation: Option<&Operation>,
) -> Result<Vec<RestorePoint>, Error> {
    match target {
        Target::Point(point) => {
            let backend = configured(hub, &point.backend)?;
            Ok(vec![backend.observe(point, operation).await?])
        }
        Target::Collection(name) => {
            let backend = configured(hub, &name.backend)?;
            read_collection(&*backend, &name.collection).await
        }
    }
}

/// A backend that a reload has taken away says nothing of its points: they are not gone, only out of sight.
fn configured(hub: &Inner, id: &BackendId) -> Result<Arc<dyn Backend>, Error> {
    hub.registry.get(id).map_err(|_| Error::Unavailable {
        backend: id.as_str().to_owned(),
        retry_after: hub.settings.slowest,
        detail: "it is not configured any more".to_owned(),
    })
}

async fn read_collection(
    backend: &dyn Backend,
    collection: &str,
) -> Result<Vec<RestorePoint>, Error> {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Published {
    Change,
    NoChange,
}

/// Publishes what was read. Watchers are woken even by a reading that shows the same: it is newer.
fn publish(polled: &Polled, target: &Target, read: Result<Vec<RestorePoint>, Error>) -> Published {
    let now = Timestamp::now();
    let mut published = Published::NoChange;
    polled.latest.send_modify(|latest: &mut Observation| {
        let reading = match read {
            Ok(points) => Reading::of(points, now),
            Err(Error::NotFound { .. }) => Reading::gone(now),
            Err(error) => {
                tracing::warn!(%target, %error, "a watched target cannot be read");
                latest.trouble = Some(error);
                return;
            }
        };
        let same = latest.reading.as_ref().is_some_and(|known| known.shows_the_same(&reading));
        if !same || latest.trouble.is_some() {
            published = Published::Change;
        }
        latest.trouble = None;
        latest.reading = Some(reading);
    });
    published
}

/// The pause that the vendor asks for.
fn asked_pause(error: &Error) -> Option<Duration> {
    match error {
        Error::Throttled { retry_after, .. } | Error::Unavailable { retry_after, .. } => {
            Some(*retry_after)
        }
        _ => None,
    }
}

/// Spreads pollers that began together: up to a tenth longer.
fn jittered(pause: Duration) -> Duration {
    let mut random = [0; 1];
    match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => pause.mul_f64(1.0 + f64::from(random[0]) / 2550.0),
        Err(_) => pause,
    }
}

//! One watcher: from the latest observations of its targets to the events that it has not received yet.
//!
//! There may be ten thousand on one point, so a watcher holds nothing that its target's channel holds for all.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use jiff::Timestamp;
use tokio::time::{Instant, Sleep, sleep};
use tokio_stream::StreamMap;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::delivered::{Delivered, GONE};
use super::event::{Effect, Event, EventKind, QueuedEvent, ShareKey};
use super::hub::Hub;
use super::reading::{Observation, Presence, Reading};
use super::target::Target;
use super::watched_target::{Availability, WatchedTarget};
use crate::backend::Operation;
use crate::model::Error;

/// What to watch, and from where on.
#[derive(Debug)]
pub struct Watch {
    /// Each target, what was delivered of it before, and the handle of the operation that creates it.
    pub targets: Vec<(Target, Delivered, Option<Operation>)>,
    /// Whether it resumes an earlier watch.
    pub start: Start,
    /// When it ends.
    pub follow: Follow,
    /// The longest time without an event.
    pub heartbeat: Duration,
}

/// How a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Without a resume token.
    Fresh,
    /// With a valid one.
    Resumed,
    /// With an expired one: RESET is the first event.
    TokenExpired,
}

/// Whether a watch ends when no target will change by itself any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// It ends then.
    UntilTerminal,
    /// It goes on.
    Forever,
}

/// Why a watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every target is terminal.
    Complete,
    /// The gateway is shutting down.
    Draining,
}

/// A watch: the stream of its events.
///
/// An error is its last item: a target can never be watched, because its name is not one of its vendor, or none of the
/// targets exists.
#[derive(Debug)]
pub struct Watcher {
    hub: Hub,
    targets: Vec<WatchedTarget>,
    updates: StreamMap<usize, WatchStream<Observation>>,
    start: Start,
    /// Events of the last observation that have not been delivered. No other observation is taken before that.
    queue: VecDeque<QueuedEvent>,
    phase: Phase,
    follow: Follow,
    heartbeat: Duration,
    last_event: Instant,
    /// Fires at the next heartbeat, or before it if there was an event meanwhile.
    timer: Pin<Box<Sleep>>,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Syncing,
    Synced,
    Drained,
}

impl Watcher {
    /// Begins a watch. It ends when `draining` is cancelled.
    pub fn new(hub: &Hub, watch: Watch, draining: CancellationToken) -> Self {
        let Watch { targets, start, follow, heartbeat } = watch;
        let mut queue = VecDeque::new();
        if start == Start::TokenExpired {
            queue.push_back(QueuedEvent::general(EventKind::Reset, None));
        }
        let mut updates = StreamMap::with_capacity(targets.len());
        let targets =
            targets.into_iter().enumerate().map(|(index, (target, delivered, operation))| {
                let subscription = hub.subscribe(&target, operation);
                updates.insert(index, WatchStream::new(subscription.updates()));
                let availability = Availability::Available;
                WatchedTarget { target, subscription, latest: None, delivered, availability }
            });
        Self {
            hub: hub.clone(),
            targets: targets.collect(),
            updates,
            start,
            queue,
            phase: Phase::Syncing,
            follow,
            heartbeat,
            last_event: Instant::now(),
            timer: Box::pin(sleep(heartbeat)),
            draining: Box::pin(draining.cancelled_owned()),
        }
    }

    /// Why the watch ended, once it has.
    pub fn end(&self) -> End {
        match self.phase {
            Phase::Drained => End::Draining,
            Phase::Syncing | Phase::Synced => End::Complete,
        }
    }

    /// What a resume token holds that is made with the event just delivered.
    pub fn resume_state(
        &self,
    ) -> impl Iterator<Item = (&Target, &Delivered, Option<Arc<Operation>>)> {
        self.targets.iter().map(|watched| {
            let operation = watched.subscription.latest().operation.clone();
            (&watched.target, &watched.delivered, operation)
        })
    }

    /// The watched targets.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().map(|watched| &watched.target)
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Event, Error>>> {
        loop {
            if let Some(queued) = self.queue.pop_front() {
                return Poll::Ready(Some(Ok(self.deliver(queued))));
            }
            if self.phase == Phase::Drained || self.is_complete() {
                return Poll::Ready(None);
            }
            match Pin::new(&mut self.updates).poll_next(context) {
                Poll::Ready(Some((index, observation))) => {
                    self.take(index, observation)?;
                    continue;
                }
                // A poller ends after its last subscriber only, unless it has panicked.
                Poll::Ready(None) => {
                    let problem = "the poller of a watched target has ended".to_owned();
                    return Poll::Ready(Some(Err(Error::Internal { problem })));
                }
                Poll::Pending => {}
            }
            if self.draining.as_mut().poll(context).is_ready() {
                self.queue.push_back(QueuedEvent::general(EventKind::Draining, None));
                self.phase = Phase::Drained;
                continue;
            }
            ready!(self.poll_heartbeat(context));
            let heartbeat = QueuedEvent::general(EventKind::Heartbeat, self.oldest_reading());
            self.queue.push_back(heartbeat);
        }
    }

    /// Waits until there has been no event for the heartbeat interval. The timer is reset only when it has fired: most
    /// events would reset it in vain.
    fn poll_heartbeat(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let due = self.last_event + self.heartbeat;
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
    }

    /// Records an event as delivered: a resume token covers delivered events only.
    fn deliver(&mut self, queued: QueuedEvent) -> Event {
        let QueuedEvent { kind, subject, observe_time, effect } = queued;
        self.last_event = Instant::now();
        self.hub.metrics().count(kind.event_type(), observe_time);
        match effect {
            Some(Effect::Set(index, key, fingerprint)) => {
                self.targets[index].delivered.set(key, fingerprint);
            }
            Some(Effect::Remove(index, key)) => self.targets[index].delivered.remove(&key),
            None => {}
        }
        let share_key = match &self.targets[..] {
            [only] if only.subscription.is_shared() => Some(ShareKey::new(
                only.subscription.latest().id,
                &kind,
                subject,
                observe_time,
                only.delivered.digest(),
            )),
            _ => None,
        };
        Event { kind, observe_time, share_key }
    }

    fn take(&mut self, index: usize, observation: Observation) -> Result<(), Error> {
        if !observation.is_complete() || self.is_stale(index, &observation) {
            return Ok(());
        }
        self.queue_availability(index, &observation)?;
        self.queue_points(index, &observation);
        self.targets[index].latest = Some(observation);
        if self.phase == Phase::Syncing
            && self.targets.iter().all(|watched| watched.latest.is_some())
        {
            self.require_any_target()?;
            self.phase = Phase::Synced;
            let synced = QueuedEvent::general(EventKind::Synced, self.oldest_reading());
            self.queue.push_back(synced);
        }
        Ok(())
    }

    /// A reading from before the watch began is sent only if it was made shortly before; otherwise a new one is on its
    /// way.
    fn is_stale(&self, index: usize, observation: &Observation) -> bool {
        let WatchedTarget { latest, subscription, .. } = &self.targets[index];
        let is_first = observation.last_error.is_none() && latest.is_none();
        let reading = observation.reading.as_ref();
        is_first && reading.is_some_and(|reading| subscription.is_stale(reading))
    }

    fn queue_availability(&mut self, index: usize, observation: &Observation) -> Result<(), Error> {
        let watched = &mut self.targets[index];
        let observe_time = observation.reading.as_ref().map(|reading| reading.time);
        let event = match (&observation.last_error, watched.availability) {
            (Some(error), _) if is_permanent(error) => {
                return Err(Error::clone(error).in_field(&watched.field(index)));
            }
            (Some(error), Availability::Available) => {
                watched.availability = Availability::Degraded;
                let kind = |name| EventKind::Degraded(name, Arc::clone(error));
                QueuedEvent::about(watched.target.to_string(), kind, observe_time, None)
            }
            (None, Availability::Degraded) => {
                watched.availability = Availability::Available;
                let name = watched.target.to_string();
                QueuedEvent::about(name, EventKind::Recovered, observe_time, None)
            }
            (Some(_), Availability::Degraded) | (None, Availability::Available) => return Ok(()),
        };
        self.queue.push_back(event);
        Ok(())
    }

    fn queue_points(&mut self, index: usize, observation: &Observation) {
        let Some(reading) = &observation.reading else { return };
        let Self { targets, queue, .. } = self;
        let watched = &mut targets[index];
        for (name, snapshot) in reading.points.iter() {
            let key = watched.target.point_key(name);
            if watched.has_received(key, snapshot) {
                continue;
            }
            let kind = match watched.latest {
                None => EventKind::Snapshot,
                Some(_) => EventKind::Changed,
            };
            let effect = Effect::Set(index, key.into(), snapshot.fingerprint);
            queue.push_back(QueuedEvent::point(kind, snapshot, reading.time, effect));
        }
        watched.delivered.upgrade();
        let deleted = |name, effect| {
            QueuedEvent::about(name, EventKind::Deleted, Some(reading.time), Some(effect))
        };
        if let Target::Collection(_) = watched.target {
            for (name, key) in watched.deleted_points(reading) {
                queue.push_back(deleted(name, Effect::Remove(index, key)));
            }
        }
        match reading.presence {
            Presence::Absent if watched.delivered.get("") != Some(GONE) => {
                let effect = Effect::Set(index, Box::default(), GONE);
                queue.push_back(deleted(watched.known_name(), effect));
            }
            Presence::Absent => {}
            Presence::Present => {
                if let Target::Collection(_) = watched.target {
                    watched.delivered.remove("");
                }
            }
        }
    }

    /// A request of which no target exists is an error; a resumed watch has seen its targets.
    fn require_any_target(&self) -> Result<(), Error> {
        let is_absent = |reading: &Reading| reading.presence == Presence::Absent;
        match &self.targets[..] {
            [first, ..] if self.start != Start::Resumed && self.every_reading(is_absent) => {
                Err(Error::NotFound {
                    name: first.target.to_string(),
                    field: Some(first.field(0)),
                    detail: String::new(),
                })
            }
            _ => Ok(()),
        }
    }

    fn is_complete(&self) -> bool {
        self.follow == Follow::UntilTerminal
            && self.phase == Phase::Synced
            && self.targets.iter().all(|watched| watched.availability == Availability::Available)
            && self.every_reading(Reading::is_terminal)
    }

    fn every_reading(&self, predicate: impl Fn(&Reading) -> bool) -> bool {
        self.targets.iter().all(|watched| watched.reading().is_some_and(&predicate))
    }

    /// When the backend was last read for the target that was read longest ago. A poll without a change is no update,
    /// so this looks into the channels.
    fn oldest_reading(&self) -> Option<Timestamp> {
        let time =
            |watched: &WatchedTarget| Some(watched.subscription.latest().reading.as_ref()?.time);
        self.targets.iter().filter_map(time).min()
    }
}

impl Stream for Watcher {
    type Item = Result<Event, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Event, Error>>> {
        self.poll_event(context)
    }
}

/// A malformed or unsupported request stays one.
fn is_permanent(error: &Error) -> bool {
    matches!(error, Error::InvalidArgument { .. } | Error::Unsupported { .. })
}

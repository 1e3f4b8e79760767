//! One watcher's view: from what pollers know to the events that this watcher has not been told yet.
//!
//! There may be ten thousand of these on one point, so nothing is kept in one that its target's channel
//! holds for all.

use std::collections::{HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use tokio::time::{Instant, Sleep, sleep};
use tokio_stream::StreamMap;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::event::{What, frame};
use super::frames::Key;
use super::hub::{Following, Hub};
use super::reading::{Observation, Presence, Reading};
use super::target::Target;
use super::token::{Opened, Resume};
use super::told::{GONE, Told};
use crate::model::Error;

/// A watch: the stream of its events, each a `WatchStatusResponse` in its gRPC frame. It ends when the watch
/// has ended well.
///
/// Its error is the last that it gives: a target can never be watched, because it is no name of its vendor's,
/// or there is nothing at all to watch.
#[derive(Debug)]
pub struct Session {
    hub: Hub,
    watched: Vec<Watched>,
    updates: StreamMap<usize, WatchStream<Observation>>,
    resumed: Resumed,
    /// Events of the last reading that have not been given out. Nothing else is read before that.
    queue: VecDeque<Queued>,
    phase: Phase,
    follow: Follow,
    heartbeat: Duration,
    silent_since: Instant,
    /// Wakes at the next heartbeat, or before it if there was an event meanwhile.
    timer: Pin<Box<Sleep>>,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// A target, as this watcher knows it.
#[derive(Debug)]
struct Watched {
    target: Target,
    following: Following,
    /// The latest that was taken from it, as far as it has said anything.
    latest: Option<Observation>,
    /// What the watcher has been told, up to the last event given out.
    told: Told,
    /// What the watcher knows of the vendor.
    answering: Answering,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answering {
    Yes,
    /// DEGRADED was told.
    No,
}

/// An event on its way. A token is sealed when the event is given out, so that it never speaks for one
/// that the watcher has not seen.
#[derive(Debug)]
struct Queued {
    what: What,
    observed: Option<Timestamp>,
    /// What the watcher knows once he has it.
    tells: Option<Tells>,
}

/// A change of what has been told of the target with this index.
#[derive(Debug)]
enum Tells {
    Now(usize, Box<str>, u64),
    NoMore(usize, Box<str>),
}

/// Whether the watch ends when nothing will change by itself any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// It ends then.
    UntilTerminal,
    /// It goes on.
    Forever,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resumed {
    Afresh,
    FromToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Syncing,
    Synced,
    Drained,
}

impl Session {
    /// Begins a watch of `targets`, resumed where `token` left off unless it is empty.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a token that was never valid for these targets.
    pub fn begin(
        hub: &Hub,
        targets: Vec<Target>,
        token: &str,
        follow: Follow,
        heartbeat: Duration,
        draining: CancellationToken,
    ) -> Result<Self, Error> {
        let mut queue = VecDeque::new();
        let (resume, resumed) = match token {
            "" => (Resume::default(), Resumed::Afresh),
            token => match Resume::open(hub.sealer(), &targets, token)? {
                Opened::Valid(resume) => (resume, Resumed::FromToken),
                Opened::TooOld => {
                    queue.push_back(Queued { what: What::Reset, observed: None, tells: None });
                    (Resume::default(), Resumed::Afresh)
                }
            },
        };
        let mut updates = StreamMap::with_capacity(targets.len());
        let watched = targets.into_iter().enumerate().map(|(index, target)| {
            let following = hub.follow(&target, resume.operation(&target));
            updates.insert(index, WatchStream::new(following.updates()));
            let told = resume.told(&target);
            Watched { target, following, latest: None, told, answering: Answering::Yes }
        });
        Ok(Self {
            hub: hub.clone(),
            watched: watched.collect(),
            updates,
            resumed,
            queue,
            phase: Phase::Syncing,
            follow,
            heartbeat,
            silent_since: Instant::now(),
            timer: Box::pin(sleep(heartbeat)),
            draining: Box::pin(draining.cancelled_owned()),
        })
    }

    /// Whether the watch ended because the gateway stops.
    pub fn is_drained(&self) -> bool {
        self.phase == Phase::Drained
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if let Some(queued) = self.queue.pop_front() {
                return Poll::Ready(Some(self.give_out(queued)));
            }
            if self.is_drained() || self.has_come_to_rest() {
                return Poll::Ready(None);
            }
            match Pin::new(&mut self.updates).poll_next(context) {
                Poll::Ready(Some((index, observation))) => {
                    self.take(index, observation)?;
                    continue;
                }
                // Pollers end after their last watcher only, unless one has panicked.
                Poll::Ready(None) => {
                    let problem = "what is watched is polled no more".to_owned();
                    return Poll::Ready(Some(Err(Error::Internal { problem })));
                }
                Poll::Pending => {}
            }
            if self.draining.as_mut().poll(context).is_ready() {
                self.queue(What::Draining, None);
                self.phase = Phase::Drained;
                continue;
            }
            ready!(self.poll_heartbeat(context));
            self.queue(What::Heartbeat, self.oldest_reading());
        }
    }

    /// Waits until nothing has been told for the interval of the heartbeat. The timer is set anew only when it
    /// has run out: most events would move it for nothing.
    fn poll_heartbeat(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let due = self.silent_since + self.heartbeat;
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
    }

    /// The frame of an event, with the token that resumes after it.
    fn give_out(&mut self, queued: Queued) -> Result<Bytes, Error> {
        let Queued { what, observed, tells } = queued;
        self.silent_since = Instant::now();
        self.hub.tally().told(what.kind(), observed);
        match tells {
            Some(Tells::Now(index, word, fingerprint)) => {
                self.watched[index].told.set(word, fingerprint);
            }
            Some(Tells::NoMore(index, word)) => {
                self.watched[index].told.remove(&word);
            }
            None => {}
        }
        match &self.watched[..] {
            // One who watches alone has his frames to himself: nobody needs them to be kept.
            [Watched { following, told, .. }] if following.is_shared() => {
                let key = Key::new(&what, observed, told);
                let frames = Arc::clone(&following.now().frames);
                frames.get_or_make(key, || self.frame(&what, observed))
            }
            _ => self.frame(&what, observed),
        }
    }

    fn frame(&self, what: &What, observed: Option<Timestamp>) -> Result<Bytes, Error> {
        let mut resume = Resume::default();
        for watched in &self.watched {
            resume.tell(&watched.target, &watched.told);
            if let Some(operation) = &watched.following.now().operation {
                resume.carry(&watched.target, operation);
            }
        }
        let targets = self.watched.iter().map(|watched| &watched.target);
        frame(what, resume.seal(self.hub.sealer(), targets)?, observed)
    }

    fn take(&mut self, index: usize, observation: Observation) -> Result<(), Error> {
        if !observation.is_answer() || self.is_too_old(index, &observation) {
            return Ok(());
        }
        self.tell_trouble(index, &observation)?;
        self.tell_points(index, &observation);
        self.watched[index].latest = Some(observation);
        if self.phase == Phase::Syncing
            && self.watched.iter().all(|watched| watched.latest.is_some())
        {
            self.nothing_at_all()?;
            self.phase = Phase::Synced;
            self.queue(What::Synced, self.oldest_reading());
        }
        Ok(())
    }

    /// What was known before the watch began is told only if it was read shortly before; otherwise a new
    /// reading is on its way.
    fn is_too_old(&self, index: usize, observation: &Observation) -> bool {
        let Watched { latest, following, .. } = &self.watched[index];
        let known = observation.trouble.is_none() && latest.is_none();
        let reading = observation.reading.as_ref();
        known && reading.is_some_and(|reading| following.is_too_old(reading))
    }

    fn queue(&mut self, what: What, observed: Option<Timestamp>) {
        self.queue.push_back(Queued { what, observed, tells: None });
    }

    fn tell_trouble(&mut self, index: usize, observation: &Observation) -> Result<(), Error> {
        let watched = &mut self.watched[index];
        let observed = observation.reading.as_ref().map(|reading| reading.time);
        let what = match (&observation.trouble, watched.answering) {
            (Some(error), _) if is_lasting(error) => {
                return Err(Error::clone(error).in_field(&watched.field(index)));
            }
            (Some(error), Answering::Yes) => {
                watched.answering = Answering::No;
                What::Degraded(watched.target.to_string(), Arc::clone(error))
            }
            (None, Answering::No) => {
                watched.answering = Answering::Yes;
                What::Recovered(watched.target.to_string())
            }
            (Some(_), Answering::No) | (None, Answering::Yes) => return Ok(()),
        };
        self.queue(what, observed);
        Ok(())
    }

    fn tell_points(&mut self, index: usize, observation: &Observation) {
        let Some(reading) = &observation.reading else { return };
        let Self { watched, queue, .. } = self;
        let watched = &mut watched[index];
        let mut tell = |what, tells| {
            queue.push_back(Queued { what, observed: Some(reading.time), tells: Some(tells) });
        };
        for (name, seen) in reading.points.iter() {
            let word = watched.target.word(name);
            if watched.told.get(word) == Some(seen.fingerprint) {
                continue;
            }
            let what = match watched.latest {
                None => What::Snapshot(seen.clone()),
                Some(_) => What::Changed(seen.clone()),
            };
            tell(what, Tells::Now(index, word.into(), seen.fingerprint));
        }
        if let Target::Collection(_) = watched.target {
            for (name, word) in watched.vanished(reading) {
                tell(What::Deleted(name), Tells::NoMore(index, word));
            }
        }
        match reading.presence {
            Presence::Gone if watched.told.get("") != Some(GONE) => {
                let what = What::Deleted(watched.known_name());
                tell(what, Tells::Now(index, Box::default(), GONE));
            }
            Presence::Gone => {}
            Presence::Here => {
                if let Target::Collection(_) = watched.target {
                    watched.told.remove("");
                }
            }
        }
    }

    /// A request of which nothing exists names the wrong things; one that was resumed has seen them.
    fn nothing_at_all(&self) -> Result<(), Error> {
        let gone = |reading: &Reading| reading.presence == Presence::Gone;
        match &self.watched[..] {
            [first, ..] if self.resumed == Resumed::Afresh && self.every_reading(gone) => {
                Err(Error::NotFound {
                    name: first.target.to_string(),
                    field: Some(first.field(0)),
                    detail: String::new(),
                })
            }
            _ => Ok(()),
        }
    }

    fn has_come_to_rest(&self) -> bool {
        self.follow == Follow::UntilTerminal
            && self.phase == Phase::Synced
            && self.watched.iter().all(|watched| watched.answering == Answering::Yes)
            && self.every_reading(Reading::is_terminal)
    }

    fn every_reading(&self, holds: impl Fn(&Reading) -> bool) -> bool {
        self.watched.iter().all(|watched| watched.reading().is_some_and(&holds))
    }

    /// When the vendor was last read of the target that was read longest ago. Readings that show the same
    /// do not come as updates.
    fn oldest_reading(&self) -> Option<Timestamp> {
        let time = |watched: &Watched| Some(watched.following.now().reading.as_ref()?.time);
        self.watched.iter().filter_map(time).min()
    }
}

impl Stream for Session {
    type Item = Result<Bytes, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        self.poll_event(context)
    }
}

impl Watched {
    fn reading(&self) -> Option<&Reading> {
        self.latest.as_ref()?.reading.as_ref()
    }

    /// The points of a collection that this watcher knows and `reading` has not: names, and what tokens call
    /// them. Those that only a token knows are called by the collection's name as it was asked for.
    fn vanished(&self, reading: &Reading) -> Vec<(String, Box<str>)> {
        let target = &self.target;
        if let Some(known) = self.reading() {
            let gone = known.points.keys().filter(|name| !reading.points.contains_key(*name));
            return gone.map(|name| (name.clone(), target.word(name).into())).collect();
        }
        let here: HashSet<_> = reading.points.keys().map(|name| target.word(name)).collect();
        let known = self.told.iter().map(|(word, _)| word).filter(|word| !word.is_empty());
        let gone = known.filter(|word| !here.contains(word));
        let mut gone: Vec<_> =
            gone.map(|word| (format!("{target}/restorePoints/{word}"), word.into())).collect();
        gone.sort_unstable();
        gone
    }

    /// The name that a watched point had, however it was asked for; of a collection, the one asked for.
    fn known_name(&self) -> String {
        let name = match self.target {
            Target::Point(_) => self.reading().and_then(|known| known.points.keys().next()),
            Target::Collection(_) => None,
        };
        name.map_or_else(|| self.target.to_string(), Clone::clone)
    }

    fn field(&self, index: usize) -> String {
        match self.target {
            Target::Point(_) => format!("names[{index}]"),
            Target::Collection(_) => "parent".to_owned(),
        }
    }
}

/// What the request got wrong will not pass.
fn is_lasting(error: &Error) -> bool {
    matches!(error, Error::InvalidArgument { .. } | Error::Unsupported { .. })
}

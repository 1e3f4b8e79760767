//! One watcher's view: from what pollers know to the events that this watcher has not been told yet.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{StreamExt, StreamMap};
use tokio_util::sync::CancellationToken;

use super::event::{Sole, What, encode};
use super::hub::{Following, Hub};
use super::reading::{Observation, Presence};
use super::target::Target;
use super::token::{GONE, Opened, Resume, told_key};
use crate::model::Error;

/// What a watch is to be.
#[derive(Debug)]
pub struct Session {
    hub: Hub,
    targets: Vec<Target>,
    updates: StreamMap<usize, WatchStream<Observation>>,
    followed: Vec<Following>,
    /// The latest of each target, as far as it has said anything.
    latest: Vec<Option<Observation>>,
    /// Names told of each target: what is missing from a later reading has been deleted.
    names: Vec<HashSet<String>>,
    degraded: HashSet<usize>,
    /// What the watcher has been told up to the last event given out, and the handles that its tokens
    /// carry.
    resume: Resume,
    /// The same with what stands in the queue: what is not to be queued again.
    queued: BTreeMap<String, u64>,
    resumed: Resumed,
    queue: VecDeque<Queued>,
    phase: Phase,
    follow: Follow,
    heartbeat: Duration,
    silent_since: Instant,
    /// The first readings told are not from before this.
    not_before: Timestamp,
    draining: CancellationToken,
}

/// An event on its way. A token is sealed when the event is given out, so that it never speaks for one
/// that the watcher has not seen.
#[derive(Debug)]
struct Queued {
    what: What,
    observed: Option<Timestamp>,
    told: Option<Told>,
}

/// What a watcher knows once he has an event.
#[derive(Debug)]
enum Told {
    Now(String, u64),
    NoMore(String),
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
    Ended,
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
                    queue.push_back(Queued { what: What::Reset, observed: None, told: None });
                    (Resume::default(), Resumed::Afresh)
                }
            },
        };
        let followed: Vec<_> =
            targets.iter().map(|target| hub.follow(target, resume.operation(target))).collect();
        let mut updates = StreamMap::with_capacity(targets.len());
        for (index, following) in followed.iter().enumerate() {
            updates.insert(index, WatchStream::new(following.updates()));
        }
        Ok(Self {
            hub: hub.clone(),
            updates,
            followed,
            latest: targets.iter().map(|_| None).collect(),
            names: targets.iter().map(|target| known_names(target, &resume)).collect(),
            targets,
            degraded: HashSet::new(),
            queued: resume.told.clone(),
            resume,
            resumed,
            queue,
            phase: Phase::Syncing,
            follow,
            heartbeat,
            silent_since: Instant::now(),
            not_before: Timestamp::now().saturating_sub(hub.freshness()).unwrap_or(Timestamp::MIN),
            draining,
        })
    }

    /// The next event, a `WatchStatusResponse` in its encoding; none when the watch has ended well.
    ///
    /// # Errors
    /// When a target can never be watched: it is no name of its vendor's, or there is nothing at all to
    /// watch.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(Queued { what, observed, told }) = self.queue.pop_front() {
                self.silent_since = Instant::now();
                match told {
                    Some(Told::Now(key, fingerprint)) => {
                        self.resume.told.insert(key, fingerprint);
                    }
                    Some(Told::NoMore(key)) => {
                        self.resume.told.remove(&key);
                    }
                    None => {}
                }
                return self.encoded(&what, observed).map(Some);
            }
            if self.phase == Phase::Ended || self.has_come_to_rest() {
                return Ok(None);
            }
            let draining = self.draining.clone();
            tokio::select! {
                biased;
                () = draining.cancelled() => {
                    self.queue(What::Draining, None);
                    self.phase = Phase::Ended;
                }
                update = self.updates.next() => match update {
                    Some((index, observation)) => self.take(index, observation)?,
                    // Pollers end after their last watcher only, unless one has panicked.
                    None => {
                        let problem = "what is watched is polled no more".to_owned();
                        return Err(Error::Internal { problem });
                    }
                },
                () = sleep_until(self.silent_since + self.heartbeat) => {
                    self.queue(What::Heartbeat, self.oldest_reading());
                }
            }
        }
    }

    /// Whether the watch ended because the gateway stops.
    pub fn is_drained(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// The event with the token that resumes after it.
    fn encoded(&mut self, what: &What, observed: Option<Timestamp>) -> Result<Bytes, Error> {
        let shared = self.shared();
        if let Some(bytes) = shared.as_ref().and_then(|sole| sole.cell(what)?.get()) {
            return Ok(bytes.clone());
        }
        for (target, following) in self.targets.iter().zip(&self.followed) {
            if let Some(operation) = following.now().operation {
                self.resume.carry(target, &operation);
            }
        }
        let resume_token = self.resume.seal(self.hub.sealer(), &self.targets)?;
        let bytes = encode(what, resume_token, observed);
        if let Some(cell) = shared.as_ref().and_then(|sole| sole.cell(what)) {
            // Whoever was first, its token is as good.
            return Ok(cell.get_or_init(|| bytes).clone());
        }
        Ok(bytes)
    }

    /// Where the events of all those are kept who, like this watcher, watch one point and know of it just
    /// what is known now.
    fn shared(&self) -> Option<Arc<Sole>> {
        let ([target @ Target::Point(_)], [following]) = (&self.targets[..], &self.followed[..])
        else {
            return None;
        };
        let now = following.now();
        let mut points = now.reading.iter().flat_map(|reading| reading.points.iter());
        let (name, seen) = points.next()?;
        let told = self.resume.told.get(&told_key(target, name));
        (self.resume.told.len() == 1 && told == Some(&seen.fingerprint)).then_some(now.sole)
    }

    fn take(&mut self, index: usize, observation: Observation) -> Result<(), Error> {
        if !observation.is_answer() || self.is_too_old(index, &observation) {
            return Ok(());
        }
        self.tell_trouble(index, &observation)?;
        self.tell_points(index, &observation);
        self.latest[index] = Some(observation);
        if self.phase == Phase::Syncing && self.latest.iter().all(Option::is_some) {
            self.nothing_at_all()?;
            self.phase = Phase::Synced;
            self.queue(What::Synced, self.oldest_reading());
        }
        Ok(())
    }

    /// What was known before the watch began is told only if it was read shortly before; otherwise a new
    /// reading is on its way.
    fn is_too_old(&self, index: usize, observation: &Observation) -> bool {
        let known = observation.trouble.is_none() && self.latest[index].is_none();
        known && observation.reading.as_ref().is_some_and(|reading| reading.time < self.not_before)
    }

    fn queue(&mut self, what: What, observed: Option<Timestamp>) {
        self.queue.push_back(Queued { what, observed, told: None });
    }

    fn tell_trouble(&mut self, index: usize, observation: &Observation) -> Result<(), Error> {
        let target = self.targets[index].to_string();
        let observed = observation.reading.as_ref().map(|reading| reading.time);
        match &observation.trouble {
            Some(error) if is_lasting(error) => {
                return Err(Error::clone(error).in_field(&self.field(index)));
            }
            Some(error) if self.degraded.insert(index) => {
                self.queue(What::Degraded(target, Arc::clone(error)), observed);
            }
            None if self.degraded.remove(&index) => {
                self.queue(What::Recovered(target), observed);
            }
            _ => {}
        }
        Ok(())
    }

    fn tell_points(&mut self, index: usize, observation: &Observation) {
        let Some(reading) = &observation.reading else { return };
        let observed = Some(reading.time);
        let target = &self.targets[index];
        for (name, seen) in reading.points.iter() {
            self.names[index].insert(name.clone());
            let key = told_key(target, name);
            if self.queued.insert(key.clone(), seen.fingerprint) == Some(seen.fingerprint) {
                continue;
            }
            let message = Arc::clone(&seen.message);
            let what = match self.latest[index] {
                None => What::Snapshot(message),
                Some(_) => What::Changed(message),
            };
            let told = Some(Told::Now(key, seen.fingerprint));
            self.queue.push_back(Queued { what, observed, told });
        }
        let here = reading.presence == Presence::Here;
        // A point that is gone is told by the name it had, however it was asked for.
        let gone = match target {
            Target::Point(_) if !here => self.names[index].drain().next(),
            _ => None,
        };
        for name in self.names[index].extract_if(|name| !reading.points.contains_key(name)) {
            let key = told_key(target, &name);
            self.queued.remove(&key);
            let told = Some(Told::NoMore(key));
            self.queue.push_back(Queued { what: What::Deleted(name), observed, told });
        }
        let key = told_key(target, "");
        if !here && self.queued.insert(key.clone(), GONE) != Some(GONE) {
            let what = What::Deleted(gone.unwrap_or_else(|| target.to_string()));
            self.queue.push_back(Queued { what, observed, told: Some(Told::Now(key, GONE)) });
        }
    }

    /// A request of which nothing exists names the wrong things; one that was resumed has seen them.
    fn nothing_at_all(&self) -> Result<(), Error> {
        let gone = |latest: &Option<Observation>| {
            let reading = latest.as_ref().and_then(|latest| latest.reading.as_ref());
            reading.is_some_and(|reading| reading.presence == Presence::Gone)
        };
        if self.resumed == Resumed::FromToken || !self.latest.iter().all(gone) {
            return Ok(());
        }
        Err(Error::NotFound {
            name: self.targets[0].to_string(),
            field: Some(self.field(0)),
            detail: String::new(),
        })
    }

    fn has_come_to_rest(&self) -> bool {
        let at_rest = |latest: &Option<Observation>| {
            let reading = latest.as_ref().and_then(|latest| latest.reading.as_ref());
            reading.is_some_and(|reading| reading.is_terminal())
        };
        self.follow == Follow::UntilTerminal
            && self.phase == Phase::Synced
            && self.degraded.is_empty()
            && self.latest.iter().all(at_rest)
    }

    /// When the vendor was last read of the target that was read longest ago. Readings that show the same
    /// do not come as updates.
    fn oldest_reading(&self) -> Option<Timestamp> {
        let readings = self.followed.iter().filter_map(|following| following.now().reading);
        readings.map(|reading| reading.time).min()
    }

    fn field(&self, index: usize) -> String {
        match self.targets[index] {
            Target::Point(_) => format!("names[{index}]"),
            Target::Collection(_) => "parent".to_owned(),
        }
    }
}

/// What the request got wrong will not pass.
fn is_lasting(error: &Error) -> bool {
    matches!(error, Error::InvalidArgument { .. } | Error::Unsupported { .. })
}

/// The points of a collection that a resumed watcher knows: one that is missing now has been deleted.
fn known_names(target: &Target, resume: &Resume) -> HashSet<String> {
    match target {
        Target::Point(_) => HashSet::new(),
        Target::Collection(name) => {
            resume.told.keys().map(|point| format!("{name}/restorePoints/{point}")).collect()
        }
    }
}

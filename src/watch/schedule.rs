//! Which target of one backend is read next, and when: a plan without clock, task or vendor of its own.
//!
//! The longest waiting goes first. A target that changes is read sooner, a silent one later and later,
//! and none before the vendor's own Retry-After.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::pace::Pace;
use super::reading::{Difference, Observation};
use super::target::Target;
use crate::backend::Operation;

/// How fast pauses grow while nothing changes.
const GROWTH: f64 = 1.5;
/// How many targets are read together where one call answers for many.
const MOST_TOGETHER: usize = 100;

/// The targets of one backend.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    entries: HashMap<Arc<str>, Entry>,
    /// Those that wait, by the time at which they want to be read.
    waiting: BTreeSet<(Instant, Arc<str>)>,
}

#[derive(Debug)]
struct Entry {
    target: Arc<Target>,
    latest: watch::Sender<Observation>,
    watchers: usize,
    audience: Audience,
    /// Whether any of them came after the last reading began: they wait for the next even if it shows the
    /// same.
    newcomers: Newcomers,
    /// Targets with the same are read together.
    batch: Option<Arc<str>>,
    pause: Duration,
    /// When it was last read, or began to be.
    read: Option<Instant>,
    /// The vendor does not want to be asked earlier.
    not_before: Option<Instant>,
    turn: Turn,
}

/// Those who watch one target, each of whom holds a clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Audience(Arc<()>);

impl Audience {
    /// Whether whoever asks is one of several.
    pub(super) fn is_shared(&self) -> bool {
        // The plan holds one.
        Arc::strong_count(&self.0) > 2
    }
}

/// Whether someone waits for a first reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newcomers {
    None,
    Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Waiting(Instant),
    /// It has no watcher, and is forgotten at this time unless one comes.
    Forsaken(Instant),
    BeingRead,
    /// A watcher came while it was read.
    BeingReadAndAskedFor,
}

/// A target to be read now.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub key: Arc<str>,
    pub target: Arc<Target>,
    pub operation: Option<Arc<Operation>>,
}

/// What came of a reading, as far as the plan is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Read(Difference),
    /// It could not be read, and the vendor asks for this pause.
    Failed(Option<Duration>),
}

impl Schedule {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, entries: HashMap::new(), waiting: BTreeSet::new() }
    }

    /// Plans by another pace from now on.
    pub(super) fn repace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Adds a watcher, who is told what is known at once, and of a new reading as soon as one is due.
    pub(super) fn follow(
        &mut self,
        key: &Arc<str>,
        target: &Target,
        batch: Option<Arc<str>>,
        operation: Option<Operation>,
        now: Instant,
    ) -> (watch::Receiver<Observation>, Audience) {
        let (waiting, pace) = (&mut self.waiting, self.pace);
        let entry = self.entries.entry(Arc::clone(key)).or_insert_with(|| {
            waiting.insert((now, Arc::clone(key)));
            Entry {
                target: Arc::new(target.clone()),
                latest: watch::Sender::default(),
                watchers: 0,
                audience: Audience::default(),
                newcomers: Newcomers::None,
                batch,
                pause: pace.quickest,
                read: None,
                not_before: None,
                turn: Turn::Waiting(now),
            }
        });
        entry.watchers += 1;
        entry.newcomers = Newcomers::Waiting;
        let following = (entry.latest.subscribe(), entry.audience.clone());
        if let Some(operation) = operation {
            entry.latest.send_if_modified(|latest| {
                if latest.operation.is_none() {
                    latest.operation = Some(Arc::new(operation));
                    // The tokens in them do not carry it.
                    latest.frames = Arc::default();
                }
                false
            });
        }
        // A newcomer may bring a reading forward, but never make it faster than the quickest pace, or than
        // the vendor allows.
        let soonest = entry.read.map(|read| read + pace.quickest).max(entry.not_before);
        let soonest = soonest.map_or(now, |soonest| soonest.max(now));
        let (due, sooner) = match entry.turn {
            Turn::Waiting(due) => (due, due.min(soonest)),
            // When it would have been forgotten says nothing of when it may be read.
            Turn::Forsaken(end) => (end, soonest),
            Turn::BeingRead | Turn::BeingReadAndAskedFor => {
                entry.turn = Turn::BeingReadAndAskedFor;
                return following;
            }
        };
        waiting.remove(&(due, Arc::clone(key)));
        waiting.insert((sooner, Arc::clone(key)));
        entry.turn = Turn::Waiting(sooner);
        following
    }

    /// Takes note that a watcher has left.
    pub(super) fn left(&mut self, key: &Arc<str>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.watchers = entry.watchers.saturating_sub(1);
        if let (0, Turn::Waiting(due)) = (entry.watchers, entry.turn) {
            self.waiting.remove(&(due, Arc::clone(key)));
            self.forsake(key, now);
        }
    }

    /// Keeps a target that nobody watches for a while, and as long as the vendor does not want to be asked:
    /// whoever comes meanwhile must not ask as if nothing had been said.
    fn forsake(&mut self, key: &Arc<str>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let end = entry.not_before.max(Some(now + self.pace.linger)).unwrap_or(now);
        entry.turn = Turn::Forsaken(end);
        self.waiting.insert((end, Arc::clone(key)));
    }

    /// What to read now: the one that has waited longest, and what can be read together with it.
    pub(super) fn take(&mut self, now: Instant) -> Option<Vec<Due>> {
        let first = loop {
            let (_, key) = self.waiting.first().filter(|(due, _)| *due <= now)?.clone();
            self.waiting.pop_first();
            match self.entries.get(&key)?.turn {
                Turn::Forsaken(_) => drop(self.entries.remove(&key)),
                _ => break key,
            }
        };
        let mut keys = vec![first];
        let first = self.entries.get(&keys[0])?;
        if let Some(batch) = &first.batch {
            // A little early costs nothing if the call is made anyway, and keeps together what is together.
            let soon = now + first.pause / 2;
            let fits = |key: &Arc<str>| {
                self.entries.get(key).is_some_and(|entry| {
                    entry.batch.as_ref() == Some(batch)
                        && entry.watchers > 0
                        && entry.not_before.is_none_or(|not_before| not_before <= now)
                })
            };
            let waiting = self.waiting.iter().take_while(|(due, _)| *due <= soon);
            let together: Vec<_> =
                waiting.filter(|(_, key)| fits(key)).take(MOST_TOGETHER - 1).cloned().collect();
            for waiting in together {
                self.waiting.remove(&waiting);
                keys.push(waiting.1);
            }
        }
        let due = keys.into_iter().filter_map(|key| {
            let entry = self.entries.get_mut(&key)?;
            entry.turn = Turn::BeingRead;
            entry.read = Some(now);
            let operation = entry.latest.borrow().operation.clone();
            Some(Due { key, target: Arc::clone(&entry.target), operation })
        });
        Some(due.collect())
    }

    /// The channel to publish a reading in, and whether someone waits for it whatever it shows.
    pub(super) fn publication(
        &mut self,
        key: &str,
    ) -> Option<(watch::Sender<Observation>, Newcomers)> {
        let entry = self.entries.get_mut(key)?;
        let newcomers = std::mem::replace(&mut entry.newcomers, Newcomers::None);
        Some((entry.latest.clone(), newcomers))
    }

    /// Plans the next reading. `spread` is up to 1.0, to pull apart what began together.
    pub(super) fn plan(&mut self, key: &Arc<str>, outcome: Outcome, spread: f64, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let began = entry.read.unwrap_or(now);
        let asked_for = entry.turn == Turn::BeingReadAndAskedFor;
        let grown = entry.pause.mul_f64(GROWTH).max(self.pace.quickest).min(self.pace.slowest);
        entry.not_before = match outcome {
            Outcome::Failed(asked) => asked.map(|asked| began + asked),
            Outcome::Read(_) => None,
        };
        let (pause, least) = match outcome {
            Outcome::Read(Difference::Change) => (self.pace.quickest, Duration::ZERO),
            Outcome::Read(Difference::CopyFigures) => match *entry.target {
                // The vendor shows others only then: whoever asks sooner sees the same.
                Target::Point(_) => {
                    (self.pace.quickest, self.pace.progress.saturating_sub(entry.pause))
                }
                // In a collection, anything may happen meanwhile to what is not being copied.
                Target::Collection(_) => (grown, Duration::ZERO),
            },
            Outcome::Read(Difference::None) => (grown, Duration::ZERO),
            Outcome::Failed(asked) => (grown, asked.unwrap_or_default()),
        };
        entry.pause = pause;
        let wanted = match (asked_for, outcome) {
            (true, Outcome::Read(_)) => self.pace.quickest,
            _ => pause.max(least),
        };
        if entry.watchers == 0 {
            return self.forsake(key, now);
        }
        // Up to a tenth later.
        let due = (began + wanted.mul_f64(1.0 + spread / 10.0)).max(now);
        entry.turn = Turn::Waiting(due);
        self.waiting.insert((due, Arc::clone(key)));
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// How long the one that waits longest has waited beyond its time.
    pub(super) fn longest_wait(&self, now: Instant) -> Duration {
        self.next_due().map_or(Duration::ZERO, |due| now.saturating_duration_since(due))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;

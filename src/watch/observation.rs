//! What a poller knows of its target.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use prost::Message;

use crate::backend::Operation;
use crate::convert;
use crate::model::{CollectionName, Error, PointRef, RestorePoint, State};
use crate::proto;

/// What can be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One point.
    Point(PointRef),
    /// All points of a collection, whichever come and go.
    Collection(CollectionName),
}

impl Target {
    /// The same for every way to write the target: both vendors compare ids without regard to case.
    pub(super) fn key(&self) -> String {
        self.to_string().to_lowercase()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(point) => point.fmt(f),
            Self::Collection(collection) => collection.fmt(f),
        }
    }
}

/// The latest that is known of a target.
#[derive(Debug, Clone, Default)]
pub(super) struct Observation {
    /// The points as last read; none before the first reading.
    pub reading: Option<Reading>,
    /// Why the target could not be read the last time.
    pub trouble: Option<Error>,
    /// The handle of the operation that makes the point, if a watcher or the gateway's own copy knows it.
    pub operation: Option<Operation>,
}

impl Observation {
    /// Whether it says anything yet.
    pub(super) fn is_answer(&self) -> bool {
        self.reading.is_some() || self.trouble.is_some()
    }
}

/// A reading of a target.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// By name. Empty when the target is gone.
    pub points: Arc<BTreeMap<String, Seen>>,
    /// Whether the target itself is there.
    pub presence: Presence,
    /// When the vendor was read.
    pub time: Timestamp,
}

/// Whether a target is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    Gone,
}

impl Reading {
    /// A target that is not there.
    pub(super) fn gone(time: Timestamp) -> Self {
        Self { points: Arc::default(), presence: Presence::Gone, time }
    }

    /// A target that is there, with these points.
    pub(super) fn of(points: impl IntoIterator<Item = RestorePoint>, time: Timestamp) -> Self {
        let points = points.into_iter().map(|point| (point.name.to_string(), Seen::new(point)));
        Self { points: Arc::new(points.collect()), presence: Presence::Here, time }
    }

    /// Whether nothing of it will change by itself.
    pub(super) fn is_terminal(&self) -> bool {
        self.points.values().all(|seen| seen.state.is_terminal())
    }

    /// Whether it shows the same as another one, whenever read.
    pub(super) fn shows_the_same(&self, other: &Self) -> bool {
        self.presence == other.presence
            && self.points.len() == other.points.len()
            && self.points.iter().zip(other.points.iter()).all(
                |((name, seen), (other_name, other_seen))| {
                    name == other_name && seen.fingerprint == other_seen.fingerprint
                },
            )
    }
}

/// A point as all its watchers will be told of it, converted once.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub message: Arc<proto::RestorePoint>,
    pub state: State,
    /// Of the message: what a resume token remembers of it.
    pub fingerprint: u64,
}

impl Seen {
    fn new(point: RestorePoint) -> Self {
        let state = point.state;
        let message = convert::restore_point(point);
        let fingerprint = short_hash(&message.encode_to_vec());
        Self { message: Arc::new(message), state, fingerprint }
    }
}

/// A hash that is the same on every replica and in every release.
pub(super) fn short_hash(bytes: &[u8]) -> u64 {
    let hash = digest(&SHA256, bytes);
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

//! What is known of a target, as all its watchers share it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use prost::Message;

use super::event::Sole;
use crate::backend::Operation;
use crate::convert;
use crate::model::{Error, RestorePoint, State};
use crate::proto;

/// The latest that is known of a target. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Observation {
    /// The points as last read; none before the first reading.
    pub reading: Option<Reading>,
    /// Why the target could not be read the last time.
    pub trouble: Option<Arc<Error>>,
    /// The handle of the operation that makes the point, if a watcher or the gateway's own copy knows it.
    pub operation: Option<Arc<Operation>>,
    /// The events of this observation for those who watch nothing else.
    pub sole: Arc<Sole>,
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

/// What a reading shows beyond the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    None,
    /// Nothing but how far things have come.
    Progress,
    /// A state, or what there is.
    State,
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

    /// What it shows beyond an earlier one, whenever read.
    pub(super) fn beyond(&self, earlier: &Self) -> Difference {
        if self.presence != earlier.presence || self.points.len() != earlier.points.len() {
            return Difference::State;
        }
        let pairs = || self.points.iter().zip(earlier.points.iter());
        if pairs().any(|((name, now), (old_name, old))| name != old_name || now.state != old.state)
        {
            return Difference::State;
        }
        match pairs().all(|((_, now), (_, old))| now.fingerprint == old.fingerprint) {
            true => Difference::None,
            false => Difference::Progress,
        }
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

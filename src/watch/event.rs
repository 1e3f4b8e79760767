//! The events of a watch, as the domain has them.

use std::sync::Arc;

use jiff::Timestamp;

use super::delivered::hash;
use super::reading::PointSnapshot;
use crate::model::{Error, RestorePoint};

/// An event, to be sent to one watcher.
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When the backend was read.
    pub observe_time: Option<Timestamp>,
    /// Equal for watchers that receive the same bytes, resume token included; none if the watcher shares with no other.
    pub share_key: Option<ShareKey>,
}

/// What happened, to which target.
#[derive(Debug)]
pub enum EventKind {
    /// The state of a point as the watch begins.
    Snapshot(Arc<RestorePoint>),
    /// The state of all targets has been sent.
    Synced,
    /// A point has changed, or is new in a watched collection.
    Changed(Arc<RestorePoint>),
    /// Nothing has changed.
    Heartbeat,
    /// A target, or a point of a watched collection, does not exist.
    Deleted(String),
    /// A target cannot be read.
    Degraded(String, Arc<Error>),
    /// A target can be read again.
    Recovered(String),
    /// The resume token has expired.
    Reset,
    /// The gateway is shutting down.
    Draining,
}

/// The kinds of events, without what they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// See [`EventKind::Snapshot`].
    Snapshot,
    /// See [`EventKind::Synced`].
    Synced,
    /// See [`EventKind::Changed`].
    Changed,
    /// See [`EventKind::Heartbeat`].
    Heartbeat,
    /// See [`EventKind::Deleted`].
    Deleted,
    /// See [`EventKind::Degraded`].
    Degraded,
    /// See [`EventKind::Recovered`].
    Recovered,
    /// See [`EventKind::Reset`].
    Reset,
    /// See [`EventKind::Draining`].
    Draining,
}

impl EventType {
    /// All types, in the contract's order.
    pub const ALL: [Self; 9] = [
        Self::Snapshot,
        Self::Synced,
        Self::Changed,
        Self::Heartbeat,
        Self::Deleted,
        Self::Degraded,
        Self::Recovered,
        Self::Reset,
        Self::Draining,
    ];

    /// The contract's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "SNAPSHOT",
            Self::Synced => "SYNCED",
            Self::Changed => "CHANGED",
            Self::Heartbeat => "HEARTBEAT",
            Self::Deleted => "DELETED",
            Self::Degraded => "DEGRADED",
            Self::Recovered => "RECOVERED",
            Self::Reset => "RESET",
            Self::Draining => "DRAINING",
        }
    }
}

impl EventKind {
    /// Its type.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Snapshot(_) => EventType::Snapshot,
            Self::Synced => EventType::Synced,
            Self::Changed(_) => EventType::Changed,
            Self::Heartbeat => EventType::Heartbeat,
            Self::Deleted(_) => EventType::Deleted,
            Self::Degraded(..) => EventType::Degraded,
            Self::Recovered(_) => EventType::Recovered,
            Self::Reset => EventType::Reset,
            Self::Draining => EventType::Draining,
        }
    }
}

/// What determines an event for all watchers of one target, and of that alone, who have received the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShareKey {
    /// The observation it is made of, which belongs to one target.
    observation: u64,
    event_type: EventType,
    subject: u64,
    observe_time: Option<Timestamp>,
    /// What the watcher has received with this event.
    delivered: u64,
}

impl ShareKey {
    pub(super) fn new(
        observation: u64,
        kind: &EventKind,
        subject: u64,
        observe_time: Option<Timestamp>,
        delivered: u64,
    ) -> Self {
        let event_type = kind.event_type();
        Self { observation, event_type, subject, observe_time, delivered }
    }
}

/// An event in a watcher's queue, and what it is about as a number.
#[derive(Debug)]
pub(super) struct QueuedEvent {
    pub(super) kind: EventKind,
    pub(super) subject: u64,
    pub(super) observe_time: Option<Timestamp>,
    /// What the watcher has received once the event is delivered.
    pub(super) effect: Option<Effect>,
}

/// A change of what has been delivered of the target with this index.
#[derive(Debug)]
pub(super) enum Effect {
    Set(usize, Box<str>, u64),
    Remove(usize, Box<str>),
}

impl QueuedEvent {
    /// An event about the watch as a whole.
    pub(super) fn general(kind: EventKind, observe_time: Option<Timestamp>) -> Self {
        Self { kind, subject: 0, observe_time, effect: None }
    }

    /// An event about a name.
    pub(super) fn about(
        name: String,
        kind: impl FnOnce(String) -> EventKind,
        observe_time: Option<Timestamp>,
        effect: Option<Effect>,
    ) -> Self {
        Self { subject: hash(&name), kind: kind(name), observe_time, effect }
    }

    /// SNAPSHOT or CHANGED of a point.
    pub(super) fn point(
        kind: impl FnOnce(Arc<RestorePoint>) -> EventKind,
        snapshot: &PointSnapshot,
        observe_time: Timestamp,
        effect: Effect,
    ) -> Self {
        Self {
            kind: kind(Arc::clone(&snapshot.point)),
            subject: snapshot.fingerprint,
            observe_time: Some(observe_time),
            effect: Some(effect),
        }
    }
}

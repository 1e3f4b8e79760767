//! One watcher's view of a target: what it has received, and how a new reading differs from that.
//!
//! Which events follow, and in which order they are sent, is [`super::watcher`]'s.

use std::collections::HashSet;

use super::delivered::Delivered;
use super::fingerprint::fingerprint;
use super::hub::Subscription;
use super::reading::{Observation, PointSnapshot, Reading};
use super::target::Target;

/// A target, as this watcher knows it.
#[derive(Debug)]
pub(super) struct WatchedTarget {
    pub(super) target: Target,
    pub(super) subscription: Subscription,
    /// The latest observation that was taken, as soon as there is one.
    pub(super) latest: Option<Observation>,
    /// Up to the last event that was delivered.
    pub(super) delivered: Delivered,
    pub(super) availability: Availability,
}

/// What the watcher knows of the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Availability {
    Available,
    /// DEGRADED was sent.
    Degraded,
}

impl WatchedTarget {
    pub(super) fn reading(&self) -> Option<&Reading> {
        self.latest.as_ref()?.reading.as_ref()
    }

    /// Whether the watcher has received the point as it is. What a token of an earlier release records is compared by
    /// the fingerprints of that release.
    pub(super) fn has_received(&mut self, key: &str, snapshot: &PointSnapshot) -> bool {
        let version = self.delivered.version();
        if version == super::FINGERPRINT_VERSION {
            return self.delivered.get(key) == Some(snapshot.fingerprint);
        }
        let same = fingerprint(&snapshot.point, version)
            .is_some_and(|fingerprint| self.delivered.get(key) == Some(fingerprint));
        if same {
            self.delivered.set(key.into(), snapshot.fingerprint);
        }
        same
    }

    /// The points of a collection that this watcher has received and that `reading` lacks: names, and keys. Those that
    /// only a token records are named with the collection's name as it was requested.
    pub(super) fn deleted_points(&self, reading: &Reading) -> Vec<(String, Box<str>)> {
        let target = &self.target;
        if let Some(known) = self.reading() {
            let gone = known.points.keys().filter(|name| !reading.points.contains_key(*name));
            return gone.map(|name| (name.clone(), target.point_key(name).into())).collect();
        }
        let present: HashSet<_> =
            reading.points.keys().map(|name| target.point_key(name)).collect();
        let known = self.delivered.iter().map(|(key, _)| key).filter(|key| !key.is_empty());
        let gone = known.filter(|key| !present.contains(key));
        let mut gone: Vec<_> =
            gone.map(|key| (format!("{target}/restorePoints/{key}"), key.into())).collect();
        gone.sort_unstable();
        gone
    }

    /// The canonical name of a watched point if it is known; of a collection, the name as it was requested.
    pub(super) fn known_name(&self) -> String {
        let name = match self.target {
            Target::Point(_) => self.reading().and_then(|known| known.points.keys().next()),
            Target::Collection(_) => None,
        };
        name.map_or_else(|| self.target.to_string(), Clone::clone)
    }

    pub(super) fn field(&self, index: usize) -> String {
        match self.target {
            Target::Point(_) => format!("names[{index}]"),
            Target::Collection(_) => "parent".to_owned(),
        }
    }
}

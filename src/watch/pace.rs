//! How often targets are read, by backend: vendors differ in what they bear and in how often their figures move.
//!
//! What a vendor does by itself is not known here; whoever configures a backend says it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::BackendId;

/// How often the targets of one backend are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause after a change; a creation takes seconds.
    pub quickest: Duration,
    /// The pause that silence grows to.
    pub slowest: Duration,
    /// How long the vendor shows one and the same figures of a copy, so that reading them sooner tells
    /// nothing; zero if it has no such rhythm.
    pub progress: Duration,
    /// How long a target is kept after its last watcher has left, for the one that comes right back.
    pub linger: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            quickest: Duration::from_secs(5),
            slowest: Duration::from_secs(60),
            progress: Duration::ZERO,
            linger: Duration::from_secs(10),
        }
    }
}

/// The paces of all backends.
#[derive(Debug, Clone, Default)]
pub struct Paces {
    own: BTreeMap<BackendId, Pace>,
    others: Pace,
}

impl Paces {
    /// The pace of one backend.
    pub fn of(&self, backend: &BackendId) -> Pace {
        self.own.get(backend).copied().unwrap_or(self.others)
    }
}

/// One pace for all backends.
impl From<Pace> for Paces {
    fn from(others: Pace) -> Self {
        Self { own: BTreeMap::new(), others }
    }
}

/// A pace for each backend, and the default for any other.
impl FromIterator<(BackendId, Pace)> for Paces {
    fn from_iter<T: IntoIterator<Item = (BackendId, Pace)>>(paces: T) -> Self {
        Self { own: paces.into_iter().collect(), others: Pace::default() }
    }
}

//! How often the simulator was asked for what, for tests that count what a client costs.

use std::collections::BTreeMap;

use http::Method;

use super::names::{Address, Place};
use crate::front::Tally;

/// What a request was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The token endpoint.
    Token,
    /// The list over the subscription.
    ListAll,
    /// The list of one resource group.
    ListGroup,
    /// One collection.
    Collection,
    /// One restore point.
    Point,
    /// Disk restore points, and access to them.
    DiskPoint,
    /// The state of an operation.
    Operation,
    /// Anything else.
    Elsewhere,
}

impl Kind {
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Token { .. } => Self::Token,
            Place::AllCollections => Self::ListAll,
            Place::GroupCollections { .. } => Self::ListGroup,
            Place::Collection(_) => Self::Collection,
            Place::Point(_) => Self::Point,
            Place::DiskPoints(_) | Place::DiskPoint(..) | Place::DiskAccess(..) => Self::DiskPoint,
            Place::Operation { .. } => Self::Operation,
            Place::Signpost(_) | Place::Directory(_) => Self::Elsewhere,
            Place::Machine { .. } | Place::EncryptionSet { .. } | Place::Elsewhere => {
                Self::Elsewhere
            }
        }
    }
}

/// Counts of requests, whatever they were answered with.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    counts: BTreeMap<(String, Kind), usize>,
}

impl Calls {
    pub(super) fn of(tally: &Tally) -> Self {
        let mut counts = BTreeMap::new();
        for ((method, path), count) in tally {
            let kind = Kind::of(&Address::parse(path).place);
            *counts.entry((method.clone(), kind)).or_default() += count;
        }
        Self { counts }
    }

    /// Requests by this method about this kind of thing.
    pub fn count(&self, method: &Method, kind: Kind) -> usize {
        self.counts.get(&(method.to_string(), kind)).copied().unwrap_or_default()
    }

    /// All requests, those for tokens included.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

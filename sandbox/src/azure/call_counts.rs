//! How many requests the simulator received, by kind of resource: for tests that assert how many requests
//! a client sends.

use std::collections::BTreeMap;

use http::Method;

use super::resource_path::{ResourcePath, Route};
use crate::simulated_vendor::CallCounts;

/// The resource of a request.
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
    Other,
}

impl Kind {
    pub(crate) fn of(route: &Route) -> Self {
        match route {
            Route::Token { .. } => Self::Token,
            Route::AllCollections => Self::ListAll,
            Route::GroupCollections { .. } => Self::ListGroup,
            Route::Collection(_) => Self::Collection,
            Route::Point(_) => Self::Point,
            Route::DiskPoints(_) | Route::DiskPoint(..) | Route::DiskAccess(..) => Self::DiskPoint,
            Route::Operation { .. } => Self::Operation,
            Route::Metadata(_) | Route::Directory(_) => Self::Other,
            Route::VirtualMachine { .. } | Route::EncryptionSet { .. } | Route::Unknown => {
                Self::Other
            }
        }
    }
}

/// Counts of requests by method and kind, whatever their responses.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    counts: BTreeMap<(String, Kind), usize>,
}

impl Calls {
    pub(crate) fn of(requests: &CallCounts) -> Self {
        let mut counts = BTreeMap::new();
        for ((method, path), count) in requests {
            let kind = Kind::of(&ResourcePath::parse(path).route);
            *counts.entry((method.clone(), kind)).or_default() += count;
        }
        Self { counts }
    }

    /// Requests with this method for this kind of resource.
    pub fn count(&self, method: &Method, kind: Kind) -> usize {
        self.counts.get(&(method.to_string(), kind)).copied().unwrap_or_default()
    }

    /// All requests, those for tokens included.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

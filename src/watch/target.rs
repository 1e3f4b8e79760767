//! What can be watched: a point, or a collection.

use std::fmt;

use crate::model::{BackendId, CollectionName, PointRef};

/// What can be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One point.
    Point(PointRef),
    /// All points of a collection, including those that appear later.
    Collection(CollectionName),
}

impl Target {
    /// The backend that is polled.
    pub fn backend(&self) -> &BackendId {
        match self {
            Self::Point(point) => &point.backend,
            Self::Collection(collection) => &collection.backend,
        }
    }

    /// The same for every spelling of the target: vendors compare ids without regard to case.
    pub fn key(&self) -> String {
        self.to_string().to_lowercase()
    }

    /// The key of one of its points within the target: the last segment of its name, and empty where the target is the
    /// point.
    pub(super) fn point_key<'a>(&self, point: &'a str) -> &'a str {
        match self {
            Self::Point(_) => "",
            Self::Collection(_) => point.rsplit('/').next().unwrap_or(point),
        }
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

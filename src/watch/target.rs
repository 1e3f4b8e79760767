//! What can be watched.

use std::fmt;

use crate::model::{BackendId, CollectionName, PointRef};

/// What can be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One point.
    Point(PointRef),
    /// All points of a collection, whichever come and go.
    Collection(CollectionName),
}

impl Target {
    /// Whose it is.
    pub(super) fn backend(&self) -> &BackendId {
        match self {
            Self::Point(point) => &point.backend,
            Self::Collection(collection) => &collection.backend,
        }
    }

    /// What resume tokens call one of its points: the last segment of its name, and nothing where the target is
    /// the point.
    pub(super) fn word<'a>(&self, point: &'a str) -> &'a str {
        match self {
            Self::Point(_) => "",
            Self::Collection(_) => point.rsplit('/').next().unwrap_or(point),
        }
    }

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

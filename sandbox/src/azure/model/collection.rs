//! A restore point collection with its points.

use std::sync::Arc;

use super::machine::Machine;
use super::point::Point;
use crate::azure::dto::collection::Tags;
use crate::azure::resource_path::{CollectionName, PointName};

#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) name: CollectionName,
    /// In the plain form.
    pub(crate) region: String,
    /// As the client wrote it.
    pub(crate) written_region: String,
    pub(crate) tags: Tags,
    pub(crate) source: Source,
    /// As the client wrote it.
    pub(crate) source_id: String,
    pub(crate) source_region: String,
    pub(crate) guid: String,
    pub(crate) instant_access: Option<bool>,
    pub(crate) points: Vec<Point>,
    pub(crate) deleting: bool,
}

/// What the points of a collection are created from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Machine(Arc<Machine>),
    /// The key of another collection, whose points are copied.
    Collection(String),
}

impl Collection {
    pub(crate) fn point(&self, name: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn point_mut(&mut self, name: &str) -> Option<&mut Point> {
        self.points.iter_mut().find(|point| point.name.eq_ignore_ascii_case(name))
    }

    /// The name of a point of this collection in the casing that is kept.
    pub(crate) fn name_of(&self, point: &Point) -> PointName {
        PointName { collection: self.name.clone(), name: point.name.clone() }
    }
}

//! Mounts: the file system of a point, opened for one logon session. Browsing it is not simulated.

use jiff::Timestamp;
use uuid::Uuid;

use super::kind::Kind;
use crate::veeam_em::format::document::{Element, link};

/// The mounts of one session.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    mounts: Vec<Mount>,
}

#[derive(Debug, Clone, Copy)]
struct Mount {
    kind: Kind,
    point: Uuid,
    number: usize,
    /// When the task that creates it has ended.
    ready_at: Timestamp,
}

impl Mounts {
    /// Adds a mount of a point and returns its number, which counts from 1 for each point.
    pub(crate) fn add(&mut self, kind: Kind, point: Uuid, ready_at: Timestamp) -> usize {
        let taken = self.mounts.iter().filter(|mount| mount.point == point);
        let number = taken.map(|mount| mount.number).max().unwrap_or(0) + 1;
        self.mounts.push(Mount { kind, point, number, ready_at });
        number
    }

    /// All mounts of a point.
    pub(crate) fn list(&self, kind: Kind, point: Uuid, now: Timestamp) -> Option<Element> {
        let (_, plural) = kind.schema().mounts?;
        let mounts = self.of(point, now).filter_map(|mount| mount.document()).collect();
        Some(Element::list(plural, mounts))
    }

    /// One mount of a point.
    pub(crate) fn get(&self, point: Uuid, number: usize, now: Timestamp) -> Option<Element> {
        self.of(point, now).find(|mount| mount.number == number)?.document()
    }

    /// Removes a mount. Returns false if there is no such mount.
    pub(crate) fn remove(&mut self, point: Uuid, number: usize) -> bool {
        let before = self.mounts.len();
        self.mounts.retain(|mount| mount.point != point || mount.number != number);
        self.mounts.len() < before
    }

    fn of(&self, point: Uuid, now: Timestamp) -> impl Iterator<Item = &Mount> {
        self.mounts.iter().filter(move |mount| mount.point == point && mount.ready_at <= now)
    }
}

impl Mount {
    fn document(&self) -> Option<Element> {
        let (name, _) = self.kind.schema().mounts?;
        let href = format!("{}/mounts/{}", self.kind.href(self.point), self.number);
        let links = vec![link("Delete", None, href.clone(), None)];
        let members = vec![Element::list("Links", links)];
        Some(Element::object(name, members).with("Type", name).with("Href", href))
    }
}

//! Mounts: a point's file system, opened for one logon session. Looking into it is not simulated.

use jiff::Timestamp;
use uuid::Uuid;

use super::document::{Element, link};
use super::kinds::Kind;
use super::wire;

/// The mounts of one session.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    mounts: Vec<Mount>,
}

#[derive(Debug, Clone, Copy)]
struct Mount {
    kind: Kind,
    point: Uuid,
    number: usize,
    /// When the task that makes it has ended.
    ready: Timestamp,
}

impl Mounts {
    /// Mounts a point by the time given, and gives the number, which counts from 1 at each point.
    pub(super) fn add(&mut self, kind: Kind, point: Uuid, ready: Timestamp) -> usize {
        let taken = self.mounts.iter().filter(|mount| mount.point == point);
        let number = taken.map(|mount| mount.number).max().unwrap_or(0) + 1;
        self.mounts.push(Mount { kind, point, number, ready });
        number
    }

    /// All mounts of a point.
    pub(super) fn list(&self, kind: Kind, point: Uuid, now: Timestamp) -> Option<Element> {
        let (_, plural) = kind.shape().mounts?;
        let mounts = self.of(point, now).filter_map(|mount| mount.document()).collect();
        Some(Element::list(plural, mounts))
    }

    /// One mount of a point.
    pub(super) fn get(&self, point: Uuid, number: usize, now: Timestamp) -> Option<Element> {
        self.of(point, now).find(|mount| mount.number == number)?.document()
    }

    /// Ends a mount; false when there is none.
    pub(super) fn remove(&mut self, point: Uuid, number: usize) -> bool {
        let before = self.mounts.len();
        self.mounts.retain(|mount| mount.point != point || mount.number != number);
        self.mounts.len() < before
    }

    fn of(&self, point: Uuid, now: Timestamp) -> impl Iterator<Item = &Mount> {
        self.mounts.iter().filter(move |mount| mount.point == point && mount.ready <= now)
    }
}

impl Mount {
    fn document(&self) -> Option<Element> {
        let (name, _) = self.kind.shape().mounts?;
        let href = format!("{}/mounts/{}", wire::href(self.kind, self.point), self.number);
        let links = vec![link("Delete", None, href.clone(), None)];
        let members = vec![Element::list("Links", links)];
        Some(Element::object(name, members).with("Type", name).with("Href", href))
    }
}

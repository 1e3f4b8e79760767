//! Mounts: a point's file system, opened for one logon session. Looking into it is not simulated.

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
}

impl Mounts {
    /// Mounts a point and gives the number, which counts from 1 at each point.
    pub(super) fn add(&mut self, kind: Kind, point: Uuid) -> usize {
        let taken = self.of(point).map(|mount| mount.number).max();
        let number = taken.unwrap_or(0) + 1;
        self.mounts.push(Mount { kind, point, number });
        number
    }

    /// All mounts of a point.
    pub(super) fn list(&self, kind: Kind, point: Uuid) -> Option<Element> {
        let (_, plural) = kind.shape().mounts?;
        let mounts = self.of(point).filter_map(|mount| mount.document()).collect();
        Some(Element::list(plural, mounts))
    }

    /// One mount of a point.
    pub(super) fn get(&self, point: Uuid, number: usize) -> Option<Element> {
        self.of(point).find(|mount| mount.number == number)?.document()
    }

    /// Ends a mount; false when there is none.
    pub(super) fn remove(&mut self, point: Uuid, number: usize) -> bool {
        let before = self.mounts.len();
        self.mounts.retain(|mount| mount.point != point || mount.number != number);
        self.mounts.len() < before
    }

    fn of(&self, point: Uuid) -> impl Iterator<Item = &Mount> {
        self.mounts.iter().filter(move |mount| mount.point == point)
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

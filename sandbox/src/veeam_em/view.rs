//! What one visitor sees of an estate: the own machines, the own replicas, or everything.

use uuid::Uuid;

use super::accounts::Who;
use super::estate::{Entity, Estate};
use super::kinds::Kind;

/// An estate through the eyes of a visitor.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) estate: &'a Estate,
    pub(super) who: Who,
}

impl<'a> View<'a> {
    pub(super) fn all(self, kind: Kind) -> impl Iterator<Item = &'a Entity> {
        self.estate.all(kind).filter(move |entity| self.who.sees(entity, self.estate))
    }

    pub(super) fn find(self, kind: Kind, id: Uuid) -> Option<&'a Entity> {
        self.estate.find(kind, id).filter(|entity| self.who.sees(entity, self.estate))
    }

    /// Those of a kind that belong to another entity.
    pub(super) fn below(self, parent: &Entity, kind: Kind) -> impl Iterator<Item = &'a Entity> {
        let parent = parent.id;
        self.all(kind).filter(move |entity| {
            entity.parents.contains(&parent) || entity.relatives.contains(&parent)
        })
    }
}

//! The part of an inventory that a principal may see: its restore scope, the tenant's own replicas, or
//! everything.

use uuid::Uuid;

use super::inventory::{Entity, Inventory};
use super::kind::Kind;
use super::principal::Principal;

#[derive(Debug, Clone, Copy)]
pub(crate) struct VisibleInventory<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) principal: Principal,
}

impl<'a> VisibleInventory<'a> {
    pub(crate) fn all(self, kind: Kind) -> impl Iterator<Item = &'a Entity> {
        let entities = self.inventory.all(kind);
        entities.filter(move |entity| self.principal.can_see(entity, self.inventory))
    }

    pub(crate) fn find(self, kind: Kind, id: Uuid) -> Option<&'a Entity> {
        let entity = self.inventory.find(kind, id);
        entity.filter(|entity| self.principal.can_see(entity, self.inventory))
    }

    /// The children of an entity of one kind.
    pub(crate) fn below(self, parent: &Entity, kind: Kind) -> impl Iterator<Item = &'a Entity> {
        let parent = parent.id;
        self.all(kind).filter(move |entity| {
            entity.parents.contains(&parent) || entity.unlinked_parents.contains(&parent)
        })
    }
}

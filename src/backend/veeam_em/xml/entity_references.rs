//! A collection as references: `EntityReferences/Ref`.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::entity_reader::{EntityReader, Keep, read_item};
use super::problem::Problem;
use super::root_element::check_root;
use super::token::{Sink, Token};
use crate::backend::veeam_em::resource::Resource;

const ITEM_DEPTH: usize = 1;

/// The GUIDs of the first references after a given one, in ascending order of their GUIDs.
///
/// The vendor does not page collections, so each page of the gateway reads the whole document. It keeps only its own
/// references in memory.
#[derive(Debug)]
pub(crate) struct EntityReferences {
    resource: &'static Resource,
    after: Option<Uuid>,
    max_items: usize,
    reader: Option<EntityReader>,
    first: BTreeSet<Uuid>,
}

impl EntityReferences {
    /// Keeps the first `max_items` references to `resource` after `after`.
    pub(crate) fn new(resource: &'static Resource, after: Option<Uuid>, max_items: usize) -> Self {
        Self { resource, after, max_items, reader: None, first: BTreeSet::new() }
    }

    /// The GUIDs.
    pub(crate) fn finish(self) -> BTreeSet<Uuid> {
        self.first
    }
}

impl Sink for EntityReferences {
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem> {
        match (token, depth) {
            (Token::Open(tag), 0) => check_root(tag, "EntityReferences")?,
            // Any other element must be an item: the reader refuses it if it is not.
            (Token::Open(tag), ITEM_DEPTH) if tag.name() != "Links" => {
                self.reader = Some(EntityReader::new(self.resource.reference, &[], Keep::Fields));
            }
            _ => {}
        }
        if let Some(reference) = read_item(&mut self.reader, token, depth, ITEM_DEPTH, raw)?
            && Some(reference.id) > self.after
        {
            self.first.insert(reference.id);
            if self.first.len() > self.max_items {
                self.first.pop_last();
            }
        }
        Ok(())
    }
}

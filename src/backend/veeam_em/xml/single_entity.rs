//! The document of one entity, at `…/{guid}?format=Entity`.

use super::entity::Entity;
use super::entity_reader::{EntityReader, Keep};
use super::problem::Problem;
use super::root_element::check_root;
use super::token::{Sink, Token};
use crate::backend::veeam_em::resource::Resource;

/// An entity that is the root element.
#[derive(Debug)]
pub(crate) struct SingleEntity {
    resource: &'static Resource,
    reader: EntityReader,
}

impl SingleEntity {
    /// Expects an entity of `resource`.
    pub(crate) fn new(resource: &'static Resource, keep: Keep) -> Self {
        Self { resource, reader: EntityReader::new(resource.entity, resource.links, keep) }
    }

    /// The entity.
    ///
    /// # Errors
    /// When it has no UID or no name.
    pub(crate) fn finish(self) -> Result<Entity, Problem> {
        self.reader.finish()
    }
}

impl Sink for SingleEntity {
    fn token(&mut self, token: &Token<'_>, depth: usize, raw: &[u8]) -> Result<(), Problem> {
        if let (Token::Open(tag), 0) = (token, depth) {
            check_root(tag, self.resource.entity)?;
        }
        self.reader.token(token, depth, raw)
    }
}

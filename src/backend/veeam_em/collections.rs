//! Reads collections: replicas of Cloud Connect tenants, replicas, and backups.

use super::entity_list::EntityList;
use super::id::CollectionId;
use super::query::Query;
use super::reader::Reader;
use super::xml::Keep;
use super::{all_kinds, get, map};
use crate::backend::{Cursor, Page};
use crate::model::{Collection, Error};

impl Reader {
    /// Reads a page of the collections of all kinds.
    ///
    /// # Errors
    /// As [`EntityList::page`].
    pub(super) async fn collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        all_kinds::page(&self.session, cursor, |kind, cursor| async move {
            let resource = kind.definition().collection;
            let query = Query::all(&self.session, resource, Keep::Fields);
            let fallback = self.fallback_of_all(kind, resource.path);
            let list = EntityList::new(query).with_fallback(fallback);
            let Page { items, next } = list.page(cursor.as_ref(), size).await?;
            let map = |entity| map::collection(&self.backend, kind, entity);
            Ok(Page { items: items.into_iter().map(map).collect(), next })
        })
        .await
    }

    /// Reads one collection.
    ///
    /// # Errors
    /// [`Error::NotFound`]; those of [`get::entity`].
    pub(super) async fn collection(&self, id: CollectionId) -> Result<Collection, Error> {
        let resource = id.kind.definition().collection;
        let entity = get::entity(&self.session, resource, id.guid, Keep::Fields).await?;
        let entity = entity.ok_or_else(|| self.collection_not_found(id))?;
        Ok(map::collection(&self.backend, id.kind, entity))
    }
}

//! Lists a collection by its references: for a type that the query service may not support.
//!
//! The vendor does not page collections, so each page reads all references of the collection, and then the entities of
//! the page one by one.

use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::client::Target;
use super::cursor::{ListCursor, ListMethod, MAX_PAGE_SIZE};
use super::get;
use super::query::Query;
use super::session::MAX_CONCURRENT_READS;
use super::xml::{Entity, EntityReferences};
use crate::backend::Page;
use crate::model::Error;

/// A million references of less than 1 KiB each.
const MAX_COLLECTION_BYTES: u64 = 1024 * 1024 * 1024;

/// Where the references are that a query falls back to.
#[derive(Debug)]
pub(super) struct Fallback {
    /// The path of the collection, below `/api/`.
    pub(super) path: String,
    /// The error when there is no such collection.
    pub(super) error_if_absent: Error,
}

impl Fallback {
    /// Reads the page of at most `size` entities that follows the GUID `after`, in place of `query`.
    ///
    /// # Errors
    /// [`Fallback::error_if_absent`]; those of [`super::session::Session::read`].
    pub(super) async fn page(
        &self,
        query: &Query<'_>,
        after: Option<Uuid>,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let Query { session, resource, keep, .. } = *query;
        let path = self.path.clone();
        let target = Target { path, query: Vec::new(), max_bytes: MAX_COLLECTION_BYTES };
        let size = size.clamp(1, MAX_PAGE_SIZE as usize);
        // One more than the page shows whether there is a next one.
        let sink = || EntityReferences::new(resource, after, size + 1);
        let mut ids = match session.read(&target, sink).await? {
            Ok(references) => references.finish(),
            Err(error) if error.is_not_found() => return Err(self.error_if_absent.clone()),
            Err(error) => return Err(session.error(error)),
        };
        let mut next = None;
        if ids.len() > size {
            ids.pop_last();
            let last = ids.last().map(|last| last.as_bytes().to_vec()).unwrap_or_default();
            next = Some(ListCursor::encode(MAX_PAGE_SIZE, ListMethod::References(last)));
        }
        let items = futures::stream::iter(ids)
            .map(|id| get::entity(session, resource, id, keep))
            .buffered(MAX_CONCURRENT_READS)
            // An entity that has been deleted since is skipped.
            .try_filter_map(async |entity| Ok(entity))
            .try_collect()
            .await?;
        Ok(Page { items, next })
    }
}

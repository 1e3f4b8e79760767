//! Lists entities page by page, with no state between two pages but the cursor: by the query service, or by references
//! where the query service may not support the type.

use uuid::Uuid;

use super::cursor::{ListCursor, ListMethod, MAX_PAGE_SIZE, QueryPosition, invalid_cursor};
use super::query::{Query, QueryPage};
use super::references::Fallback;
use super::xml::Entity;
use crate::backend::{Cursor, Page};
use crate::model::Error;

/// A list of entities.
#[derive(Debug)]
pub(super) struct EntityList<'a> {
    query: Query<'a>,
    fallback: Option<Fallback>,
}

impl<'a> EntityList<'a> {
    /// The result of a query.
    pub(super) fn new(query: Query<'a>) -> Self {
        Self { query, fallback: None }
    }

    /// The same, with references to use when the query service does not support the type.
    pub(super) fn with_fallback(self, fallback: Option<Fallback>) -> Self {
        Self { fallback, ..self }
    }

    /// Reads the page at `cursor`.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] when the list may be truncated; [`Error::NotFound`] when there is no such list;
    /// INVALID_ARGUMENT for a cursor of another release.
    pub(super) async fn page(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let Some(cursor) = cursor else { return self.first_page(size).await };
        match ListCursor::decode(cursor)? {
            (page_size, ListMethod::Query(position)) => {
                self.next_page(page_size, position, size.max(1)).await
            }
            (_, ListMethod::References(last)) => {
                let last = Uuid::from_slice(&last).map_err(|_| invalid_cursor())?;
                let fallback = self.fallback.as_ref().ok_or_else(invalid_cursor)?;
                fallback.page(&self.query, Some(last), size).await
            }
        }
    }

    /// Reads the first page, which decides on the method.
    async fn first_page(&self, size: usize) -> Result<Page<Entity>, Error> {
        let page_size =
            u32::try_from(size).map_or(MAX_PAGE_SIZE, |size| size.clamp(1, MAX_PAGE_SIZE));
        let session = self.query.session;
        let QueryPage { entities, paging } = match self.query.page(page_size, 1).await? {
            Ok(page) => page,
            Err(error) => match &self.fallback {
                Some(fallback) if matches!(error.status.as_u16(), 400 | 404 | 405 | 501) => {
                    let backend = session.backend();
                    tracing::debug!(backend, %error, "the query service does not support the type");
                    return fallback.page(&self.query, None, size).await;
                }
                _ => return Err(session.error(error)),
            },
        };
        let mut position = QueryPosition::default();
        let items = self.deliver(&mut position, 1, entities, page_size as usize)?;
        let next =
            (1 < paging.pages).then(|| ListCursor::encode(page_size, ListMethod::Query(position)));
        Ok(Page { items, next })
    }

    /// Reads the page of the query after `position`, and returns at most `size` entities. The vendor's page keeps the size
    /// that it had on the first page, whatever size the caller requests later.
    ///
    /// Page numbers are not anchored to entities. When an entity is created, the others move down: the last ones of the
    /// delivered page appear again on the next one, and are skipped. When a delivered entity is deleted, the others move
    /// up, and those that move onto the delivered page would be lost. So the entity right before the next page must have
    /// been delivered; if it was not, earlier pages are read until one continues where the delivered entities end, and
    /// the list goes on from there. The way forward needs no such check, so the list always advances, even if the vendor
    /// reorders entities of the same age.
    async fn next_page(
        &self,
        page_size: u32,
        mut position: QueryPosition,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let next = position.page.saturating_add(1);
        let mut page = next;
        let mut result = self.query_page(page_size, page).await?;
        while page > 1 && !self.is_contiguous(&position, &result, page).await? {
            page = (page - 1).min(result.paging.pages.max(1));
            result = self.query_page(page_size, page).await?;
        }
        let QueryPage { entities, mut paging } = result;
        let mut items = self.deliver(&mut position, page, entities, size)?;
        while page < next.min(paging.pages) && items.len() < size {
            page += 1;
            let result = self.query_page(page_size, page).await?;
            paging = result.paging;
            let rest = size - items.len();
            items.extend(self.deliver(&mut position, page, result.entities, rest)?);
        }
        let next = (position.page < paging.pages)
            .then(|| ListCursor::encode(page_size, ListMethod::Query(position)));
        Ok(Page { items, next })
    }

    /// Whether every entity before this page has been delivered.
    async fn is_contiguous(
        &self,
        position: &QueryPosition,
        result: &QueryPage,
        page: u32,
    ) -> Result<bool, Error> {
        if result.entities.first().is_some_and(|first| position.has_delivered(first)) {
            return Ok(true);
        }
        // Requested after the page, so that a deletion in between can only cause an unnecessary step back.
        let previous = result.paging.page_size.saturating_mul(page - 1);
        let QueryPage { entities, paging } = self.query_page(1, previous).await?;
        if paging.page_size != 1 {
            return Err(self.query.session.invalid("a page of another size than requested"));
        }
        Ok(entities.first().is_some_and(|previous| position.has_delivered(previous)))
    }

    /// Reads a page after the first one: the query service supports the type, so every error response is an error.
    async fn query_page(&self, page_size: u32, page: u32) -> Result<QueryPage, Error> {
        let reply = self.query.page(page_size, page).await?;
        reply.map_err(|error| self.query.session.error(error))
    }

    fn deliver(
        &self,
        position: &mut QueryPosition,
        page: u32,
        entities: Vec<Entity>,
        max: usize,
    ) -> Result<Vec<Entity>, Error> {
        let delivered = position.deliver(page, entities, max);
        delivered.map_err(|problem| self.query.session.invalid(problem))
    }
}

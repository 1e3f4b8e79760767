//! Walking over all entities of a kind, page by page, with nothing kept between two pages but the cursor.
//!
//! Two ways: the query service, which pages; and, where that may not know the type, the collection as
//! references, which does not page but is read through once a page, and then the page's entities.

use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::client::{Answer, Target};
use super::cursor::{Position, Told, Way};
use super::session::Session;
use super::wire::{Entity, Keep, OneEntity, Paging, Problem, QueryPage, References, Resource};
use crate::backend::{Cursor, Page};
use crate::model::Error;

/// An entity of 1.5 KiB with room to grow.
const LARGEST_ENTITY: u64 = 1024 * 1024;
const LARGEST_PAGE: u64 = 64 * 1024 * 1024;
/// A million references of less than 1 KiB each.
const LARGEST_COLLECTION: u64 = 1024 * 1024 * 1024;
/// The vendor names no limit. Ten times its default, about 1.5 MiB a page.
const LARGEST_PAGE_SIZE: u32 = 1000;
/// Requests under way at once for one page, when it takes several.
pub(super) const AT_ONCE: usize = 8;

/// A list to walk over.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    session: &'a Session,
    resource: &'static Resource,
    keep: Keep,
    /// In the query service's language; everything if absent.
    filter: Option<String>,
    detour: Option<Detour>,
}

/// The way around a query service that does not know the type.
#[derive(Debug)]
pub(super) struct Detour {
    /// Where the references are, below `/api/`.
    pub(super) path: String,
    /// What it means that nothing is there.
    pub(super) absent: Error,
}

/// A filter for what has one of these values in `field`.
///
/// The values are quoted, as the colons of a UID need it; they hold nothing that would have to be
/// doubled.
pub(super) fn any_of(field: &str, values: impl IntoIterator<Item = String>) -> String {
    let terms: Vec<_> = values.into_iter().map(|value| format!("{field}==\"{value}\"")).collect();
    terms.join(",")
}

impl<'a> Walk<'a> {
    /// All there is of a kind.
    pub(super) fn all(session: &'a Session, resource: &'static Resource, keep: Keep) -> Self {
        Self { session, resource, keep, filter: None, detour: None }
    }

    /// What a filter lets through.
    pub(super) fn filtered(
        session: &'a Session,
        resource: &'static Resource,
        keep: Keep,
        filter: String,
    ) -> Self {
        Self { filter: Some(filter), ..Self::all(session, resource, keep) }
    }

    /// The same, with a way around a query service that does not know the type.
    pub(super) fn or_by(self, detour: Option<Detour>) -> Self {
        Self { detour, ..self }
    }

    /// Reads the page at `cursor`.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] when the vendor may have cut the list off; [`Error::NotFound`] when it
    /// has no such list.
    pub(super) async fn page(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let Some(cursor) = cursor else { return self.first(size).await };
        match Position::read(cursor, LARGEST_PAGE_SIZE)? {
            (page_size, Way::Query(told)) => self.turn(page_size, told, size.max(1)).await,
            (_, Way::References(last)) => {
                let last = Uuid::from_slice(&last).map_err(|_| Position::foreign())?;
                let detour = self.detour.as_ref().ok_or_else(Position::foreign)?;
                self.references(detour, Some(last), size).await
            }
        }
    }

    /// Reads the first page, which decides on the way.
    async fn first(&self, size: usize) -> Result<Page<Entity>, Error> {
        let page_size =
            u32::try_from(size).map_or(LARGEST_PAGE_SIZE, |size| size.clamp(1, LARGEST_PAGE_SIZE));
        let backend = &self.session.client.backend;
        let (entities, paging) = match self.query(page_size, 1).await? {
            Ok(answer) => answer,
            Err(refusal) => match &self.detour {
                Some(detour) if matches!(refusal.status.as_u16(), 400 | 404 | 405 | 501) => {
                    tracing::debug!(backend, %refusal, "the query service does not know the type");
                    return self.references(detour, None, size).await;
                }
                _ => return Err(refusal.into_error(backend)),
            },
        };
        let mut told = Told::default();
        let items = self.news(&mut told, 1, entities, page_size as usize)?;
        let next = (1 < paging.pages).then(|| Position::cursor(page_size, Way::Query(told)));
        Ok(Page { items, next })
    }

    /// Turns the page of a walk by the query service, and tells at most `size` items of it: the vendor's
    /// page stays as large as it was when the walk began, whatever the caller asks for later.
    ///
    /// Pages are counted, not anchored to what is on them. A point that lands at the head of the list
    /// while a caller pages shifts the others down: the last of the old page come again on the new one,
    /// and are dropped. A point deleted in the told part shifts them up, and those that move onto the old
    /// page would never be seen. So the walk makes sure that it goes on where it stopped: what stands
    /// right before the new page must have been told. Where it was not, it goes back until it was, and
    /// from there on again. Going on needs no second look, so a walk always moves, even where the vendor
    /// shuffles points of the same age.
    async fn turn(
        &self,
        page_size: u32,
        mut told: Told,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let goal = told.page.saturating_add(1);
        let mut page = goal;
        let (mut entities, mut paging) = self.query_again(page_size, page).await?;
        while page > 1 && !self.follows(&told, &entities, paging.page_size, page).await? {
            page = (page - 1).min(paging.pages.max(1));
            (entities, paging) = self.query_again(page_size, page).await?;
        }
        let mut items = self.news(&mut told, page, entities, size)?;
        while page < goal.min(paging.pages) && items.len() < size {
            page += 1;
            (entities, paging) = self.query_again(page_size, page).await?;
            items.extend(self.news(&mut told, page, entities, size - items.len())?);
        }
        let next =
            (told.page < paging.pages).then(|| Position::cursor(page_size, Way::Query(told)));
        Ok(Page { items, next })
    }

    /// Whether there is nothing untold between what was told and this page.
    async fn follows(
        &self,
        told: &Told,
        entities: &[Entity],
        page_size: u32,
        page: u32,
    ) -> Result<bool, Error> {
        if entities.first().is_some_and(|first| told.includes(first)) {
            return Ok(true);
        }
        // Asked for after the page, so that a deletion between the two is an alarm for nothing.
        let (before, paging) = self.query_again(1, page_size.saturating_mul(page - 1)).await?;
        if paging.page_size != 1 {
            return Err(self.invalid(Problem::new("a page of another size than asked for")));
        }
        Ok(before.first().is_some_and(|before| told.includes(before)))
    }

    fn news(
        &self,
        told: &mut Told,
        page: u32,
        entities: Vec<Entity>,
        most: usize,
    ) -> Result<Vec<Entity>, Error> {
        told.news(page, entities, most).map_err(|problem| self.invalid(problem))
    }

    /// Asks the query service, which has answered this walk before: no refusal makes sense now.
    async fn query_again(&self, page_size: u32, page: u32) -> Result<(Vec<Entity>, Paging), Error> {
        let answer = self.query(page_size, page).await?;
        answer.map_err(|refusal| refusal.into_error(&self.session.client.backend))
    }

    async fn query(
        &self,
        page_size: u32,
        page: u32,
    ) -> Result<Answer<(Vec<Entity>, Paging)>, Error> {
        let (order, field) = self.resource.order;
        let mut query = vec![
            ("type", self.resource.entity.to_owned()),
            ("format", "Entities".to_owned()),
            (order, field.to_owned()),
            ("pageSize", page_size.to_string()),
            ("page", page.to_string()),
        ];
        query.extend(self.filter.clone().map(|filter| ("filter", filter)));
        let target = Target { path: "query".to_owned(), query, largest: LARGEST_PAGE };
        let sink = || QueryPage::new(self.resource, self.keep, page_size as usize);
        let (entities, paging) = match self.session.read(&target, sink).await? {
            Ok(document) => document.finish(),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let paging = consistent(page, page_size, entities.len(), paging)
            .map_err(|problem| self.invalid(problem))?;
        // Past the end a server may show its last page, which is not the one asked for.
        let entities = if paging.page == page { entities } else { Vec::new() };
        Ok(Ok((entities, paging)))
    }

    async fn references(
        &self,
        detour: &Detour,
        after: Option<Uuid>,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let path = detour.path.clone();
        let target = Target { path, query: Vec::new(), largest: LARGEST_COLLECTION };
        let most = size.clamp(1, LARGEST_PAGE_SIZE as usize);
        // One more than the page tells whether there is another.
        let sink = || References::new(self.resource, after, most + 1);
        let mut ids = match self.session.read(&target, sink).await? {
            Ok(references) => references.finish(),
            Err(refusal) if refusal.is_absence() => return Err(detour.absent.clone()),
            Err(refusal) => return Err(refusal.into_error(&self.session.client.backend)),
        };
        let mut next = None;
        if ids.len() > most {
            ids.pop_last();
            let last = ids.last().map(|last| last.as_bytes().to_vec()).unwrap_or_default();
            next = Some(Position::cursor(LARGEST_PAGE_SIZE, Way::References(last)));
        }
        let items = futures::stream::iter(ids)
            .map(|id| entity(self.session, self.resource, id, self.keep))
            .buffered(AT_ONCE)
            // Deleted since: the vendor answers from a database up to 15 minutes old.
            .try_filter_map(|entity| async { Ok(entity) })
            .try_collect()
            .await?;
        Ok(Page { items, next })
    }

    fn invalid(&self, problem: Problem) -> Error {
        self.session.client.invalid(problem)
    }
}

/// Reads one entity; none if the vendor has none of this id.
pub(super) async fn entity(
    session: &Session,
    resource: &'static Resource,
    id: Uuid,
    keep: Keep,
) -> Result<Option<Entity>, Error> {
    let target = Target {
        path: format!("{}/{id}", resource.path),
        query: vec![("format", "Entity".to_owned())],
        largest: LARGEST_ENTITY,
    };
    let entity = match session.read(&target, || OneEntity::new(resource, keep)).await? {
        Ok(document) => document.finish().map_err(|problem| session.client.invalid(problem))?,
        Err(refusal) if refusal.is_absence() => return Ok(None),
        Err(refusal) => return Err(refusal.into_error(&session.client.backend)),
    };
    if entity.id != id {
        let problem = Problem::new(format!("another {} than the one asked for", resource.entity));
        return Err(session.client.invalid(problem));
    }
    Ok(Some(entity))
}

/// What a page says of the list, if it fits the page; else the list may be cut off.
fn consistent(
    page: u32,
    page_size: u32,
    items: usize,
    paging: Option<Paging>,
) -> Result<Paging, Problem> {
    let Some(paging) = paging else {
        // An empty collection is a root without children; anything more could be a part of a list.
        return match items {
            0 if page == 1 => Ok(Paging { page, page_size, pages: 0 }),
            _ => Err(Problem::new("a page without PagingInfo: the list may be cut off")),
        };
    };
    let Paging { page: answered, page_size, pages } = paging;
    if items > page_size as usize {
        return Err(Problem::new(format!("{items} items on a page of {page_size}")));
    }
    if answered != page && !(answered < page && answered >= pages) {
        return Err(Problem::new(format!("page {answered} of {pages} in place of page {page}")));
    }
    if answered > pages && items > 0 {
        return Err(Problem::new(format!("items on page {answered} of {pages}")));
    }
    Ok(paging)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_believed_only_if_it_is_whole() {
        let says = |page, page_size, pages| Some(Paging { page, page_size, pages });
        for (page, items, paging) in [
            (1, 0, None),
            (1, 0, says(1, 10, 0)),
            (1, 10, says(1, 10, 1)),
            (2, 3, says(2, 10, 2)),
            (2, 10, says(2, 10, 9)),
            (1, 5, says(1, 5, 9)),
            (3, 0, says(3, 10, 1)),
            (3, 7, says(1, 10, 1)),
        ] {
            assert!(consistent(page, 10, items, paging).is_ok(), "{page} {items} {paging:?}");
        }
        for (page, items, paging) in [
            (1, 1, None),
            (2, 0, None),
            (1, 11, says(1, 10, 9)),
            (1, 3, says(2, 10, 9)),
            (2, 3, says(1, 10, 9)),
            (1, 3, says(1, 10, 0)),
            (1, 1, says(1, 0, 1)),
        ] {
            assert!(consistent(page, 10, items, paging).is_err(), "{page} {items} {paging:?}");
        }
    }
}

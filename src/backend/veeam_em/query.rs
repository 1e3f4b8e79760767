//! The query service: `GET /query?type=…`, one page of entities at a time.
//!
//! A query has no snapshot and no cursor at the vendor: pages are numbered, and entities move between them as others are
//! created or deleted. `entity_list` handles that.

use super::client::{Reply, Target};
use super::resource::Resource;
use super::session::Session;
use super::xml::{Entity, Keep, Paging, Problem, QueryResult};
use crate::model::Error;

const MAX_PAGE_BYTES: u64 = 64 * 1024 * 1024;
/// How many values one filter may list. Each takes about 95 bytes of the URL, of which servers accept 16 KiB.
pub(super) const MAX_FILTER_VALUES: usize = 32;

/// A query for entities.
#[derive(Debug, Clone)]
pub(super) struct Query<'a> {
    pub(super) session: &'a Session,
    pub(super) resource: &'static Resource,
    pub(super) keep: Keep,
    filter: Option<String>,
}

/// One page of a query.
#[derive(Debug)]
pub(super) struct QueryPage {
    /// Empty beyond the last page.
    pub(super) entities: Vec<Entity>,
    pub(super) paging: Paging,
}

impl<'a> Query<'a> {
    /// A query for all entities of a resource.
    pub(super) fn all(session: &'a Session, resource: &'static Resource, keep: Keep) -> Self {
        Self { session, resource, keep, filter: None }
    }

    /// A query for the entities whose `field` has one of `values`, which are at most [`MAX_FILTER_VALUES`].
    ///
    /// Values are quoted because of the colons in a UID. UIDs contain no quote that would have to be doubled.
    pub(super) fn matching(
        session: &'a Session,
        resource: &'static Resource,
        keep: Keep,
        field: &str,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        let terms: Vec<_> =
            values.into_iter().map(|value| format!("{field}==\"{value}\"")).collect();
        Self { session, resource, keep, filter: Some(terms.join(",")) }
    }

    /// Reads page number `page`, from 1.
    ///
    /// # Errors
    /// Those of [`Session::read`]; [`Error::InvalidResponse`] when the list may be truncated.
    pub(super) async fn page(&self, page_size: u32, page: u32) -> Result<Reply<QueryPage>, Error> {
        let (order, field) = self.resource.order.parameter();
        let mut query = vec![
            ("type", self.resource.entity.to_owned()),
            ("format", "Entities".to_owned()),
            (order, field.to_owned()),
            ("pageSize", page_size.to_string()),
            ("page", page.to_string()),
        ];
        query.extend(self.filter.clone().map(|filter| ("filter", filter)));
        let target = Target { path: "query".to_owned(), query, max_bytes: MAX_PAGE_BYTES };
        let sink = || QueryResult::new(self.resource, self.keep, page_size as usize);
        let (entities, paging) = match self.session.read(&target, sink).await? {
            Ok(document) => document.finish(),
            Err(error) => return Ok(Err(error)),
        };
        let paging = check_paging(page, page_size, entities.len(), paging)
            .map_err(|problem| self.session.invalid(problem))?;
        // Beyond the end a server may return its last page instead of the requested one.
        let entities = if paging.page == page { entities } else { Vec::new() };
        Ok(Ok(QueryPage { entities, paging }))
    }
}

/// The paging information of a page, if it is consistent with the page; otherwise the list may be truncated.
fn check_paging(
    page: u32,
    page_size: u32,
    items: usize,
    paging: Option<Paging>,
) -> Result<Paging, Problem> {
    let Some(paging) = paging else {
        // An empty collection is a root element without children. Anything more could be a part of a list.
        return match items {
            0 if page == 1 => Ok(Paging { page, page_size, pages: 0 }),
            _ => Err(Problem::new("a page without `PagingInfo`: the list may be truncated")),
        };
    };
    let Paging { page: received, page_size, pages } = paging;
    if items > page_size as usize {
        return Err(Problem::new(format!("{items} items on a page of {page_size}")));
    }
    if received != page && !(received < page && received >= pages) {
        return Err(Problem::new(format!("page {received} of {pages} instead of page {page}")));
    }
    if received > pages && items > 0 {
        return Err(Problem::new(format!("items on page {received} of {pages}")));
    }
    Ok(paging)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_that_cannot_be_truncated_is_accepted() {
        let info = |page, page_size, pages| Some(Paging { page, page_size, pages });
        for (page, items, paging) in [
            (1, 0, None),
            (1, 0, info(1, 10, 0)),
            (1, 10, info(1, 10, 1)),
            (2, 3, info(2, 10, 2)),
            (2, 10, info(2, 10, 9)),
            (1, 5, info(1, 5, 9)),
            (3, 0, info(3, 10, 1)),
            (3, 7, info(1, 10, 1)),
        ] {
            assert!(check_paging(page, 10, items, paging).is_ok(), "{page} {items} {paging:?}");
        }
        for (page, items, paging) in [
            (1, 1, None),
            (2, 0, None),
            (1, 11, info(1, 10, 9)),
            (1, 3, info(2, 10, 9)),
            (2, 3, info(1, 10, 9)),
            (1, 3, info(1, 10, 0)),
            (1, 1, info(1, 0, 1)),
        ] {
            assert!(check_paging(page, 10, items, paging).is_err(), "{page} {items} {paging:?}");
        }
    }
}

//! Walking over all entities of a kind, page by page, with nothing kept between two pages but the cursor.
//!
//! Two ways: the query service, which pages; and, where it refuses the type, the collection as
//! references, which does not page but is read through once a page, and then the page's entities.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use prost::Message;
use uuid::Uuid;

use super::client::{Answer, Target};
use super::session::Session;
use super::wire::{Entity, Keep, OneEntity, Paging, Problem, QueryPage, References, Resource};
use crate::backend::{Cursor, Page};
use crate::model::{Error, Invalid};

/// An entity of 1.5 KiB with room to grow.
const LARGEST_ENTITY: u64 = 1024 * 1024;
const LARGEST_PAGE: u64 = 64 * 1024 * 1024;
/// A million references of less than 1 KiB each.
const LARGEST_COLLECTION: u64 = 1024 * 1024 * 1024;
/// The vendor names no limit; this is what its own console asks for at most, times ten.
const LARGEST_PAGE_SIZE: usize = 1000;
/// Entities fetched at once when they come one by one.
const AT_ONCE: usize = 8;
/// How many ids of equal age a cursor remembers: 16 KiB of them.
const REMEMBERED: usize = 1024;
const CURSOR_VERSION: u32 = 1;

/// A list to walk over.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) session: &'a Session,
    pub(super) resource: &'static Resource,
    /// Only what belongs to this cloud replica.
    pub(super) replica: Option<Uuid>,
    pub(super) keep: Keep,
    /// Name of what the list is of, for the error that there is none.
    pub(super) parent: String,
}

/// Where a walk stands. The page size stays what it was at the start, or page numbers would mean
/// something else.
#[derive(Clone, PartialEq, Message)]
struct Position {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    page_size: u32,
    #[prost(oneof = "Way", tags = "3, 4")]
    way: Option<Way>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Way {
    #[prost(message, tag = "3")]
    Query(Told),
    /// The last GUID told.
    #[prost(bytes, tag = "4")]
    References(Vec<u8>),
}

/// What a walk over query pages has told so far.
///
/// Pages are counted, not anchored: a point that lands at the head of the list while a caller pages
/// shifts all others by one, and the last of the old page comes again as the first of the new one. The
/// list is asked for newest first, so what was told is exactly what is newer than the last one told,
/// and, of those as old as it, the ones remembered here; all of that is dropped when it comes again.
/// A point that lands in the told part is left out, as if it had landed after the walk.
///
/// This rests on the order, so the order of each page is checked. Resources without a date count as
/// equally old, and are dropped only if remembered.
///
/// A point deleted at the vendor between two pages shifts the others the other way, and one may slip
/// past unseen. Page numbers cannot show that; the next walk finds it.
#[derive(Clone, PartialEq, Message)]
struct Told {
    /// The page to come, from 1.
    #[prost(uint32, tag = "1")]
    page: u32,
    /// Age of the last one told.
    #[prost(int64, optional, tag = "2")]
    seconds: Option<i64>,
    #[prost(int32, tag = "3")]
    nanoseconds: i32,
    /// GUIDs told of that age, sixteen bytes each, oldest first.
    #[prost(bytes, tag = "4")]
    ids: Vec<u8>,
}

impl Walk<'_> {
    /// Reads the page at `cursor`.
    ///
    /// # Errors
    /// [`Error::ResponseInvalid`] when the vendor may have cut the list off; [`Error::NotFound`] when it
    /// has no such list.
    pub(super) async fn page(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let backend = &self.session.client.backend;
        let Some(cursor) = cursor else {
            let page_size = size.clamp(1, LARGEST_PAGE_SIZE) as u32;
            return match self.query(page_size, Told::default()).await? {
                Ok(page) => Ok(page),
                Err(refusal) if matches!(refusal.status.as_u16(), 400 | 404 | 405 | 501) => {
                    tracing::debug!(backend, %refusal, "the query service does not know the type");
                    self.references(page_size, None).await
                }
                Err(refusal) => Err(refusal.into_error(backend)),
            };
        };
        let Position { page_size, way, .. } = Position::read(cursor)?;
        match way {
            Some(Way::Query(told)) => {
                let answer = self.query(page_size, told).await?;
                answer.map_err(|refusal| refusal.into_error(backend))
            }
            Some(Way::References(last)) => {
                let last = Uuid::from_slice(&last).map_err(|_| foreign_cursor())?;
                self.references(page_size, Some(last)).await
            }
            None => Err(foreign_cursor()),
        }
    }

    async fn query(&self, page_size: u32, mut told: Told) -> Result<Answer<Page<Entity>>, Error> {
        let page = told.page.max(1);
        let (order, field) = self.resource.order;
        let mut query = vec![
            ("type", self.resource.entity.to_owned()),
            ("format", "Entities".to_owned()),
            (order, field.to_owned()),
            ("pageSize", page_size.to_string()),
            ("page", page.to_string()),
        ];
        if let Some(replica) = self.replica {
            // Quoted, as the colons need it; a GUID holds nothing that would have to be doubled.
            query.push(("filter", format!("ReplicaUid==\"urn:veeam:CloudReplica:{replica}\"")));
        }
        let target = Target { path: "query".to_owned(), query, largest: LARGEST_PAGE };
        let most = page_size as usize;
        let sink = || QueryPage::new(self.resource, self.keep, most);
        let (entities, paging) = match self.session.read(&target, sink).await? {
            Ok(page) => page.finish(),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let invalid = |problem| self.session.client.invalid(problem);
        let ends = ends(page, entities.len(), paging).map_err(invalid)?;
        let items = told.news(entities).map_err(invalid)?;
        told.page = page + 1;
        let next = (!ends).then(|| Position::cursor(page_size, Way::Query(told)));
        Ok(Ok(Page { items, next }))
    }

    async fn references(&self, page_size: u32, after: Option<Uuid>) -> Result<Page<Entity>, Error> {
        let path = match self.replica {
            Some(replica) => format!("cloud/replicas/{replica}/vmReplicaPoints"),
            None => self.resource.path.to_owned(),
        };
        let target = Target { path, query: Vec::new(), largest: LARGEST_COLLECTION };
        let page_size_here = page_size as usize;
        // One more than the page tells whether there is another.
        let sink = || References::new(self.resource, after, page_size_here + 1);
        let mut ids = match self.session.read(&target, sink).await? {
            Ok(references) => references.finish(),
            Err(refusal) if refusal.status == 404 => return Err(self.absent()),
            Err(refusal) => return Err(refusal.into_error(&self.session.client.backend)),
        };
        let mut next = None;
        if ids.len() > page_size_here {
            ids.pop_last();
            let last = ids.last().map(|last| last.as_bytes().to_vec()).unwrap_or_default();
            next = Some(Position::cursor(page_size, Way::References(last)));
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

    fn absent(&self) -> Error {
        let detail = match self.replica {
            Some(_) => String::new(),
            None => "this Enterprise Manager has no Cloud Connect resources".to_owned(),
        };
        Error::NotFound { name: self.parent.clone(), field: None, detail }
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
        Err(refusal) if refusal.status == 404 => return Ok(None),
        Err(refusal) => return Err(refusal.into_error(&session.client.backend)),
    };
    if entity.id != id {
        let problem = Problem::new(format!("another {} than the one asked for", resource.entity));
        return Err(session.client.invalid(problem));
    }
    Ok(Some(entity))
}

/// Whether the list ends with this page, or why that cannot be known.
fn ends(page: u32, items: usize, paging: Option<Paging>) -> Result<bool, Problem> {
    let Some(Paging { page: answered, page_size, pages }) = paging else {
        // An empty collection is a root without children; anything more could be the part of a list.
        return match (page, items) {
            (1, 0) => Ok(true),
            _ => Err(Problem::new("a page without PagingInfo: the list may be cut off")),
        };
    };
    if items > page_size as usize {
        return Err(Problem::new(format!("{items} items on a page of {page_size}")));
    }
    match answered {
        // The list has become shorter since the page before, and this is its last page.
        _ if answered < page && answered == pages => Ok(true),
        _ if answered != page => {
            Err(Problem::new(format!("page {answered} in place of page {page}")))
        }
        _ if page > pages && items > 0 => {
            Err(Problem::new(format!("items on page {page} of {pages}")))
        }
        _ => Ok(page >= pages),
    }
}

impl Told {
    /// Those of a page that have not been told, and notes that they are now.
    fn news(&mut self, page: Vec<Entity>) -> Result<Vec<Entity>, Problem> {
        let mut known: HashSet<Uuid> =
            self.ids.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).collect();
        let mut last = match self.seconds {
            None => None,
            Some(seconds) => Some(
                Timestamp::new(seconds, self.nanoseconds)
                    .map_err(|_| Problem::new("a cursor with a date out of range"))?,
            ),
        };
        let mut before: Option<Timestamp> = None;
        let mut news = Vec::with_capacity(page.len());
        for entity in page {
            let created = entity.created.unwrap_or_default();
            if before.is_some_and(|before| created > before) {
                return Err(Problem::new("a page that is not in the order asked for"));
            }
            before = Some(created);
            if last.is_some_and(|last| created > last) || !known.insert(entity.id) {
                continue;
            }
            if last != Some(created) {
                last = Some(created);
                self.ids.clear();
            }
            self.ids.extend_from_slice(entity.id.as_bytes());
            news.push(entity);
        }
        let forgotten = self.ids.len().saturating_sub(16 * REMEMBERED);
        self.ids.drain(..forgotten);
        self.seconds = last.map(Timestamp::as_second);
        self.nanoseconds = last.map(|last| last.subsec_nanosecond()).unwrap_or_default();
        Ok(news)
    }
}

impl Position {
    fn cursor(page_size: u32, way: Way) -> Cursor {
        Cursor(Self { version: CURSOR_VERSION, page_size, way: Some(way) }.encode_to_vec())
    }

    fn read(cursor: &Cursor) -> Result<Self, Error> {
        match Self::decode(cursor.0.as_slice()) {
            Ok(position)
                if position.version == CURSOR_VERSION
                    && (1..=LARGEST_PAGE_SIZE).contains(&(position.page_size as usize)) =>
            {
                Ok(position)
            }
            _ => Err(foreign_cursor()),
        }
    }
}

fn foreign_cursor() -> Error {
    Error::invalid(
        Invalid::PageToken,
        "page_token",
        "it is not of this release of the gateway; list again from the start",
    )
}

//! A walk over the lists of several backends, one after the other, as one sequence of pages.

use std::sync::Arc;

use async_trait::async_trait;
use prost::Message;

use super::page_token::WalkPosition;
use super::response::{MAX_PAGE_BYTES, page_item_len};
use crate::backend::{Backend, Cursor, Page, Registry};
use crate::model::{BackendId, Error, Segment};

/// Items that one call examines when a filter drops most: the caller gets a short page and a token instead of a call
/// without end.
const MAX_EXAMINED: usize = 10_000;
/// Pages of a backend that one call reads, for the same reason: they may be empty.
const MAX_PAGES: usize = 32;

/// The backends that a list covers, in the order of their ids.
pub(super) struct Walk {
    backends: Vec<(BackendId, Arc<dyn Backend>)>,
    scope: Scope,
}

/// Whether the caller names the backend: then its failure is the call's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Named,
    Wildcard,
}

/// What a walk reads of each backend.
#[async_trait]
pub(super) trait ListSource: Sync {
    type Item: Send;

    async fn page(
        &self,
        backend: &dyn Backend,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Self::Item>, Error>;
}

/// The messages of a backend's page.
struct PageItems<M> {
    messages: Vec<M>,
    /// Items before some were dropped.
    examined: usize,
    bytes: usize,
    next: Option<Cursor>,
}

impl<M: Message> PageItems<M> {
    /// # Errors
    /// When an item exceeds what a response may hold.
    fn new<T>(page: Page<T>, convert: &mut impl FnMut(T) -> Option<M>) -> Result<Self, Error> {
        let examined = page.items.len();
        let messages: Vec<M> = page.items.into_iter().filter_map(convert).collect();
        let sizes: Vec<usize> = messages.iter().map(page_item_len).collect();
        match sizes.iter().max() {
            Some(&largest) if largest > MAX_PAGE_BYTES => {
                Err(Error::ResponseTooLarge { bytes: largest, limit: MAX_PAGE_BYTES })
            }
            _ => Ok(Self { messages, examined, bytes: sizes.iter().sum(), next: page.next }),
        }
    }
}

/// A page of the merged sequence.
pub(super) struct WalkPage<M> {
    pub(super) items: Vec<M>,
    pub(super) next: Option<WalkPosition>,
    pub(super) unreachable: Vec<String>,
}

impl Walk {
    /// A walk over the backends that `segment` covers.
    ///
    /// # Errors
    /// NOT_FOUND on `field` for one that is not configured.
    pub(super) fn over(registry: &Registry, segment: &Segment, field: &str) -> Result<Self, Error> {
        match segment {
            Segment::Any => Ok(Self {
                backends: registry.all().as_ref().clone().into_iter().collect(),
                scope: Scope::Wildcard,
            }),
            Segment::Id(id) => {
                let id = BackendId::parse(&format!("backends/{id}"), field)?;
                let backend = registry.get(&id).map_err(|error| error.in_field(field))?;
                Ok(Self { backends: vec![(id, backend)], scope: Scope::Named })
            }
        }
    }

    /// Reads from `start` until there are `size` items or all backends have been read. `convert` makes a message of an
    /// item, or drops the item.
    ///
    /// # Errors
    /// A named backend's error, or the last one if no backend could be read at all.
    pub(super) async fn page<S: ListSource, M: Message>(
        &self,
        start: Option<WalkPosition>,
        size: usize,
        source: &S,
        mut convert: impl FnMut(S::Item) -> Option<M> + Send,
    ) -> Result<WalkPage<M>, Error> {
        let mut page = WalkPage { items: Vec::new(), next: None, unreachable: Vec::new() };
        let (first, mut cursor) = match start {
            // A backend that is no longer configured is skipped: the walk goes on with the next.
            Some(WalkPosition { backend, cursor }) => {
                let configured = self.backends.iter().any(|(id, _)| id.as_str() == backend);
                (backend, cursor.filter(|_| configured).map(Cursor))
            }
            None => (String::new(), None),
        };
        let mut max_items = size;
        let (mut bytes, mut examined, mut pages) = (0, 0, 0);
        let mut last_error = None;
        for (id, backend) in self.backends.iter().filter(|(id, _)| id.as_str() >= first.as_str()) {
            loop {
                let full = page.items.len() >= max_items || bytes >= MAX_PAGE_BYTES;
                if full || examined >= MAX_EXAMINED || pages >= MAX_PAGES {
                    let cursor = cursor.map(|cursor| cursor.0);
                    page.next = Some(WalkPosition { backend: id.as_str().to_owned(), cursor });
                    return Ok(page);
                }
                let missing = max_items - page.items.len();
                let read = source.page(&**backend, cursor.as_ref(), missing).await;
                let items = match read.and_then(|page| PageItems::new(page, &mut convert)) {
                    Ok(items) => items,
                    Err(error) if self.scope == Scope::Named => return Err(error),
                    Err(error) => {
                        tracing::warn!(backend = %id, %error, "a merged list lacks a backend");
                        page.unreachable.push(id.to_string());
                        last_error = Some(error);
                        cursor = None;
                        break;
                    }
                };
                pages += 1;
                if bytes + items.bytes > MAX_PAGE_BYTES && items.examined > 1 {
                    // A cursor stands only behind the whole page, so the page is read again: by the next call, or if
                    // this one has no item yet, a shorter one. Rare: points must have dozens of disks, or raw bodies.
                    max_items = match page.items.len() {
                        0 => (items.examined * MAX_PAGE_BYTES / items.bytes * 7 / 8).max(1),
                        some => some,
                    };
                    continue;
                }
                examined += items.examined.max(1);
                bytes += items.bytes;
                page.items.extend(items.messages);
                cursor = items.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        match last_error {
            Some(error) if pages == 0 && page.unreachable.len() == self.backends.len() => {
                Err(error)
            }
            _ => Ok(page),
        }
    }
}

//! A walk over the lists of several backends, one after the other, as one sequence of pages.
//!
//! Each backend has its share of the caller's time, so that a silent one is `unreachable` and costs the caller none of
//! the others' items.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prost::Message;
use tokio::time::{Instant, timeout_at};

use super::page_token::WalkPosition;
use super::response::{MAX_PAGE_BYTES, page_item_len};
use crate::backend::{Backend, Cursor, Page, Registry};
use crate::model::{BackendId, DEFAULT_RETRY_AFTER, Deadline, Error, Segment};

/// Items that one call examines when a filter drops most: the caller gets a short page and a token instead of a call
/// without end.
const MAX_EXAMINED: usize = 10_000;
/// Pages of a backend that one call reads, for the same reason: they may be empty.
const MAX_PAGES: usize = 32;

/// The time of a list that covers all backends and has no deadline.
const DEFAULT_TIME: Duration = Duration::from_secs(120);
/// The part of the time until the deadline that is for the response itself.
const RESERVE: f64 = 0.1;

/// The backends that a list covers, in the order of their ids.
pub(super) struct Walk {
    backends: Vec<(BackendId, Arc<dyn Backend>)>,
    scope: Scope,
    deadline: Instant,
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
    pub(super) fn over(
        registry: &Registry,
        segment: &Segment,
        field: &str,
        deadline: Option<Deadline>,
    ) -> Result<Self, Error> {
        let deadline = deadline.map_or_else(|| Instant::now() + DEFAULT_TIME, |Deadline(at)| at);
        match segment {
            Segment::Any => Ok(Self {
                backends: registry.all().as_ref().clone().into_iter().collect(),
                scope: Scope::Wildcard,
                deadline,
            }),
            Segment::Id(id) => {
                let id = BackendId::parse(&format!("backends/{id}"), field)?;
                let backend = registry.get(&id).map_err(|error| error.in_field(field))?;
                Ok(Self { backends: vec![(id, backend)], scope: Scope::Named, deadline })
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
        let backends: Vec<_> =
            self.backends.iter().filter(|(id, _)| id.as_str() >= first.as_str()).collect();
        for (index, (id, backend)) in backends.iter().enumerate() {
            let until = self.end_of_share(backends.len() - index);
            loop {
                let full = page.items.len() >= max_items || bytes >= MAX_PAGE_BYTES;
                if full || examined >= MAX_EXAMINED || pages >= MAX_PAGES {
                    let cursor = cursor.map(|cursor| cursor.0);
                    page.next = Some(WalkPosition { backend: id.as_str().to_owned(), cursor });
                    return Ok(page);
                }
                let missing = max_items - page.items.len();
                let read = source.page(&**backend, cursor.as_ref(), missing);
                let read = match self.scope {
                    Scope::Named => read.await,
                    Scope::Wildcard => {
                        timeout_at(until, read).await.unwrap_or_else(|_| Err(timed_out(id)))
                    }
                };
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

    /// When the first of `remaining` backends has had its share of the time that is left.
    fn end_of_share(&self, remaining: usize) -> Instant {
        let now = Instant::now();
        let left = self.deadline.saturating_duration_since(now).mul_f64(1.0 - RESERVE);
        now + left / u32::try_from(remaining).unwrap_or(u32::MAX).max(1)
    }
}

fn timed_out(backend: &BackendId) -> Error {
    Error::Unavailable {
        backend: backend.as_str().to_owned(),
        retry_after: DEFAULT_RETRY_AFTER,
        detail: "no response within its share of the time until the deadline".to_owned(),
    }
}

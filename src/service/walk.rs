//! A walk over the lists of several backends as one sequence of pages: the backends in the order of their ids, and whole
//! pages of each. How they are read is up to [`super::read_ahead`].

use prost::Message;

use super::list_scope::ListScope;
use super::list_source::{Fill, ListSource};
use super::page_token::WalkPosition;
use super::read_ahead::ReadAhead;
use super::response::MAX_PAGE_BYTES;
use crate::backend::Cursor;
use crate::model::{BackendId, Error};

/// A page of the merged sequence.
pub(super) struct WalkPage<M> {
    pub(super) items: Vec<M>,
    pub(super) next: Option<WalkPosition>,
    /// Backends that could not be read.
    pub(super) unreachable: Vec<String>,
}

impl<M> WalkPage<M> {
    /// The page, followed by one that begins at `cursor` of `backend`.
    fn ending_at(mut self, backend: &BackendId, cursor: Option<Cursor>) -> Self {
        let cursor = cursor.map(|cursor| cursor.0);
        self.next = Some(WalkPosition { backend: backend.as_str().to_owned(), cursor });
        self
    }
}

/// Reads from `start` until there are `size` items or all backends have been read. `convert` makes a message of an item,
/// or drops the item.
///
/// # Errors
/// A named backend's error, or the last one if no backend could be read at all.
pub(super) async fn page<S: ListSource, M: Message>(
    scope: &ListScope,
    start: Option<WalkPosition>,
    size: usize,
    source: &S,
    convert: impl Fn(S::Item) -> Option<M> + Sync,
) -> Result<WalkPage<M>, Error> {
    let mut page = WalkPage { items: Vec::new(), next: None, unreachable: Vec::new() };
    let (first, mut cursor) = match start {
        // A backend that is no longer configured is skipped: the walk goes on with the next.
        Some(WalkPosition { backend, cursor }) => {
            let configured = scope.ids().any(|id| id.as_str() == backend);
            (backend, cursor.filter(|_| configured).map(Cursor))
        }
        None => (String::new(), None),
    };
    let mut max_items = size;
    let mut fill = Fill::default();
    let mut last_error = None;
    let mut reads = ReadAhead::new(scope, source, &convert);
    let backends = scope.ids().enumerate().filter(|(_, id)| id.as_str() >= first.as_str());
    for (index, id) in backends {
        loop {
            if fill.is_full(max_items) {
                return Ok(page.ending_at(id, cursor));
            }
            let missing = max_items - fill.items;
            let read = match reads.page(index, cursor.as_ref(), missing).await {
                Some(read) => read,
                // A call that has read nothing must not send its caller back to where it began.
                None if fill.pages == 0 && page.unreachable.is_empty() => Err(scope.silence(index)),
                None => return Ok(page.ending_at(id, cursor)),
            };
            let items = match read {
                Ok(items) => items,
                Err(error) if scope.is_named() => return Err(error),
                Err(error) => {
                    tracing::warn!(backend = %id, %error, "a merged list lacks a backend");
                    page.unreachable.push(id.to_string());
                    last_error = Some(error);
                    cursor = None;
                    break;
                }
            };
            let is_too_long = items.requested > missing && items.messages.len() > missing;
            let is_too_large = fill.bytes + items.bytes > MAX_PAGE_BYTES && items.examined > 1;
            if is_too_long || is_too_large {
                // A cursor stands only behind the whole page, so the page is read again: by the next call, or if this
                // one has no item yet, a shorter one. Rare: the page was read ahead, or its points have dozens of
                // disks or raw bodies.
                reads.discard(index);
                if fill.items > 0 {
                    max_items = fill.items;
                } else if is_too_large {
                    let shorter = items.examined * MAX_PAGE_BYTES / items.bytes * 7 / 8;
                    max_items = shorter.clamp(1, missing);
                }
                continue;
            }
            fill.add(&items);
            page.items.extend(items.messages);
            cursor = items.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    match last_error {
        Some(error) if fill.pages == 0 && page.unreachable.len() == scope.len() => Err(error),
        _ => Ok(page),
    }
}

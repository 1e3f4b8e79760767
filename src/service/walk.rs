//! One walk over the lists of several backends, one after the other, as one sequence of pages.

use std::sync::Arc;

use async_trait::async_trait;

use super::page::WalkPosition;
use crate::backend::{Backend, Cursor, Page};
use crate::model::{BackendId, Error, Segment};

/// How many items one call may look at when a filter lets few pass: the caller gets a short page and a
/// token in place of a call without end.
const MOST_EXAMINED: usize = 10_000;
/// How many pages of a backend one call may read, for the same reason: they may be empty.
const MOST_PAGES: usize = 32;
/// Half of the 4 MiB that every gRPC client takes unless told otherwise.
pub(super) const MOST_BYTES: usize = 2 << 20;

/// The backends that a list covers, in the order of their ids.
pub(super) struct Covered {
    backends: Vec<(BackendId, Arc<dyn Backend>)>,
    /// Whether the caller named the backend: then its failure is the call's.
    named: Naming,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    One,
    Wildcard,
}

/// What a walk reads of each backend.
#[async_trait]
pub(super) trait Read: Sync {
    type Item: Send;

    async fn page(
        &self,
        backend: &dyn Backend,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Self::Item>, Error>;
}

/// What is told of a backend's page.
struct Told<U> {
    items: Vec<U>,
    /// How many items there were before some were dropped.
    count: usize,
    /// Bytes of the messages.
    weight: usize,
    next: Option<Cursor>,
}

impl<U: prost::Message> Told<U> {
    /// # Errors
    /// When no message could hold one of the items.
    fn of<T>(
        page: Page<T>,
        keep: &mut impl FnMut(T) -> Option<U>,
        backend: &BackendId,
    ) -> Result<Self, Error> {
        let count = page.items.len();
        let items: Vec<U> = page.items.into_iter().filter_map(keep).collect();
        let weights: Vec<usize> = items.iter().map(prost::Message::encoded_len).collect();
        match weights.iter().max() {
            Some(&heaviest) if heaviest > MOST_BYTES => Err(Error::ResponseInvalid {
                backend: backend.as_str().to_owned(),
                problem: format!("one item of a list has {heaviest} bytes"),
            }),
            _ => Ok(Self { items, count, weight: weights.iter().sum(), next: page.next }),
        }
    }
}

/// A page of the merged sequence.
pub(super) struct Walked<T> {
    pub items: Vec<T>,
    pub next: Option<WalkPosition>,
    pub unreachable: Vec<String>,
}

impl super::Gateway {
    /// The backends that `segment` stands for.
    ///
    /// # Errors
    /// NOT_FOUND on `field` for one that is not configured.
    pub(super) fn covered(&self, segment: &Segment, field: &str) -> Result<Covered, Error> {
        match segment {
            Segment::Any => Ok(Covered {
                backends: self.registry.all().as_ref().clone().into_iter().collect(),
                named: Naming::Wildcard,
            }),
            Segment::Id(id) => {
                let id = BackendId::parse(&format!("backends/{id}"), field)?;
                let backend = self.registry.get(&id).map_err(|error| error.in_field(field))?;
                Ok(Covered { backends: vec![(id, backend)], named: Naming::One })
            }
        }
    }
}

impl Covered {
    /// Reads on from `start` until `size` items are there or all backends have been read. `keep`
    /// converts an item, or drops it.
    ///
    /// # Errors
    /// A named backend's failure, or the last one's if no backend could be read at all.
    pub(super) async fn walk<R: Read, U: prost::Message>(
        &self,
        start: Option<WalkPosition>,
        size: usize,
        read: &R,
        mut keep: impl FnMut(R::Item) -> Option<U> + Send,
    ) -> Result<Walked<U>, Error> {
        let mut walked = Walked { items: Vec::new(), next: None, unreachable: Vec::new() };
        let (first, mut cursor) = match start {
            // A backend that is configured no more is passed over: the walk goes on behind it.
            Some(WalkPosition { backend, cursor }) => {
                let exact = self.backends.iter().any(|(id, _)| id.as_str() == backend);
                (backend, cursor.filter(|_| exact).map(Cursor))
            }
            None => (String::new(), None),
        };
        let mut bytes = 0;
        let mut most = size;
        let mut examined = 0;
        let mut failed = None;
        let mut pages = 0;
        for (id, backend) in self.backends.iter().filter(|(id, _)| id.as_str() >= first.as_str()) {
            loop {
                let enough = walked.items.len() >= most || bytes >= MOST_BYTES;
                if enough || examined >= MOST_EXAMINED || pages >= MOST_PAGES {
                    let cursor = cursor.map(|cursor| cursor.0);
                    walked.next = Some(WalkPosition { backend: id.as_str().to_owned(), cursor });
                    return Ok(walked);
                }
                let wanted = most - walked.items.len();
                let page = read.page(&**backend, cursor.as_ref(), wanted).await;
                let page = match page.and_then(|page| Told::of(page, &mut keep, id)) {
                    Ok(page) => page,
                    Err(error) if self.named == Naming::One => return Err(error),
                    Err(error) => {
                        tracing::warn!(backend = %id, %error, "left out of a merged list");
                        walked.unreachable.push(id.to_string());
                        failed = Some(error);
                        cursor = None;
                        break;
                    }
                };
                pages += 1;
                let Told { items, count, weight, next } = page;
                if bytes + weight > MOST_BYTES && count > 1 {
                    // A cursor stands behind all of it only, so it is read again: with the next page, or
                    // if this one is still empty, less of it. Seldom: a point has to have dozens of disks,
                    // or its raw body with it.
                    most = match walked.items.len() {
                        0 => (count * MOST_BYTES / weight * 7 / 8).max(1),
                        some => some,
                    };
                    continue;
                }
                examined += count.max(1);
                bytes += weight;
                walked.items.extend(items);
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        match failed {
            Some(error) if pages == 0 && walked.unreachable.len() == self.backends.len() => {
                Err(error)
            }
            _ => Ok(walked),
        }
    }
}

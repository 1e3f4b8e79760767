//! What a list reads of a backend: pages of points or of collections, and the messages that they become.

use async_trait::async_trait;
use prost::Message;

use super::response::{MAX_PAGE_BYTES, page_item_len};
use crate::backend::{Backend, Cursor, Page};
use crate::model::Error;

/// Items that one call examines when a filter drops most: the caller gets a short page and a token instead of a call
/// without end.
const MAX_EXAMINED: usize = 10_000;
/// Pages of a backend that one call reads, for the same reason: they may be empty.
const MAX_PAGES: usize = 32;

/// The list of a backend that is read.
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
pub(super) struct PageItems<M> {
    pub(super) messages: Vec<M>,
    /// Items before some were dropped.
    pub(super) examined: usize,
    pub(super) bytes: usize,
    /// The size that was requested.
    pub(super) requested: usize,
    pub(super) next: Option<Cursor>,
}

impl<M: Message> PageItems<M> {
    /// `convert` makes a message of an item, or drops the item.
    ///
    /// # Errors
    /// When an item exceeds what a response may hold.
    pub(super) fn new<T>(
        page: Page<T>,
        requested: usize,
        convert: impl Fn(T) -> Option<M>,
    ) -> Result<Self, Error> {
        let examined = page.items.len();
        let messages: Vec<M> = page.items.into_iter().filter_map(convert).collect();
        let sizes: Vec<usize> = messages.iter().map(page_item_len).collect();
        match sizes.iter().max() {
            Some(&largest) if largest > MAX_PAGE_BYTES => {
                Err(Error::ResponseTooLarge { bytes: largest, limit: MAX_PAGE_BYTES })
            }
            _ => {
                let bytes = sizes.iter().sum();
                Ok(Self { messages, examined, bytes, requested, next: page.next })
            }
        }
    }
}

/// How much several pages hold together.
#[derive(Debug, Default)]
pub(super) struct Fill {
    pub(super) items: usize,
    pub(super) bytes: usize,
    pub(super) examined: usize,
    pub(super) pages: usize,
}

impl Fill {
    pub(super) fn add<M>(&mut self, page: &PageItems<M>) {
        self.items += page.messages.len();
        self.bytes += page.bytes;
        self.examined += page.examined.max(1);
        self.pages += 1;
    }

    /// Whether a response of up to `max_items` takes no more.
    pub(super) fn is_full(&self, max_items: usize) -> bool {
        self.items >= max_items
            || self.bytes >= MAX_PAGE_BYTES
            || self.examined >= MAX_EXAMINED
            || self.pages >= MAX_PAGES
    }
}

//! The position of a walk over the collections of a subscription, and its encoding as a [`Cursor`].
//!
//! ARM guarantees no order. Within one of its pages the gateway's order is by resource group and name, so that a cursor
//! can hold a position in the page; the pages follow each other as ARM links them.

use prost::Message;
use url::Url;
use uuid::Uuid;

use super::id::CollectionKey;
use crate::backend::Cursor;
use crate::model::{Error, InvalidKind};

const VERSION: u32 = 1;

/// A position in a walk.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Position {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// ARM's link to the page; none for the first.
    #[prost(string, optional, tag = "2")]
    pub(super) page_link: Option<String>,
    /// The last collection of that page that was listed, at least in part.
    #[prost(message, optional, tag = "3")]
    collection: Option<EncodedKey>,
    /// The last listed point of that collection, in lower case; none if the collection is complete.
    #[prost(string, optional, tag = "4")]
    pub(super) point: Option<String>,
    /// The number of links followed, and the hash of one of them: see [`Position::follow`].
    #[prost(uint32, tag = "5")]
    links_followed: u32,
    #[prost(fixed64, tag = "6")]
    checkpoint: u64,
}

/// A [`CollectionKey`].
#[derive(Clone, PartialEq, Eq, Message)]
struct EncodedKey {
    #[prost(string, tag = "1")]
    group: String,
    #[prost(string, tag = "2")]
    name: String,
}

impl Position {
    /// The position that a cursor holds; the start of the first page without one.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a cursor of another version of the gateway.
    pub(super) fn decode_cursor(cursor: Option<&Cursor>) -> Result<Self, Error> {
        let Some(Cursor(bytes)) = cursor else { return Ok(Self::start()) };
        match Self::decode(bytes.as_slice()) {
            Ok(position) if position.version == VERSION => Ok(position),
            _ => Err(Error::invalid(
                InvalidKind::PageToken,
                "page_token",
                "the token is of another version of the gateway; start the list again",
            )),
        }
    }

    /// The cursor that holds this position.
    pub(super) fn to_cursor(&self) -> Cursor {
        Cursor(self.encode_to_vec())
    }

    fn start() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    /// The last listed point of `collection`, in lower case; none if it has to be listed from its start.
    pub(super) fn point_in(&self, collection: &CollectionKey) -> Option<&str> {
        let reached = self.collection.as_ref()?;
        let is_same = (&reached.group, &reached.name) == (&collection.group, &collection.name);
        self.point.as_deref().filter(|_| is_same)
    }

    /// Whether a collection of the page, or the rest of it, is still to be listed.
    pub(super) fn is_before_end_of(&self, collection: &CollectionKey) -> bool {
        let Some(reached) = &self.collection else { return true };
        match (&collection.group, &collection.name).cmp(&(&reached.group, &reached.name)) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => self.point.is_some(),
            std::cmp::Ordering::Greater => true,
        }
    }

    /// Moves to the end of a collection.
    pub(super) fn move_past(&mut self, collection: &CollectionKey) {
        self.move_to(collection, None);
    }

    /// Moves to a point of a collection, given in lower case.
    pub(super) fn move_past_point(&mut self, collection: &CollectionKey, point: String) {
        self.move_to(collection, Some(point));
    }

    fn move_to(&mut self, collection: &CollectionKey, point: Option<String>) {
        let CollectionKey { group, name } = collection.clone();
        self.collection = Some(EncodedKey { group, name });
        self.point = point;
    }

    /// The start of the page of a link; none if the links form a cycle.
    ///
    /// The cycle is detected across requests by Brent's algorithm: one link is the checkpoint, which moves at each power
    /// of two, so that at last it lies in the cycle and stays until the walk comes to it again.
    pub(super) fn follow(&self, link: &Url) -> Option<Self> {
        let (hash, _) = Uuid::new_v5(&Uuid::NAMESPACE_URL, link.as_str().as_bytes()).as_u64_pair();
        if self.links_followed > 0 && hash == self.checkpoint {
            return None;
        }
        let links_followed = self.links_followed.saturating_add(1);
        let checkpoint = if links_followed.is_power_of_two() { hash } else { self.checkpoint };
        let page_link = Some(link.as_str().to_owned());
        Some(Self { page_link, links_followed, checkpoint, ..Self::start() })
    }
}

//! The walk over the collections of a subscription: ARM's pages, and the cursor that goes on after one.
//!
//! ARM promises no order. Within one of its pages ours is by resource group and name, so that a cursor
//! can say where in a page it stands; the pages follow each other as ARM links them.

use std::collections::BTreeMap;

use prost::Message;
use url::Url;
use uuid::Uuid;

use super::Azure;
use super::client::Expand;
use super::map;
use super::wire;
use crate::backend::{Cursor, Page};
use crate::model::{Collection, Error, InvalidKind};

const VERSION: u32 = 1;
/// ARM's pages read for one of ours, so that empty ones do not hold a caller for ever.
pub(super) const PAGES: usize = 16;

/// Where a walk stands, as a cursor holds it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Position {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// ARM's link to the page; none for the first.
    #[prost(string, optional, tag = "2")]
    pub(super) page: Option<String>,
    /// The collection reached in that page.
    #[prost(message, optional, tag = "3")]
    pub(super) collection: Option<Key>,
    /// The last point told of that collection, in lower case; none if the collection is done.
    #[prost(string, optional, tag = "4")]
    pub(super) point: Option<String>,
    /// How many links were followed, and the hash of one of them: a walk that comes upon it again goes in
    /// a circle.
    #[prost(uint32, tag = "5")]
    turned: u32,
    #[prost(fixed64, tag = "6")]
    marked: u64,
}

/// The key of a collection.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Key {
    #[prost(string, tag = "1")]
    pub(super) group: String,
    #[prost(string, tag = "2")]
    pub(super) name: String,
}

impl Position {
    /// The beginning of the first page.
    fn beginning() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    /// Goes on with the page of a link; none if the links lead in a circle.
    ///
    /// The mark moves on at each power of two, so that it comes to lie in the circle, and stays there long
    /// enough to be met again, however long the circle is (Brent).
    pub(super) fn turn(&self, link: &Url) -> Option<Self> {
        let (hash, _) = Uuid::new_v5(&Uuid::NAMESPACE_URL, link.as_str().as_bytes()).as_u64_pair();
        if self.turned > 0 && hash == self.marked {
            return None;
        }
        let turned = self.turned.saturating_add(1);
        let marked = if turned.is_power_of_two() { hash } else { self.marked };
        let page = Some(link.as_str().to_owned());
        Some(Self { page, turned, marked, ..Self::beginning() })
    }

    /// Where a cursor stands; the beginning without one.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a cursor of another version of the gateway.
    pub(super) fn read(cursor: Option<&Cursor>) -> Result<Self, Error> {
        let Some(Cursor(bytes)) = cursor else { return Ok(Self::beginning()) };
        match Self::decode(bytes.as_slice()) {
            Ok(position) if position.version == VERSION => Ok(position),
            _ => Err(Error::invalid(
                InvalidKind::PageToken,
                "page_token",
                "it is of another version of the gateway; start the list again",
            )),
        }
    }

    /// The cursor.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor(self.encode_to_vec())
    }

    /// Moves behind a collection, or behind a point in it.
    pub(super) fn reach(&mut self, key: &(String, String), point: Option<String>) {
        self.collection = Some(Key { group: key.0.clone(), name: key.1.clone() });
        self.point = point;
    }

    /// Whether a collection is still to be told, or the rest of it.
    pub(super) fn is_before(&self, key: &(String, String)) -> bool {
        let Some(reached) = &self.collection else { return true };
        match (&key.0, &key.1).cmp(&(&reached.group, &reached.name)) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => self.point.is_some(),
            std::cmp::Ordering::Greater => true,
        }
    }
}

/// One of ARM's pages.
#[derive(Debug)]
pub(super) struct CollectionPage {
    /// Each once, whatever ARM does, in our order.
    pub(super) collections: BTreeMap<(String, String), wire::Collection>,
    /// The next page.
    pub(super) next: Option<Url>,
}

impl Azure {
    /// Reads the page of a link that ARM gave, or the first.
    pub(super) async fn list_page(&self, link: Option<&str>) -> Result<CollectionPage, Error> {
        let subscription = self.arm.subscription.as_str();
        let providers = ["providers", "Microsoft.Compute", "restorePointCollections"];
        let path = [&["subscriptions", subscription][..], &providers].concat();
        let url = match link {
            None => self.arm.url(&path, Expand::Nothing),
            Some(link) => self.next_url(link)?,
        };
        let body = self.arm.read_list(url, self.arm.backend.to_string()).await?;
        let page: wire::CollectionPage =
            wire::decode(&body).map_err(|why| self.arm.invalid_response(why))?;

        let mut collections = BTreeMap::new();
        for collection in page.value {
            let home = self.remember_home(&collection)?;
            collections.insert(home.id.key(), collection);
        }
        let next = page.next_link.filter(|link| !link.is_empty());
        let next = next.map(|link| self.next_url(&link)).transpose()?;
        Ok(CollectionPage { collections, next })
    }

    /// Turns to the next of ARM's pages.
    pub(super) fn turn(&self, at: &Position, next: &Url) -> Result<Position, Error> {
        at.turn(next).ok_or_else(|| {
            self.arm.invalid_response("the pages of a list follow each other in a circle")
        })
    }

    pub(super) fn next_url(&self, link: &str) -> Result<Url, Error> {
        self.arm
            .own_url(link)
            .ok_or_else(|| self.arm.invalid_response("the next page of a list is at another host"))
    }

    /// Up to `size` collections after `cursor`.
    pub(super) async fn walk_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        let mut at = Position::read(cursor)?;
        let mut items = Vec::new();
        let mut read = 0;
        loop {
            let page = self.list_page(at.page.as_deref()).await?;
            read += 1;
            let mut rest = page.collections;
            rest.retain(|key, _| at.is_before(key));
            for (key, wire) in rest {
                if items.len() >= size.max(1) {
                    // The last one told is where the next page goes on; `at` stands there.
                    return Ok(Page { items, next: Some(at.cursor()) });
                }
                let item = map::collection(self.scope(), wire);
                items.push(item.map_err(|why| self.arm.invalid_response(why))?);
                at.reach(&key, None);
            }
            let Some(next) = page.next else { return Ok(Page { items, next: None }) };
            at = self.turn(&at, &next)?;
            if items.len() >= size.max(1) || read >= PAGES {
                return Ok(Page { items, next: Some(at.cursor()) });
            }
        }
    }
}

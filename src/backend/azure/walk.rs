//! The walk over the collections of a subscription: ARM's pages, and the cursor that goes on after one.
//!
//! ARM promises no order. Within one of its pages ours is by resource group and name, so that a cursor
//! can say where in a page it stands; the pages follow each other as ARM links them.

use std::collections::BTreeMap;

use prost::Message;
use url::Url;

use super::Azure;
use super::client::Expand;
use super::map;
use super::wire;
use crate::backend::{Cursor, Page};
use crate::model::{Collection, Error, Invalid};

const VERSION: u32 = 1;

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
    /// The beginning of a page.
    pub(super) fn beginning(url: Option<&Url>) -> Self {
        let page = url.map(|url| url.as_str().to_owned());
        Self { version: VERSION, page, collection: None, point: None }
    }

    /// Where a cursor stands; the beginning without one.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a cursor of another version of the gateway.
    pub(super) fn read(cursor: Option<&Cursor>) -> Result<Self, Error> {
        let Some(Cursor(bytes)) = cursor else { return Ok(Self::beginning(None)) };
        match Self::decode(bytes.as_slice()) {
            Ok(position) if position.version == VERSION => Ok(position),
            _ => Err(Error::invalid(
                Invalid::PageToken,
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
        let body = self.arm.read(&url, &self.arm.backend.to_string()).await?;
        let page: wire::CollectionPage =
            wire::decode(&body).map_err(|why| self.arm.senseless(why))?;

        let mut collections = BTreeMap::new();
        for collection in page.value {
            let home = self.remember_home(&collection)?;
            collections.insert(home.id.key(), collection);
        }
        let next = page.next_link.filter(|link| !link.is_empty());
        let next = next.map(|link| self.next_url(&link)).transpose()?;
        if next.as_ref() == Some(&url) {
            return Err(self.arm.senseless("the next page of a list is that page itself"));
        }
        Ok(CollectionPage { collections, next })
    }

    pub(super) fn next_url(&self, link: &str) -> Result<Url, Error> {
        self.arm
            .own_url(link)
            .ok_or_else(|| self.arm.senseless("the next page of a list is at another host"))
    }

    /// Up to `size` collections after `cursor`.
    pub(super) async fn walk_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        let mut at = Position::read(cursor)?;
        let mut items = Vec::new();
        loop {
            let page = self.list_page(at.page.as_deref()).await?;
            let mut rest = page.collections;
            rest.retain(|key, _| at.is_before(key));
            for (key, wire) in rest {
                if items.len() >= size.max(1) {
                    // The last one told is where the next page goes on; `at` stands there.
                    return Ok(Page { items, next: Some(at.cursor()) });
                }
                let item = map::collection(self.scope(), wire);
                items.push(item.map_err(|why| self.arm.senseless(why))?);
                at.reach(&key, None);
            }
            let Some(next) = page.next else { return Ok(Page { items, next: None }) };
            at = Position::beginning(Some(&next));
            if items.len() >= size.max(1) {
                return Ok(Page { items, next: Some(at.cursor()) });
            }
        }
    }
}

//! The cursor of a list of entities: everything that the gateway keeps between two pages.
//!
//! Clients get it sealed, so a cursor that cannot be decoded is from another release of the gateway and no attack.

use std::collections::HashSet;

use jiff::Timestamp;
use prost::Message;
use uuid::Uuid;

use super::xml::{Entity, Problem};
use crate::backend::Cursor;
use crate::model::{Error, InvalidKind};

/// The largest page. The vendor names no limit; this is ten times its default, and about 1.5 MiB.
pub(super) const MAX_PAGE_SIZE: u32 = 1000;
/// How many ids of equal creation time a position holds, in 16 KiB.
const MAX_IDS: usize = 1024;
const VERSION: u32 = 1;

/// A position in a list, by the method that the list is read with. The page size stays the same for the whole list, since
/// it determines what a page number means.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ListCursor {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    page_size: u32,
    #[prost(oneof = "ListMethod", tags = "3, 4")]
    method: Option<ListMethod>,
}

/// How a list is read, and how far it has been read.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum ListMethod {
    /// By the query service.
    #[prost(message, tag = "3")]
    Query(QueryPosition),
    /// By references in the order of their GUIDs: the last one delivered.
    #[prost(bytes, tag = "4")]
    References(Vec<u8>),
}

impl ListCursor {
    /// Encodes a cursor.
    pub(super) fn encode(page_size: u32, method: ListMethod) -> Cursor {
        let cursor = Self { version: VERSION, page_size, method: Some(method) };
        Cursor(cursor.encode_to_vec())
    }

    /// Decodes a cursor into the page size, 1 to [`MAX_PAGE_SIZE`], and the method.
    ///
    /// # Errors
    /// As [`invalid_cursor`].
    pub(super) fn decode(cursor: &Cursor) -> Result<(u32, ListMethod), Error> {
        match <Self as Message>::decode(cursor.0.as_slice()) {
            Ok(Self { version: VERSION, page_size, method: Some(method) })
                if (1..=MAX_PAGE_SIZE).contains(&page_size) =>
            {
                Ok((page_size, method))
            }
            _ => Err(invalid_cursor()),
        }
    }
}

/// INVALID_ARGUMENT on `page_token`, for a cursor that this release has not encoded.
pub(super) fn invalid_cursor() -> Error {
    let problem = "the token is from another release of the gateway: list again from the start";
    Error::invalid(InvalidKind::PageToken, "page_token", problem)
}

/// Which entities of a query have been delivered to the client.
///
/// A query returns the newest entities first. So the delivered ones are those newer than the last delivered one and, of
/// those that are equally old, the ones whose ids are recorded here. This depends on the order, so the order of each page
/// is checked. Entities without a creation time count as equally old.
///
/// An entity that is created while the list is being read, and belongs among the delivered ones, is skipped.
#[derive(Clone, PartialEq, Message)]
pub(super) struct QueryPosition {
    /// The last page that was delivered completely, 0 at the start.
    #[prost(uint32, tag = "1")]
    pub(super) page: u32,
    /// Creation time of the last delivered entity.
    #[prost(int64, optional, tag = "2")]
    seconds: Option<i64>,
    #[prost(int32, tag = "3")]
    nanoseconds: i32,
    /// The GUIDs of the delivered entities of that creation time, 16 bytes each, the first delivered first.
    #[prost(bytes, tag = "4")]
    ids: Vec<u8>,
}

impl QueryPosition {
    /// Whether an entity has been delivered.
    pub(super) fn has_delivered(&self, entity: &Entity) -> bool {
        let created = entity.created.unwrap_or_default();
        self.last().is_some_and(|last| {
            created > last
                || created == last && self.ids.chunks_exact(16).any(|id| id == entity.id.as_bytes())
        })
    }

    /// Returns the first `max` undelivered entities of a page and records them as delivered, and the page as well if
    /// none is left.
    ///
    /// # Errors
    /// When the page is not in the requested order.
    pub(super) fn deliver(
        &mut self,
        page: u32,
        entities: Vec<Entity>,
        max: usize,
    ) -> Result<Vec<Entity>, Problem> {
        let created = |entity: &Entity| entity.created.unwrap_or_default();
        if !entities.is_sorted_by(|a, b| created(a) >= created(b)) {
            return Err(Problem::new("a page that is not in the requested order"));
        }
        let mut last = self.last();
        let mut known: HashSet<Uuid> =
            self.ids.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).collect();
        let mut delivered = Vec::with_capacity(entities.len().min(max));
        self.page = page;
        for entity in entities {
            let created = created(&entity);
            if last.is_some_and(|last| created > last) || !known.insert(entity.id) {
                continue;
            }
            if delivered.len() == max {
                // The page is read again for the rest.
                self.page = page - 1;
                break;
            }
            if last != Some(created) {
                last = Some(created);
                self.ids.clear();
            }
            self.ids.extend_from_slice(entity.id.as_bytes());
            delivered.push(entity);
        }
        self.ids.drain(..self.ids.len().saturating_sub(16 * MAX_IDS));
        self.seconds = last.map(Timestamp::as_second);
        self.nanoseconds = last.map(Timestamp::subsec_nanosecond).unwrap_or_default();
        Ok(delivered)
    }

    fn last(&self) -> Option<Timestamp> {
        Timestamp::new(self.seconds?, self.nanoseconds).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// A page of entities, each with an id and a creation time in seconds.
    fn page(items: &[(u128, i64)]) -> Vec<Entity> {
        let entity = |&(id, second): &(u128, i64)| Entity {
            id: Uuid::from_u128(id),
            created: Timestamp::new(second, 5).ok(),
            ..Entity::default()
        };
        items.iter().map(entity).collect()
    }

    fn ids(entities: &[Entity]) -> Vec<u128> {
        entities.iter().map(|entity| entity.id.as_u128()).collect()
    }

    #[test]
    fn each_entity_is_delivered_once() {
        let mut position = QueryPosition::default();
        assert_eq!(
            ids(&position.deliver(1, page(&[(1, 9), (2, 7), (3, 7)]), usize::MAX).unwrap()),
            [1, 2, 3]
        );
        let cursor = ListCursor::encode(3, ListMethod::Query(position));
        let (3, ListMethod::Query(mut position)) = ListCursor::decode(&cursor).unwrap() else {
            panic!()
        };
        let is_delivered = |item| position.has_delivered(&page(&[item])[0]);
        assert!(is_delivered((3, 7)) && is_delivered((1, 9)));
        assert!(!is_delivered((4, 7)) && !is_delivered((4, 6)));
        // 8 was created since and belongs among the delivered ones; 4 is as old as the last one and was not delivered.
        let mut deliver = |items| ids(&position.deliver(1, page(items), usize::MAX).unwrap());
        assert_eq!(deliver(&[(8, 8), (3, 7), (4, 7)]), [4]);
        assert_eq!(deliver(&[(2, 7), (4, 7), (5, 6)]), [5]);
        assert_eq!(deliver(&[(5, 6), (5, 6)]), [0; 0]);
        assert_eq!(position.ids.len(), 16);
    }

    #[test]
    fn a_page_in_another_order_is_an_error() {
        assert!(QueryPosition::default().deliver(1, page(&[(1, 6), (2, 7)]), 9).is_err());
    }

    #[test]
    fn a_cursor_stays_small() {
        let mut position = QueryPosition::default();
        let many: Vec<_> = (0..5000).map(|id| (id, 7)).collect();
        assert_eq!(position.deliver(1, page(&many), usize::MAX).unwrap().len(), 5000);
        assert!(ListCursor::encode(1, ListMethod::Query(position.clone())).0.len() < 17 * 1024);
        let next = position.deliver(1, page(&[(4999, 7), (5000, 7)]), usize::MAX).unwrap();
        assert_eq!(ids(&next), [5000]);
    }
}

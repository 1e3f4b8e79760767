//! Where a walk over a list stands: all that is kept between two pages, in bytes of our own.
//!
//! Callers hold it sealed; what does not decode is an honest mistake or another release, not an attack.

use std::collections::HashSet;

use jiff::Timestamp;
use prost::Message;
use uuid::Uuid;

use super::wire::{Entity, Problem};
use crate::backend::Cursor;
use crate::model::{Error, InvalidKind};

/// How many ids of equal age are remembered: 16 KiB of them.
const REMEMBERED: usize = 1024;
const VERSION: u32 = 1;

/// Where a walk stands. The page size stays what it was at the start, or page numbers would mean
/// something else.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Position {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    pub(super) page_size: u32,
    #[prost(oneof = "Way", tags = "3, 4")]
    pub(super) way: Option<Way>,
}

/// How the walk goes on.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Way {
    /// By the query service.
    #[prost(message, tag = "3")]
    Query(Told),
    /// By references in the order of their GUIDs, of which this is the last one told.
    #[prost(bytes, tag = "4")]
    References(Vec<u8>),
}

impl Position {
    /// A cursor that goes on this way.
    pub(super) fn cursor(page_size: u32, way: Way) -> Cursor {
        Cursor(Self { version: VERSION, page_size, way: Some(way) }.encode_to_vec())
    }

    /// Reads a cursor whose page size is at most `largest`.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it is none of this release.
    pub(super) fn read(cursor: &Cursor, largest: u32) -> Result<(u32, Way), Error> {
        match Self::decode(cursor.0.as_slice()) {
            Ok(Self { version: VERSION, page_size, way: Some(way) })
                if (1..=largest).contains(&page_size) =>
            {
                Ok((page_size, way))
            }
            _ => Err(Self::foreign()),
        }
    }

    /// The error for a cursor that is none of this release.
    pub(super) fn foreign() -> Error {
        let problem = "it is not of this release of the gateway; list again from the start";
        Error::invalid(InvalidKind::PageToken, "page_token", problem)
    }
}

/// What a walk over query pages has told so far.
///
/// The list is asked for newest first, so what was told is exactly what is newer than the last one
/// told, and, of those as old as it, the ones remembered here. This rests on the order, so the order of
/// each page is checked. Resources without a date count as equally old.
///
/// A point that lands in the told part during the walk is left out, as if it had landed behind it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Told {
    /// The last page told to its end, 0 at the start.
    #[prost(uint32, tag = "1")]
    pub(super) page: u32,
    /// Age of the last one told.
    #[prost(int64, optional, tag = "2")]
    seconds: Option<i64>,
    #[prost(int32, tag = "3")]
    nanoseconds: i32,
    /// GUIDs told of that age, sixteen bytes each, oldest first.
    #[prost(bytes, tag = "4")]
    ids: Vec<u8>,
}

impl Told {
    /// Whether this one was told.
    pub(super) fn includes(&self, entity: &Entity) -> bool {
        let created = entity.created.unwrap_or_default();
        self.last().is_some_and(|last| {
            created > last
                || created == last && self.ids.chunks_exact(16).any(|id| id == entity.id.as_bytes())
        })
    }

    /// The first `most` of a page's `entities` that were not told, and notes that they are now, and the
    /// page if nothing is left of it.
    ///
    /// # Errors
    /// When they are not newest first.
    pub(super) fn news(
        &mut self,
        page: u32,
        entities: Vec<Entity>,
        most: usize,
    ) -> Result<Vec<Entity>, Problem> {
        let age = |entity: &Entity| entity.created.unwrap_or_default();
        if !entities.is_sorted_by(|a, b| age(a) >= age(b)) {
            return Err(Problem::new("a page that is not in the order asked for"));
        }
        let mut last = self.last();
        let mut known: HashSet<Uuid> =
            self.ids.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok()).collect();
        let mut news = Vec::with_capacity(entities.len().min(most));
        self.page = page;
        for entity in entities {
            let created = age(&entity);
            if last.is_some_and(|last| created > last) || !known.insert(entity.id) {
                continue;
            }
            if news.len() == most {
                // Read once more for the rest: what is told of it will be passed over.
                self.page = page - 1;
                break;
            }
            if last != Some(created) {
                last = Some(created);
                self.ids.clear();
            }
            self.ids.extend_from_slice(entity.id.as_bytes());
            news.push(entity);
        }
        self.ids.drain(..self.ids.len().saturating_sub(16 * REMEMBERED));
        self.seconds = last.map(Timestamp::as_second);
        self.nanoseconds = last.map(Timestamp::subsec_nanosecond).unwrap_or_default();
        Ok(news)
    }

    fn last(&self) -> Option<Timestamp> {
        Timestamp::new(self.seconds?, self.nanoseconds).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

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
    fn what_comes_again_is_dropped_and_nothing_else() {
        let mut told = Told::default();
        assert_eq!(
            ids(&told.news(1, page(&[(1, 9), (2, 7), (3, 7)]), usize::MAX).unwrap()),
            [1, 2, 3]
        );
        let cursor = Position::cursor(3, Way::Query(told));
        let (3, Way::Query(mut told)) = Position::read(&cursor, 3).unwrap() else { panic!() };
        assert!(told.includes(&page(&[(3, 7)])[0]) && told.includes(&page(&[(1, 9)])[0]));
        assert!(!told.includes(&page(&[(4, 7)])[0]) && !told.includes(&page(&[(4, 6)])[0]));
        // 8 has landed since, among what was told; 4 is as old as the last one told, and is not told.
        assert_eq!(ids(&told.news(1, page(&[(8, 8), (3, 7), (4, 7)]), usize::MAX).unwrap()), [4]);
        assert_eq!(ids(&told.news(1, page(&[(2, 7), (4, 7), (5, 6)]), usize::MAX).unwrap()), [5]);
        assert_eq!(ids(&told.news(1, page(&[(5, 6), (5, 6)]), usize::MAX).unwrap()), [0; 0]);
        assert_eq!(told.ids.len(), 16);
    }

    #[test]
    fn another_order_is_refused() {
        assert!(Told::default().news(1, page(&[(1, 6), (2, 7)]), 9).is_err());
    }

    #[test]
    fn a_cursor_stays_small() {
        let mut told = Told::default();
        let many: Vec<_> = (0..5000).map(|id| (id, 7)).collect();
        assert_eq!(told.news(1, page(&many), usize::MAX).unwrap().len(), 5000);
        assert!(Position::cursor(1, Way::Query(told.clone())).0.len() < 17 * 1024);
        assert_eq!(ids(&told.news(1, page(&[(4999, 7), (5000, 7)]), usize::MAX).unwrap()), [5000]);
    }
}

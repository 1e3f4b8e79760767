//! List: one page of restore points, in the vendors' own order or in one that the caller asks for.
//!
//! With an order, each page reads the whole parent and keeps only the page in memory: neither vendor
//! sorts across collections.

use std::cmp::Ordering;

use async_trait::async_trait;

use super::Gateway;
use super::page::{self, Position, SortedPosition};
use super::walk::{Covered, MOST_BYTES, Read};
use crate::backend::{Backend, Cursor, Page};
use crate::convert;
use crate::model::{
    Error, Filter, Invalid, ListParent, OrderBy, RestorePoint, Segment, SortKey, View,
};
use crate::proto::{ListRequest, ListResponse};

/// How many points are asked of a backend at once when all are read.
const SORT_STEP: usize = 1000;

impl Gateway {
    pub(super) async fn list_restore_points(
        &self,
        request: ListRequest,
    ) -> Result<ListResponse, Error> {
        let parent = ListParent::parse(&request.parent, "parent")?;
        let size = page::size(request.page_size)?;
        let filter = Filter::parse(&request.filter)?;
        let order = OrderBy::parse(&request.order_by)?;
        let view = convert::view(request.view, View::Basic).ok_or_else(unknown_view)?;
        let bound = page::binding(
            "List",
            &[&parent.to_string(), &request.filter, &request.order_by, &format!("{view:?}")],
        );
        let start = page::open(&self.sealer, &bound, &request.page_token)?;
        let covered = self.covered(&parent.backend, "parent")?;

        let read = Points { collection: &parent.collection, view };
        let (points, next, unreachable) = match order {
            None => {
                let walked = covered
                    .walk(start.walk, size, &read, |point| {
                        filter.matches(&point).then(|| convert::restore_point(point))
                    })
                    .await
                    .map_err(|error| error.in_field("parent"))?;
                let next = walked.next.map(|walk| Position { walk: Some(walk), after: None });
                (walked.items, next, walked.unreachable)
            }
            Some(order) => {
                let ask = Sorted { order, filter, size, after: start.after.as_ref().map(key) };
                ask.collect(&covered, &read).await.map_err(|error| error.in_field("parent"))?
            }
        };
        let next_page_token = page::seal(&self.sealer, &bound, next.as_ref())?;
        Ok(ListResponse { restore_points: points, next_page_token, unreachable })
    }
}

struct Points<'a> {
    collection: &'a Segment,
    view: View,
}

#[async_trait]
impl Read for Points<'_> {
    type Item = RestorePoint;

    async fn page(
        &self,
        backend: &dyn Backend,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        backend.list(self.collection, self.view, cursor, size).await
    }
}

/// One page in the caller's order.
struct Sorted {
    order: OrderBy,
    filter: Filter,
    size: usize,
    after: Option<SortKey>,
}

type SortedPage = (Vec<crate::proto::RestorePoint>, Option<Position>, Vec<String>);

impl Sorted {
    async fn collect(&self, covered: &Covered, read: &Points<'_>) -> Result<SortedPage, Error> {
        // The best `size` points so far, in order, and one more to know whether the list goes on.
        let mut best: Vec<(SortKey, crate::proto::RestorePoint)> = Vec::new();
        let mut unreachable = Vec::new();
        let mut position = None;
        loop {
            let walked = covered
                .walk(position.take(), SORT_STEP, read, |point| {
                    self.offer(&mut best, point);
                    None::<crate::proto::RestorePoint>
                })
                .await?;
            unreachable.extend(walked.unreachable);
            match walked.next {
                Some(next) => position = Some(next),
                None => break,
            }
        }
        unreachable.dedup();
        let room = fitting(&best).min(self.size);
        let more = best.len() > room;
        best.truncate(room);
        let next = best.last().filter(|_| more).map(|(key, _)| Position {
            walk: None,
            after: Some(SortedPosition {
                time: key.time.map(|time| time.to_string()),
                name: key.name.clone(),
            }),
        });
        Ok((best.into_iter().map(|(_, point)| point).collect(), next, unreachable))
    }

    fn offer(&self, best: &mut Vec<(SortKey, crate::proto::RestorePoint)>, point: RestorePoint) {
        if !self.filter.matches(&point) {
            return;
        }
        let key = SortKey::of(&point);
        let told = |after: &SortKey| self.order.compare(&key, after) != Ordering::Greater;
        if self.after.as_ref().is_some_and(told) {
            return;
        }
        // An equal key is the same point again: a vendor's page shifted under the walk.
        let place = best.binary_search_by(|(own, _)| self.order.compare(own, &key));
        if let Err(place) = place
            && place <= self.size
        {
            best.insert(place, (key, convert::restore_point(point)));
            best.truncate(self.size + 1);
        }
    }
}

/// How many points, from the first on, fit into a message; one at least.
fn fitting(points: &[(SortKey, crate::proto::RestorePoint)]) -> usize {
    let mut bytes = 0;
    let fits = |(_, point): &&(SortKey, crate::proto::RestorePoint)| {
        bytes += prost::Message::encoded_len(point);
        bytes <= MOST_BYTES
    };
    points.iter().take_while(fits).count().max(1)
}

fn key(position: &SortedPosition) -> SortKey {
    SortKey {
        time: position.time.as_ref().and_then(|time| time.parse().ok()),
        name: position.name.clone(),
    }
}

pub(super) fn unknown_view() -> Error {
    Error::invalid(Invalid::Value, "view", "it is none of BASIC, FULL and RAW")
}

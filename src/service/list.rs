//! List: one page of restore points, in the vendors' own order or in one that the caller requests.
//!
//! With an order, each page reads the whole parent and keeps one page of the order in memory: no vendor sorts across
//! collections.

use std::cmp::Ordering;

use async_trait::async_trait;

use super::gateway::Gateway;
use super::list_scope::ListScope;
use super::list_source::ListSource;
use super::page_token::{self, Position, SortedPosition};
use super::response::{MAX_PAGE_BYTES, page_item_len};
use super::{walk, whole_list};
use crate::backend::{Backend, Cursor, Page};
use crate::convert;
use crate::model::{
    Deadline, Error, Filter, ListParent, OrderBy, RestorePoint, Segment, SortKey, View,
};
use crate::proto;

pub(super) async fn list(
    gateway: &Gateway,
    request: proto::ListRequest,
    deadline: Option<Deadline>,
) -> Result<proto::ListResponse, Error> {
    let parent = ListParent::parse(&request.parent, "parent")?;
    let size = page_token::page_size(request.page_size)?;
    let filter = Filter::parse(&request.filter)?;
    let order = OrderBy::parse(&request.order_by)?;
    let view = convert::view(request.view, View::Basic)?;
    let binding = page_token::binding(
        "List",
        &[&parent.to_string(), &request.filter, &request.order_by, &format!("{view:?}")],
    );
    let start = page_token::open(&gateway.sealer, &binding, &request.page_token)?;
    let scope = ListScope::new(&gateway.registry, &parent.backend, "parent", deadline)?;

    let source = Points { collection: &parent.collection, view };
    let page = match order {
        None => {
            let convert = |point| filter.matches(&point).then(|| convert::restore_point(point));
            let page = walk::page(&scope, start.walk, size, &source, convert).await;
            page.map(|page| ListPage {
                points: page.items,
                next: page.next.map(|walk| Position { walk: Some(walk), after: None }),
                unreachable: page.unreachable,
            })
        }
        Some(order) => {
            let sorted = Sorted { order, filter, size, after: start.after.as_ref().map(sort_key) };
            sorted.page(&scope, &source).await
        }
    };
    let ListPage { points, next, unreachable } = page.map_err(|error| error.in_field("parent"))?;
    let next_page_token = page_token::seal(&gateway.sealer, &binding, next.as_ref())?;
    Ok(proto::ListResponse { restore_points: points, next_page_token, unreachable })
}

struct ListPage {
    points: Vec<proto::RestorePoint>,
    next: Option<Position>,
    unreachable: Vec<String>,
}

struct Points<'a> {
    collection: &'a Segment,
    view: View,
}

#[async_trait]
impl ListSource for Points<'_> {
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

type Keyed = (SortKey, proto::RestorePoint);

impl Sorted {
    async fn page(&self, scope: &ListScope, source: &Points<'_>) -> Result<ListPage, Error> {
        // The first `size` points, and one more to know whether another page follows.
        let mut first: Vec<Keyed> = Vec::new();
        let insert = |point| self.insert(&mut first, point);
        let unreachable = whole_list::read(scope, source, insert).await?;
        let count = count_that_fits(&first).min(self.size);
        let is_last = first.len() <= count;
        first.truncate(count);
        let next = first.last().filter(|_| !is_last).map(|(key, _)| Position {
            walk: None,
            after: Some(SortedPosition {
                time: key.time.map(|time| time.to_string()),
                name: key.name.clone(),
            }),
        });
        let points = first.into_iter().map(|(_, point)| point).collect();
        Ok(ListPage { points, next, unreachable })
    }

    fn insert(&self, first: &mut Vec<Keyed>, point: RestorePoint) {
        if !self.filter.matches(&point) {
            return;
        }
        let key = SortKey::of(&point);
        let is_earlier = |after: &SortKey| self.order.compare(&key, after) != Ordering::Greater;
        if self.after.as_ref().is_some_and(is_earlier) {
            return;
        }
        // An equal key is the same point again: a vendor's page has shifted under the walk.
        let position = first.binary_search_by(|(own, _)| self.order.compare(own, &key));
        if let Err(position) = position
            && position <= self.size
        {
            first.insert(position, (key, convert::restore_point(point)));
            first.truncate(self.size + 1);
        }
    }
}

/// How many points from the first on fit into a response; at least one.
fn count_that_fits(points: &[Keyed]) -> usize {
    let mut bytes = 0;
    let fits = |(_, point): &&Keyed| {
        bytes += page_item_len(point);
        bytes <= MAX_PAGE_BYTES
    };
    points.iter().take_while(fits).count().max(1)
}

fn sort_key(position: &SortedPosition) -> SortKey {
    SortKey {
        time: position.time.as_ref().and_then(|time| time.parse().ok()),
        name: position.name.clone(),
    }
}

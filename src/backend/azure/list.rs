//! Lists collections and points, page by page.
//!
//! ARM has no operation that lists points: they are read collection by collection. The state of a listed point is true in
//! every view, so one whose data is not known to be complete, such as a copy, costs a request of its own.

use std::ops::ControlFlow;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use url::Url;

use super::client::ArmClient;
use super::collections::{CollectionPage, CollectionPoints, Collections};
use super::cursor::Position;
use super::dto;
use super::id::CollectionId;
use super::map::CollectionIdentity;
use super::points::{MAX_CONCURRENT_READS, Points};
use super::redact::redact;
use crate::backend::{Cursor, Page};
use crate::model::{Collection, Error, RestorePoint, View};

/// Pages of ARM that are read for one of the gateway's: empty ones must not hold up a call.
const MAX_PAGES: usize = 16;
/// Collections that are read for one page: empty ones must not hold up a call.
const MAX_COLLECTIONS: usize = 64;
/// Collections that are read at once. Those beyond the end of the page are read in vain.
const MAX_CONCURRENT_COLLECTIONS: usize = 4;

/// A page of up to `size` collections after `cursor`.
///
/// # Errors
/// INVALID_ARGUMENT for a cursor of another version of the gateway; those of the vendor.
pub(super) async fn list_collections(
    collections: &Collections,
    cursor: Option<&Cursor>,
    size: usize,
) -> Result<Page<Collection>, Error> {
    let size = size.max(1);
    let mut position = Position::decode_cursor(cursor)?;
    let mut items = Vec::new();
    let mut pages = 0;
    loop {
        let page = collections.read_page(position.page_link.as_deref()).await?;
        pages += 1;
        let mut remaining = page.collections;
        remaining.retain(|key, _| position.is_before_end_of(key));
        for (key, dto) in remaining {
            if items.len() >= size {
                return Ok(Page { items, next: Some(position.to_cursor()) });
            }
            items.push(collections.to_model(dto)?);
            position.move_past(&key);
        }
        let Some(link) = page.next else { return Ok(Page { items, next: None }) };
        position = follow(&collections.arm, &position, &link)?;
        if items.len() >= size || pages >= MAX_PAGES {
            return Ok(Page { items, next: Some(position.to_cursor()) });
        }
    }
}

/// A page of up to `size` points of one collection after `cursor`.
///
/// # Errors
/// [`Error::NotFound`]; otherwise as [`list_collections`].
pub(super) async fn list_points_of_collection(
    points: &Points,
    id: &CollectionId,
    view: View,
    cursor: Option<&Cursor>,
    size: usize,
) -> Result<Page<RestorePoint>, Error> {
    let mut position = Position::decode_cursor(cursor)?;
    let mut listed = read_sorted(points, id, view, position.point.as_deref()).await?;
    let is_cut = listed.len() > size.max(1);
    listed.truncate(size.max(1));
    let next = listed.last().filter(|_| is_cut).map(|last| {
        position.move_past_point(&id.key(), last.key());
        position.to_cursor()
    });
    Ok(Page { items: complete(points, listed, view).await?, next })
}

/// A page of up to `size` points of all collections after `cursor`.
///
/// # Errors
/// As [`list_collections`].
pub(super) async fn list_all_points(
    points: &Points,
    view: View,
    cursor: Option<&Cursor>,
    size: usize,
) -> Result<Page<RestorePoint>, Error> {
    let mut position = Position::decode_cursor(cursor)?;
    let mut listing = Listing { size: size.max(1), points: Vec::new(), collections: 0 };
    let mut pages = 0;
    let next = loop {
        let page = points.collections.read_page(position.page_link.as_deref()).await?;
        pages += 1;
        if listing.add_page(points, &page, view, &mut position).await?.is_break() {
            break Some(position.to_cursor());
        }
        let Some(link) = page.next else { break None };
        position = follow(&points.arm, &position, &link)?;
        if listing.is_full() || pages >= MAX_PAGES {
            break Some(position.to_cursor());
        }
    };
    Ok(Page { items: complete(points, listing.points, view).await?, next })
}

/// A page of the gateway while it is filled from ARM's pages.
struct Listing {
    size: usize,
    points: Vec<ListedPoint>,
    /// The number of collections read.
    collections: usize,
}

impl Listing {
    fn is_full(&self) -> bool {
        self.points.len() >= self.size || self.collections >= MAX_COLLECTIONS
    }

    /// Adds the points of a page of ARM from `position` on, and moves `position` past them. Breaks when it is full before
    /// the end of ARM's page.
    async fn add_page(
        &mut self,
        points: &Points,
        page: &CollectionPage,
        view: View,
        position: &mut Position,
    ) -> Result<ControlFlow<()>, Error> {
        let ids: Vec<(CollectionId, Option<String>)> = page
            .collections
            .iter()
            .filter(|(key, _)| position.is_before_end_of(key))
            .map(|(key, dto)| {
                (
                    CollectionId::new(&key.group, &dto.name),
                    position.point_in(key).map(str::to_owned),
                )
            })
            .collect();
        let mut reads = stream::iter(ids)
            .map(|(id, after)| async move {
                let read = read_sorted(points, &id, view, after.as_deref()).await;
                (id, read)
            })
            .buffered(MAX_CONCURRENT_COLLECTIONS);
        while let Some((id, read)) = reads.next().await {
            if self.is_full() {
                return Ok(ControlFlow::Break(()));
            }
            self.collections += 1;
            let mut listed = match read {
                // Deleted since ARM's page was read.
                Err(Error::NotFound { .. }) => Vec::new(),
                listed => listed?,
            };
            let capacity = self.size - self.points.len();
            let is_cut = listed.len() > capacity;
            listed.truncate(capacity);
            match listed.last().filter(|_| is_cut) {
                Some(last) => position.move_past_point(&id.key(), last.key()),
                None => position.move_past(&id.key()),
            }
            self.points.extend(listed);
            if is_cut {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A point as its collection lists it.
struct ListedPoint {
    collection: CollectionIdentity,
    dto: dto::RestorePoint,
    /// Its part of the body; in view RAW only.
    body: Option<Value>,
}

impl ListedPoint {
    /// By which the points of a collection are ordered.
    fn key(&self) -> String {
        self.dto.name.to_lowercase()
    }
}

/// The points of a collection in their order, those after `after` only.
async fn read_sorted(
    points: &Points,
    id: &CollectionId,
    view: View,
    after: Option<&str>,
) -> Result<Vec<ListedPoint>, Error> {
    let CollectionPoints { collection, points: dtos, body } =
        points.collections.read_points(id).await?;
    let bodies = if view == View::Raw { point_bodies(&points.arm, &body)? } else { Vec::new() };
    let bodies = bodies.into_iter().map(Some).chain(std::iter::repeat(None));
    let mut listed: Vec<ListedPoint> = dtos
        .into_iter()
        .zip(bodies)
        .map(|(dto, body)| ListedPoint { collection: collection.clone(), dto, body })
        .filter(|listed| after.is_none_or(|after| listed.key().as_str() > after))
        .collect();
    listed.sort_by_cached_key(ListedPoint::key);
    Ok(listed)
}

fn point_bodies(arm: &ArmClient, body: &[u8]) -> Result<Vec<Value>, Error> {
    let mut body: Value = arm.decode(body)?;
    match body.pointer_mut("/properties/restorePoints").map(Value::take) {
        Some(Value::Array(bodies)) => Ok(bodies),
        _ => Err(arm.invalid_response("restorePoints is not an array")),
    }
}

/// The points in the model, in their order, without those that were deleted meanwhile.
async fn complete(
    points: &Points,
    listed: Vec<ListedPoint>,
    view: View,
) -> Result<Vec<RestorePoint>, Error> {
    let completed: Vec<Option<RestorePoint>> = stream::iter(listed)
        .map(|listed| complete_one(points, listed, view))
        .buffered(MAX_CONCURRENT_READS)
        .try_collect()
        .await?;
    Ok(completed.into_iter().flatten().collect())
}

async fn complete_one(
    points: &Points,
    listed: ListedPoint,
    view: View,
) -> Result<Option<RestorePoint>, Error> {
    let ListedPoint { collection, dto, body } = listed;
    if points.needs_own_read(&collection, &dto, view) {
        return match points.read_in(&collection, &dto.name, view).await {
            Err(Error::NotFound { .. }) => Ok(None),
            point => point.map(Some),
        };
    }
    let mut point = points.map_listed(&collection, &dto, view)?;
    point.raw = body.map(redact);
    Ok(Some(point))
}

/// The start of the next of ARM's pages.
fn follow(arm: &ArmClient, position: &Position, link: &Url) -> Result<Position, Error> {
    position
        .follow(link)
        .ok_or_else(|| arm.invalid_response("the nextLinks of a list form a cycle"))
}

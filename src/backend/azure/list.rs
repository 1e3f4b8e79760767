//! Lists of points: collection by collection, since ARM has no operation that lists points.
//!
//! The state of each copy told is true in every view, so that a copy whose arrival is not yet known
//! costs a call of its own.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::Azure;
use super::client::Expand;
use super::id::CollectionId;
use super::map::{self, Home};
use super::walk::{PAGES, Position};
use super::{raw, wire};
use crate::backend::{Cursor, Page};
use crate::model::{Error, RestorePoint, View};

/// Calls for single copies at once.
const LOOK_UPS: usize = 8;
/// Collections read at once: those beyond the end of the page are read in vain.
const AHEAD: usize = 4;
/// Collections read for one page, so that thousands of empty ones do not hold a caller for minutes.
const COLLECTIONS: usize = 64;

/// A point of a list.
#[derive(Debug)]
struct Listed {
    home: Home,
    wire: wire::Point,
    /// Its part of the body; in view RAW only.
    body: Option<Value>,
}

impl Listed {
    fn key(&self) -> String {
        self.wire.name.to_lowercase()
    }
}

impl Azure {
    /// Up to `size` points of one collection.
    pub(super) async fn list_one(
        &self,
        id: &CollectionId,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        let mut at = Position::read(cursor)?;
        let mut points = self.points_of(id, view, at.point.as_deref()).await?;
        let more = points.len() > size.max(1);
        points.truncate(size.max(1));
        let last = points.last().map(Listed::key);
        at.reach(&id.key(), last);
        let next = more.then(|| at.cursor());
        Ok(Page { items: self.tell(points, view).await?, next })
    }

    /// Up to `size` points of all collections.
    pub(super) async fn list_all(
        &self,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        let size = size.max(1);
        let mut at = Position::read(cursor)?;
        let mut told: Vec<Listed> = Vec::new();
        let (mut read, mut pages) = (0, 0);
        let next = 'pages: loop {
            let page = self.list_page(at.page.as_deref()).await?;
            pages += 1;
            let mut ids = Vec::new();
            for (key, collection) in page.collections.iter().filter(|(key, _)| at.is_before(key)) {
                let started = at.collection.as_ref().is_some_and(|reached| {
                    (reached.group.as_str(), reached.name.as_str()) == (&*key.0, &*key.1)
                });
                let after = at.point.clone().filter(|_| started);
                ids.push((CollectionId::new(&key.0, &collection.name), after));
            }
            let mut shelves = stream::iter(ids)
                .map(|(id, after)| async move {
                    let points = self.points_of(&id, view, after.as_deref()).await;
                    (id, points)
                })
                .buffered(AHEAD);
            while let Some((id, points)) = shelves.next().await {
                if told.len() >= size || read >= COLLECTIONS {
                    break 'pages Some(at.cursor());
                }
                read += 1;
                let mut points = match points {
                    // Deleted since the page was read.
                    Err(Error::NotFound { .. }) => Vec::new(),
                    points => points?,
                };
                let room = size - told.len();
                let cut = points.len() > room;
                points.truncate(room);
                at.reach(&id.key(), points.last().map(Listed::key).filter(|_| cut));
                told.extend(points);
                if cut {
                    break 'pages Some(at.cursor());
                }
            }
            let Some(next) = page.next else { break None };
            at = self.turn(&at, &next)?;
            if told.len() >= size || read >= COLLECTIONS || pages >= PAGES {
                break Some(at.cursor());
            }
        };
        Ok(Page { items: self.tell(told, view).await?, next })
    }

    /// The points of a collection by their names, those after `after` only.
    async fn points_of(
        &self,
        id: &CollectionId,
        view: View,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, Error> {
        let (home, collection, body) = self.read_collection(id, Expand::RestorePoints).await?;
        let points = collection.properties.restore_points.ok_or_else(|| {
            self.arm.invalid_response("a collection without the points asked for")
        })?;
        let bodies = if view == View::Raw { self.bodies(&body)? } else { Vec::new() };
        let bodies = bodies.into_iter().map(Some).chain(std::iter::repeat(None));
        let mut listed: Vec<Listed> = points
            .into_iter()
            .zip(bodies)
            .map(|(wire, body)| Listed { home: home.clone(), wire, body })
            .filter(|listed| after.is_none_or(|after| listed.key().as_str() > after))
            .collect();
        listed.sort_by_cached_key(Listed::key);
        Ok(listed)
    }

    fn bodies(&self, body: &[u8]) -> Result<Vec<Value>, Error> {
        let mut body: Value = wire::decode(body).map_err(|why| self.arm.invalid_response(why))?;
        match body.pointer_mut("/properties/restorePoints").map(Value::take) {
            Some(Value::Array(bodies)) => Ok(bodies),
            _ => Err(self.arm.invalid_response("a collection without the points asked for")),
        }
    }

    /// The points in our words, in their order, without those that vanished meanwhile.
    async fn tell(&self, points: Vec<Listed>, view: View) -> Result<Vec<RestorePoint>, Error> {
        let told: Vec<Option<RestorePoint>> = stream::iter(points)
            .map(|listed| self.tell_one(listed, view))
            .buffered(LOOK_UPS)
            .try_collect()
            .await?;
        Ok(told.into_iter().flatten().collect())
    }

    async fn tell_one(&self, listed: Listed, view: View) -> Result<Option<RestorePoint>, Error> {
        let Listed { home, wire, body } = listed;
        let look_up = match view {
            // Of a copy that has arrived all is known but the body.
            View::Basic => self.must_look_up(&wire),
            View::Full => self.must_look_up(&wire) || map::has_instant_access(&wire),
            View::Raw => map::needs_instance_view(&wire) || map::has_instant_access(&wire),
        };
        if look_up {
            return match self.look_up(&home, &wire.name, view).await {
                Err(Error::NotFound { .. }) => Ok(None),
                point => point.map(Some),
            };
        }
        let mut point = self.map_point(&home, &wire, view)?;
        point.raw = body.map(raw::redacted);
        Ok(Some(point))
    }
}

//! Watched points of one kind, read by one query for all of them.
//!
//! That a query does not find a point is not taken for its absence: a filter that a server misreads finds
//! nothing, and says so in the same way. Such a point is asked for by itself.

use std::collections::HashMap;

use uuid::Uuid;

use super::kind::Place;
use super::list::{Walk, any_of};
use super::points;
use super::wire::Keep;
use super::{Backend, VeeamEm};
use crate::backend::PollTarget;
use crate::model::{Error, PointRef, RestorePoint, Segment, View};

/// Points that one query names. Each takes some 95 bytes of its URL, of which servers take 16 KiB.
const AT_ONCE: usize = 32;

impl VeeamEm {
    /// The collection that a watched point is named with.
    pub(super) fn place(point: &PointRef) -> Option<Place> {
        match &point.collection {
            Segment::Any => None,
            Segment::Id(collection) => Place::parse(collection, "name").ok(),
        }
    }

    /// Reads points of one kind.
    pub(super) async fn poll_targets(
        &self,
        watched: &[PollTarget<'_>],
    ) -> Vec<Result<RestorePoint, Error>> {
        if let [PollTarget { point, .. }] = watched {
            return vec![self.get(point, View::Full).await];
        }
        let mut results = Vec::with_capacity(watched.len());
        for some in watched.chunks(AT_ONCE) {
            let found = match self.found(some).await {
                Ok(found) => found,
                Err(error) if error.is_transient() => {
                    results.extend(some.iter().map(|_| Err(error.clone())));
                    continue;
                }
                // What is wrong with one of them shows when each is read by itself.
                Err(_) => HashMap::new(),
            };
            for PollTarget { point, .. } in some {
                let known = points::id(&point.restore_point).ok().and_then(|id| found.get(&id));
                let known = known.filter(|known| {
                    Self::place(point).is_some_and(|place| points::is_in(known, place))
                });
                results.push(match known {
                    Some(known) => Ok(known.clone()),
                    None => self.get(point, View::Full).await,
                });
            }
        }
        results
    }

    async fn found(
        &self,
        watched: &[PollTarget<'_>],
    ) -> Result<HashMap<Uuid, RestorePoint>, Error> {
        let ids =
            watched.iter().filter_map(|watched| points::id(&watched.point.restore_point).ok());
        let Some(kind) =
            watched.first().and_then(|one| Self::place(one.point)).map(|place| place.kind)
        else {
            return Ok(HashMap::new());
        };
        let resource = &kind.shape().point;
        let filter = any_of("UID", ids.map(|id| resource.uid(id)));
        let walk = Walk::filtered(&self.session, resource, Keep::Fields, filter);
        let page = walk.page(None, watched.len()).await?;
        let points = self.placed(kind, page.items).await?;
        Ok(points
            .into_iter()
            .filter_map(|point| Some((points::id(&point.name.restore_point).ok()?, point)))
            .collect())
    }
}

//! Watched points of one collection, read with the collection: one call for all that are not on their way,
//! and one for each copy that is.

use futures::{StreamExt, stream};

use super::Azure;
use super::client::Expand;
use super::map;
use super::read::Found;
use crate::backend::{Operation, PollTarget};
use crate::model::{Error, PointRef, RestorePoint, View};

/// Calls for single copies at once.
const LOOK_UPS: usize = 8;

impl Azure {
    /// Reads points of one collection.
    pub(super) async fn poll_targets(
        &self,
        watched: &[PollTarget<'_>],
    ) -> Vec<Result<RestorePoint, Error>> {
        if let [PollTarget { point, operation }] = watched {
            return vec![self.watch_one(point, *operation).await];
        }
        let ids: Result<Vec<_>, _> =
            watched.iter().map(|watched| self.point_id(watched.point)).collect();
        let read = match ids {
            Ok(ids) => match ids.first() {
                Some(id) => self.read_collection(&id.collection, Expand::RestorePoints).await,
                None => return Vec::new(),
            },
            Err(error) => Err(error),
        };
        let (home, collection, _) = match read {
            Ok(read) => read,
            Err(error) if error.is_transient() => {
                return watched.iter().map(|_| Err(error.clone())).collect();
            }
            // What is wrong with one of them shows when each is read by itself.
            Err(_) => return self.each(watched).await,
        };
        let Some(points) = collection.properties.restore_points else {
            return self.each(watched).await;
        };
        let reads: Vec<_> = watched
            .iter()
            .map(|&PollTarget { point, operation }| {
                let found = points.iter().find(|wire| {
                    wire.name.eq_ignore_ascii_case(&point.restore_point)
                        && !self.must_look_up(wire)
                        && !map::has_instant_access(wire)
                });
                let home = home.clone();
                async move {
                    let Some(wire) = found else {
                        // Only its instance view tells its state; or it is gone, in ARM's own words.
                        return self.watch_one(point, operation).await;
                    };
                    let point = self.map_point(&home, wire, View::Full)?;
                    let found = Found { home, wire: wire.clone(), point };
                    self.with_reason(found, operation).await
                }
            })
            .collect();
        stream::iter(reads).buffered(LOOK_UPS).collect().await
    }

    /// Reads one point by itself.
    pub(super) async fn watch_one(
        &self,
        point: &PointRef,
        operation: Option<&Operation>,
    ) -> Result<RestorePoint, Error> {
        let found = self.read_point(&self.point_id(point)?, View::Full).await?;
        self.with_reason(found, operation).await
    }

    async fn each(&self, watched: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        let reads: Vec<_> = watched
            .iter()
            .map(|&PollTarget { point, operation }| self.watch_one(point, operation))
            .collect();
        stream::iter(reads).buffered(LOOK_UPS).collect().await
    }
}

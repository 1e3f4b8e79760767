//! Polls the watched restore points of one kind, by one query for many of them.
//!
//! A restore point that a query does not return is read by itself before it is called absent: the result of a filter that
//! a server misinterprets is empty as well.

use std::collections::HashMap;

use uuid::Uuid;

use super::entity_list::EntityList;
use super::id::{CollectionId, parse_restore_point_id};
use super::points::is_in;
use super::query::{MAX_FILTER_VALUES, Query};
use super::reader::Reader;
use super::xml::Keep;
use crate::backend::PollTarget;
use crate::model::{Error, PointRef, RestorePoint};

/// The key of the restore points that one query can read: their kind. None for a restore point that is addressed without
/// its collection, since its kind is not known.
pub(super) fn group(point: &PointRef) -> Option<String> {
    let collection = CollectionId::from_segment(&point.collection)?;
    Some(collection.kind.definition().prefix.to_owned())
}

impl Reader {
    /// Reads restore points of one group: one result for each target, in their order.
    pub(super) async fn poll(
        &self,
        targets: &[PollTarget<'_>],
    ) -> Vec<Result<RestorePoint, Error>> {
        if let [PollTarget { point, .. }] = targets {
            return vec![self.point(point, Keep::Fields).await];
        }
        let mut results = Vec::with_capacity(targets.len());
        for batch in targets.chunks(MAX_FILTER_VALUES) {
            let found = match self.query_targets(batch).await {
                Ok(found) => found,
                Err(error) if error.is_transient() => {
                    results.extend(batch.iter().map(|_| Err(error.clone())));
                    continue;
                }
                // A permanent error may concern only one of them, so each is read by itself.
                Err(_) => HashMap::new(),
            };
            for PollTarget { point, .. } in batch {
                let result = match result_for(point, &found) {
                    Some(result) => Ok(result.clone()),
                    None => self.point(point, Keep::Fields).await,
                };
                results.push(result);
            }
        }
        results
    }

    /// Reads by one query those of the targets that it returns.
    async fn query_targets(
        &self,
        targets: &[PollTarget<'_>],
    ) -> Result<HashMap<Uuid, RestorePoint>, Error> {
        let first = targets.first().map(|target| &target.point.collection);
        let Some(collection) = first.and_then(CollectionId::from_segment) else {
            return Ok(HashMap::new());
        };
        let resource = collection.kind.definition().point;
        let ids = targets
            .iter()
            .filter_map(|target| parse_restore_point_id(&target.point.restore_point).ok());
        let uids = ids.map(|id| resource.uid(id));
        let query = Query::matching(&self.session, resource, Keep::Fields, "UID", uids);
        let page = EntityList::new(query).page(None, targets.len()).await?;
        let points = self.map_points(collection.kind, page.items).await?;
        Ok(points
            .into_iter()
            .filter_map(|point| {
                Some((parse_restore_point_id(&point.name.restore_point).ok()?, point))
            })
            .collect())
    }
}

/// The restore point that `point` addresses, if the query returned it, in the collection of `point`.
fn result_for<'a>(
    point: &PointRef,
    found: &'a HashMap<Uuid, RestorePoint>,
) -> Option<&'a RestorePoint> {
    let collection = CollectionId::from_segment(&point.collection)?;
    let result = found.get(&parse_restore_point_id(&point.restore_point).ok()?)?;
    is_in(result, collection).then_some(result)
}

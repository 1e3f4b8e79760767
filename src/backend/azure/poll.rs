//! Polls watched points of one collection: one request for all that the collection shows completely, and one for each of
//! the others, such as a copy that is under way.

use futures::{StreamExt, stream};

use super::collections::CollectionPoints;
use super::id::{PointId, eq_ignore_case};
use super::points::{MAX_CONCURRENT_READS, Points, ReadPoint};
use crate::backend::PollTarget;
use crate::model::{Error, RestorePoint, View};

/// Reads points of one collection in view FULL: one result for each target, in their order.
pub(super) async fn poll(
    points: &Points,
    targets: &[PollTarget<'_>],
) -> Vec<Result<RestorePoint, Error>> {
    let first = match targets {
        [] => return Vec::new(),
        [target] => return vec![poll_one(points, *target).await],
        [first, ..] => PointId::parse(first.point),
    };
    let read = match first {
        Ok(id) => points.collections.read_points(&id.collection).await,
        Err(error) => Err(error),
    };
    let listed = match read {
        Ok(listed) => listed,
        Err(error) if error.is_transient() => {
            return targets.iter().map(|_| Err(error.clone())).collect();
        }
        // Each target gets the error of its own read.
        Err(_) => return poll_each(points, targets).await,
    };
    let reads: Vec<_> =
        targets.iter().map(|target| poll_listed(points, &listed, *target)).collect();
    stream::iter(reads).buffered(MAX_CONCURRENT_READS).collect().await
}

/// Takes a target from the list of its collection if that is enough; else reads it by itself.
async fn poll_listed(
    points: &Points,
    listed: &CollectionPoints,
    target: PollTarget<'_>,
) -> Result<RestorePoint, Error> {
    let CollectionPoints { collection, points: dtos, .. } = listed;
    let dto = dtos.iter().find(|dto| eq_ignore_case(&dto.name, &target.point.restore_point));
    match dto {
        Some(dto) if !points.needs_own_read(collection, dto, View::Full) => {
            let point = points.map_listed(collection, dto, View::Full)?;
            let read = ReadPoint { collection: collection.clone(), dto: dto.clone(), point };
            points.with_failure_reason(read, target.operation).await
        }
        // A point that is not in the list gets the error of its own read.
        _ => poll_one(points, target).await,
    }
}

async fn poll_each(
    points: &Points,
    targets: &[PollTarget<'_>],
) -> Vec<Result<RestorePoint, Error>> {
    let reads: Vec<_> = targets.iter().map(|target| poll_one(points, *target)).collect();
    stream::iter(reads).buffered(MAX_CONCURRENT_READS).collect().await
}

async fn poll_one(points: &Points, target: PollTarget<'_>) -> Result<RestorePoint, Error> {
    let read = points.read(&PointId::parse(target.point)?, View::Full).await?;
    points.with_failure_reason(read, target.operation).await
}

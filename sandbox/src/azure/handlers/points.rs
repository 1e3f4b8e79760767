//! Requests for one restore point.
//!
//! The rules for new ones are in `local_points` and `copies`.

use std::time::Instant;

use http::StatusCode;

use super::point_body::{View, point_body};
use super::{copies, disk_access, encryption, instant_access, local_points, not_found};
use crate::azure::api_version;
use crate::azure::call::Call;
use crate::azure::dto::point::{PointRequest, PointRequestProperties};
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::collection::Collection;
use crate::azure::model::operation::{NewOperation, OperationResult};
use crate::azure::model::point::{DiskPoint, Point};
use crate::azure::model::subscription::{Deletion, Subscription};
use crate::azure::reply::Reply;
use crate::azure::resource_path::{PointName, Provider};

/// PUT: 201 with the point in state `Creating`, and the URL of the operation.
pub(crate) fn put(
    subscription: &mut Subscription,
    call: &Call,
    name: &PointName,
) -> Result<Reply, ErrorResponse> {
    let request: PointRequest = call.parse_body()?;
    let request = request.properties;
    let Some(collection) = subscription.collection(&name.collection) else {
        return Err(not_found::parent_of_write(subscription, name));
    };
    if collection.deleting {
        return Err(ErrorResponse::operation_not_allowed(
            "The restore point collection is being deleted.",
        ));
    }
    if let Some(old) = collection.point(&name.name) {
        let reply = repeat(subscription, call, collection, old, &request)?;
        subscription.writes_of(name).repeated += 1;
        return Ok(reply);
    }
    let point = match &request.source_restore_point {
        Some(source) => copies::create(subscription, call, name, &source.id, &request)?,
        None => local_points::create(subscription, call, name, &request)?,
    };
    let (ends_at, result) = (point.ready_at, OperationResult::from(point.error.clone()));
    let collection = subscription
        .collection_mut(&name.collection)
        .ok_or_else(ErrorResponse::entity_not_found)?;
    collection.points.push(point);
    let region = collection.region.clone();
    subscription.writes_of(name).created.push(Instant::now());
    let new = NewOperation { provider: Provider::Compute, region: &region, ends_at, result };
    let mut links = subscription.start_operation(call, new);
    if !subscription.settings.quirks.location_on_create {
        links.monitor_url = None;
    }
    let reply = respond(subscription, call, name, View::Plain, StatusCode::CREATED)?;
    Ok(reply.with_operation(&links))
}

/// A PUT to an existing point: a point never changes, so the same request returns it, and any other is a
/// conflict.
fn repeat(
    subscription: &Subscription,
    call: &Call,
    collection: &Collection,
    old: &Point,
    request: &PointRequestProperties,
) -> Result<Reply, ErrorResponse> {
    let source = request.source_restore_point.as_ref().map(|source| source.id.to_lowercase());
    let same = match &old.copied_from {
        Some(id) => Some(id.to_lowercase()) == source && request.exclude_disks.is_none(),
        None => {
            let included = local_points::included_disks(&old.machine, request)?;
            source.is_none()
                && request.consistency_mode.is_some() == old.requested_consistency.is_some()
                && old.disks.iter().map(|disk| disk.disk).eq(included)
        }
    };
    let with_id = |disk: &DiskPoint| {
        let source = &old.machine.disks[disk.disk].id;
        (disk.disk, disk.copy().map_or(source, |copy| &copy.source_id).clone())
    };
    let disks: Vec<(usize, String)> = old.disks.iter().map(with_id).collect();
    let choices = encryption::choices(subscription, call, request, &collection.region, &disks)?;
    let minutes = request.instant_access_duration_minutes;
    let same =
        same && minutes.is_none_or(|minutes| instant_access::has_duration(old, call, minutes));
    let same = same && old.disks.iter().all(|disk| disk.encryption == choices.of_disk(disk.disk));
    if same && !old.deleting {
        let name = collection.name_of(old);
        return respond(subscription, call, &name, View::Plain, StatusCode::OK);
    }
    let message = format!(
        "Updating properties of an existing restore point is not allowed. Restore point '{}' \
         already exists.",
        old.name
    );
    Err(ErrorResponse::operation_not_allowed(&message))
}

/// GET, with the state of the replication only if requested.
pub(crate) fn get(
    subscription: &Subscription,
    call: &Call,
    name: &PointName,
) -> Result<Reply, ErrorResponse> {
    let view = if call.expands("instanceView")? {
        api_version::require(&call.api_version, "2021-11-01")?;
        View::Instance
    } else {
        View::Plain
    };
    respond(subscription, call, name, view, StatusCode::OK)
}

/// DELETE: 202 with both URLs, 204 if there is no such point.
pub(crate) fn delete(
    subscription: &mut Subscription,
    call: &Call,
    name: &PointName,
) -> Result<Reply, ErrorResponse> {
    let not_found = not_found::parent_of_write(subscription, name);
    let collection = subscription.collection_mut(&name.collection).ok_or(not_found)?;
    let region = collection.region.clone();
    let Some(point) = collection.point_mut(&name.name) else {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    };
    disk_access::check_unused([&*point], call.now)?;
    let already = std::mem::replace(&mut point.deleting, true);
    let ends_at = call.now + subscription.settings.deletion;
    if !already {
        subscription.pending_deletions.push((ends_at, Deletion::Point(name.clone())));
    }
    let (provider, result) = (Provider::Compute, OperationResult::Succeeded);
    let new = NewOperation { provider, region: &region, ends_at, result };
    let links = subscription.start_operation(call, new);
    Ok(Reply::empty(StatusCode::ACCEPTED).with_operation(&links))
}

fn respond(
    subscription: &Subscription,
    call: &Call,
    name: &PointName,
    view: View,
    status: StatusCode,
) -> Result<Reply, ErrorResponse> {
    let (collection, point) =
        subscription.point(name).ok_or_else(|| not_found::point(subscription, name))?;
    let name = collection.name_of(point);
    let body = point_body(subscription, call, point, &name, view);
    Ok(Reply::provider(status, &body))
}

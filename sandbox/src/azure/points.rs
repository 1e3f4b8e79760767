//! Restore points: what may be asked of them.
//!
//! What a new one must keep to is in `taking` and `copying`.

use http::StatusCode;

use super::names::{PointName, Provider};
use super::operation::{Outcome, Task};
use super::point::{self, DiskPoint, Point, View};
use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::wire::{PointRequest, PointRequestProperties};
use super::world::{Collection, Departure, World};
use super::{access, copying, encryption, instant, taking, versions};

/// PUT: 201 with the point in `Creating`, and the URL of the operation.
pub(super) fn put(world: &mut World, call: &Call, name: &PointName) -> Result<Reply, Refusal> {
    let request: PointRequest = call.read()?;
    let request = request.properties;
    let Some(collection) = world.collection(&name.collection) else {
        return Err(missing_parent(world, name, "Failed to"));
    };
    if collection.deleting {
        return Err(Refusal::not_allowed("The restore point collection is being deleted."));
    }
    if let Some(old) = collection.point(&name.name) {
        return again(world, call, collection, old, &request);
    }
    let made = match &request.source_restore_point {
        Some(source) => copying::make(world, call, name, &source.id, &request)?,
        None => taking::make(world, call, name, &request)?,
    };
    let (ready, failure) = (made.ready, made.failure.clone());
    let kept = world.collection_mut(&name.collection).ok_or_else(Refusal::entity_not_found)?;
    kept.points.push(made);
    let region = kept.region.clone();
    let task =
        Task { by: Provider::Compute, region: &region, ends: ready, outcome: failure.into() };
    let mut started = world.begin(call, task);
    if !world.settings.quirks.location_on_create {
        started.monitor_url = None;
    }
    Ok(answer(world, call, name, View::Plain, StatusCode::CREATED)?.starting(&started))
}

/// A point never changes: the same request again finds it, another is a conflict.
fn again(
    world: &World,
    call: &Call,
    collection: &Collection,
    old: &Point,
    request: &PointRequestProperties,
) -> Result<Reply, Refusal> {
    let source = request.source_restore_point.as_ref().map(|source| source.id.to_lowercase());
    let same = match &old.copy_of {
        Some(id) => Some(id.to_lowercase()) == source && request.exclude_disks.is_none(),
        None => {
            let wanted = taking::included(&old.machine, request)?;
            source.is_none()
                && request.consistency_mode.is_some() == old.asked.is_some()
                && old.disks.iter().map(|disk| disk.disk).eq(wanted)
        }
    };
    let called = |disk: &DiskPoint| {
        let source = &old.machine.disks[disk.disk].id;
        (disk.disk, disk.arrival().map_or(source, |arrival| &arrival.source_id).clone())
    };
    let disks: Vec<(usize, String)> = old.disks.iter().map(called).collect();
    let storage = request.storage(call);
    let chosen = encryption::chosen(world, storage, &collection.region, &disks)?;
    let minutes = request.instant_access_duration_minutes;
    let same = same && minutes.is_none_or(|minutes| instant::is_of(old, call, minutes));
    let same = same && old.disks.iter().all(|disk| disk.encryption == chosen.of(disk.disk));
    if same && !old.deleting {
        return answer(world, call, &collection.name_of(old), View::Plain, StatusCode::OK);
    }
    let message = format!(
        "Updating properties of an existing restore point is not allowed. Restore point '{}' \
         already exists.",
        old.name
    );
    Err(Refusal::not_allowed(&message))
}

/// GET, with the state of the replication only if asked for.
pub(super) fn get(world: &World, call: &Call, name: &PointName) -> Result<Reply, Refusal> {
    let view = if call.expand_only("instanceView")? {
        versions::require(&call.version, "2021-11-01")?;
        View::Instance
    } else {
        View::Plain
    };
    answer(world, call, name, view, StatusCode::OK)
}

/// DELETE: 202 with both URLs, 204 if there is nothing.
pub(super) fn delete(world: &mut World, call: &Call, name: &PointName) -> Result<Reply, Refusal> {
    let refusal = missing_parent(world, name, "Failed to");
    let collection = world.collection_mut(&name.collection).ok_or(refusal)?;
    let region = collection.region.clone();
    let Some(point) = collection.point_mut(&name.name) else {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    };
    access::unused([&*point], call.now)?;
    let already = std::mem::replace(&mut point.deleting, true);
    let ends = call.now + world.settings.deletion;
    if !already {
        world.departures.push((ends, Departure::Point(name.clone())));
    }
    let task = Task { by: Provider::Compute, region: &region, ends, outcome: Outcome::Done };
    let started = world.begin(call, task);
    Ok(Reply::empty(StatusCode::ACCEPTED).starting(&started))
}

fn answer(
    world: &World,
    call: &Call,
    name: &PointName,
    view: View,
    status: StatusCode,
) -> Result<Reply, Refusal> {
    let (collection, point) = world.point(name).ok_or_else(|| absent(world, name))?;
    let name = collection.name_of(point);
    let body = point::show(world, call, point, &name, view);
    Ok(Reply::provider(status, &body))
}

/// A point that is not there is the provider's to tell, its collection the gateway's.
pub(super) fn absent(world: &World, name: &PointName) -> Refusal {
    match world.collection(&name.collection) {
        Some(_) => Refusal::entity_not_found(),
        None => missing_parent(world, name, "Can not"),
    }
}

fn missing_parent(world: &World, name: &PointName, verb: &str) -> Refusal {
    let group = &name.collection.group;
    if world.has_group(group) {
        Refusal::parent_not_found(verb, name)
    } else {
        Refusal::group_not_found(group)
    }
}

//! Restore points: creation from a machine, reading, deletion.
//!
//! What is special about copies is in `copying`.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;

use super::copying;
use super::machine::{Guest, Machine};
use super::names::PointName;
use super::point::{self, Consistency, Failure, Phase, Point, View};
use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::wire::{PointRequest, PointRequestProperties};
use super::world::{Collection, Departure, Source, World};

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
        None => from_machine(world, call, name, &request)?,
    };
    let (ready, failure) = (made.ready, made.failure.clone());
    let kept = world.collection_mut(&name.collection).ok_or_else(Refusal::entity_not_found)?;
    kept.points.push(made);
    let region = kept.region.clone();
    let mut started = world.begin(call, &region, ready, failure);
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
            let wanted = included(&old.machine, request)?;
            source.is_none()
                && request.consistency_mode.is_some() == old.asked.is_some()
                && old.disks.iter().map(|disk| disk.disk).eq(wanted)
        }
    };
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

fn from_machine(
    world: &mut World,
    call: &Call,
    name: &PointName,
    request: &PointRequestProperties,
) -> Result<Point, Refusal> {
    let source = world.collection(&name.collection).map(|collection| collection.source.clone());
    let Some(Source::Machine(machine)) = source else {
        let message = "Required parameter 'sourceRestorePoint' is missing (null).";
        return Err(Refusal::parameter("sourceRestorePoint", message));
    };
    let asked = match request.consistency_mode.as_deref() {
        None => None,
        Some(mode) if mode.eq_ignore_ascii_case("CrashConsistent") => Some(Consistency::Crash),
        Some(_) => {
            let message = "The only accepted value of consistencyMode is 'CrashConsistent'.";
            return Err(Refusal::parameter("consistencyMode", message));
        }
    };
    let included = included(&machine, request)?;
    let failure = call.doom.clone().or_else(|| concurrent(world, &machine, call.now));
    let disks = world.taken(&machine, &included);
    Ok(Point {
        name: name.name.clone(),
        consistency: asked.unwrap_or(match machine.guest {
            Guest::Linux => Consistency::FileSystem,
            Guest::Windows => Consistency::Application,
            Guest::Mute => Consistency::Crash,
        }),
        asked,
        time_created: call.now,
        ready: call.now + world.settings.creation,
        failure,
        deleting: false,
        disks,
        copy_of: None,
        machine,
    })
}

fn included(machine: &Machine, request: &PointRequestProperties) -> Result<Vec<usize>, Refusal> {
    let all = 0..machine.disks.len();
    let Some(excluded) = &request.exclude_disks else { return Ok(all.collect()) };
    if excluded.is_empty() {
        let message = "The list excludeDisks must have members when it is given.";
        return Err(Refusal::parameter("excludeDisks", message));
    }
    let excluded = |id: &str| excluded.iter().any(|one| one.id.eq_ignore_ascii_case(id));
    Ok(all.filter(|disk| !excluded(&machine.disks[*disk].id)).collect())
}

/// Two creations for one machine at a time do not work out; it shows in the operation.
fn concurrent(world: &World, machine: &Arc<Machine>, now: Timestamp) -> Option<Failure> {
    let running = world.collections.values().flat_map(|collection| &collection.points).any(|one| {
        one.copy_of.is_none()
            && Arc::ptr_eq(&one.machine, machine)
            && one.phase(now) == Phase::Creating
    });
    running.then(|| Failure {
        code: "VMRestorePointClientError".into(),
        message: "RestorePoint creation failed since a concurrent 'Create RestorePoint' operation \
                  was triggered on the VM."
            .into(),
    })
}

/// GET, with the state of the replication only if asked for.
pub(super) fn get(world: &World, call: &Call, name: &PointName) -> Result<Reply, Refusal> {
    let view = if call.expand_only("instanceView")? {
        View::Instance { tick: world.settings.progress_tick }
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
    let already = std::mem::replace(&mut point.deleting, true);
    let ends = call.now + world.settings.deletion;
    if !already {
        world.departures.push((ends, Departure::Point(name.clone())));
    }
    let started = world.begin(call, &region, ends, None);
    Ok(Reply::empty(StatusCode::ACCEPTED).starting(&started))
}

fn answer(
    world: &World,
    call: &Call,
    name: &PointName,
    view: View,
    status: StatusCode,
) -> Result<Reply, Refusal> {
    let Some((collection, point)) = world.point(name) else {
        return Err(match world.collection(&name.collection) {
            Some(_) => Refusal::entity_not_found(),
            None => missing_parent(world, name, "Can not"),
        });
    };
    let name = collection.name_of(point);
    let body = point::show(point, &name, &world.subscription, call.now, view);
    Ok(Reply::provider(status, &body))
}

fn missing_parent(world: &World, name: &PointName, verb: &str) -> Refusal {
    let group = &name.collection.group;
    if world.has_group(group) {
        Refusal::parent_not_found(verb, name)
    } else {
        Refusal::group_not_found(group)
    }
}

//! Copies to another region: every rule that the documentation states for them, and the quota.
//!
//! No code or text of these refusals was ever published, only the rules.

use http::StatusCode;
use jiff::Timestamp;

use super::encryption;
use super::limits::Quota;
use super::names::{Address, Place, PointName};
use super::point::{self, DiskPoint, Phase, Point};
use super::refusal::Refusal;
use super::server::Call;
use super::wire::PointRequestProperties;
use super::world::{Collection, Source, World};

/// The point that a PUT with `sourceRestorePoint` makes, if it may.
pub(super) fn make(
    world: &mut World,
    call: &Call,
    name: &PointName,
    source_id: &str,
    request: &PointRequestProperties,
) -> Result<Point, Refusal> {
    let target = world.collection(&name.collection).ok_or_else(Refusal::entity_not_found)?;
    Quota::Copy.check(world, call, &target.name.key())?;
    if request.exclude_disks.is_some() {
        let message = "Disks cannot be excluded from a copy.";
        return Err(Refusal::parameter("excludeDisks", message));
    }
    let Place::Point(source_name) = Address::parse(source_id).place else {
        let message = "The value of parameter sourceRestorePoint.id is invalid.";
        return Err(Refusal::parameter("sourceRestorePoint.id", message));
    };
    let Some((from, source)) = world.point(&source_name) else {
        let message = "The source restore point was not found.";
        return Err(Refusal::provider(StatusCode::NOT_FOUND, "NotFound", message));
    };
    allow(world, call.now, target, from, source)?;
    let written = point::id(&from.name_of(source), &world.subscription);
    let called =
        |disk: &DiskPoint| (disk.disk, format!("{written}/diskRestorePoints/{}", disk.name));
    let disks: Vec<(usize, String)> = source.disks.iter().map(called).collect();
    let chosen = encryption::chosen(world, request.storage(call), &target.region, &disks)?;

    let started = call.now + world.settings.copy_operation;
    let failure = call.doom.clone().or_else(|| encryption::failure(world, &chosen));
    let copy = world
        .copied(&name.name, &source_name, source_id, (started, failure), &chosen)
        .ok_or_else(Refusal::entity_not_found)?;
    Quota::Copy.charge(world, call, &name.collection.key());
    Ok(copy)
}

fn allow(
    world: &World,
    now: Timestamp,
    target: &Collection,
    from: &Collection,
    source: &Point,
) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::not_allowed(message));
    if source.copy_of.is_some() {
        return refuse("A restore point that is itself a copy cannot be copied.");
    }
    match &target.source {
        Source::Collection(key) if *key == from.name.key() => {}
        _ => {
            return refuse(
                "The source restore point must belong to the restore point collection that is the \
                 source of the target restore point collection.",
            );
        }
    }
    if target.region == from.region {
        return refuse("A restore point cannot be copied within its own region.");
    }
    if source.phase(now) != Phase::Succeeded {
        return refuse("The source restore point is not in the provisioning state 'Succeeded'.");
    }
    let source_id = point::id(&from.name_of(source), &world.subscription);
    let is_same =
        |copy: &Point| copy.copy_of.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&source_id));
    let siblings = world.collections.values().filter(|one| one.region == target.region);
    if siblings.flat_map(|one| &one.points).any(is_same) {
        return refuse("The restore point was already copied to the target region.");
    }
    let tick = world.settings.progress_tick;
    if target.points.iter().any(|copy| copy.is_copying(now, tick)) {
        return refuse(
            "Another copy between these two restore point collections is still in progress.",
        );
    }
    if target.points.iter().any(|copy| copy.time_created > source.time_created) {
        return refuse("A later restore point of the source collection was already copied.");
    }
    Ok(())
}

//! Points taken of a machine: what may be asked for, which limits and quotas they meet, and how they
//! can fail.
//!
//! What is special about copies is in `copying`.

use std::sync::Arc;

use jiff::Timestamp;

use super::consistency::Consistency;
use super::encryption;
use super::instant;
use super::machine::Machine;
use super::names::PointName;
use super::point::{Failure, Phase, Point};
use super::refusal::Refusal;
use super::server::Call;
use super::wire::PointRequestProperties;
use super::world::{Source, World};

/// The point that a PUT without `sourceRestorePoint` makes, if it may.
pub(super) fn make(
    world: &mut World,
    call: &Call,
    name: &PointName,
    request: &PointRequestProperties,
) -> Result<Point, Refusal> {
    let collection = world.collection(&name.collection).ok_or_else(Refusal::entity_not_found)?;
    let Source::Machine(machine) = &collection.source else {
        let message = "Required parameter 'sourceRestorePoint' is missing (null).";
        return Err(Refusal::parameter("sourceRestorePoint", message));
    };
    let machine = Arc::clone(machine);
    let asked = Consistency::asked(call, request.consistency_mode.as_deref())?;
    let included = included(&machine, request)?;
    let called = |disk: &usize| (*disk, machine.disks[*disk].id.clone());
    let disks: Vec<(usize, String)> = included.iter().map(called).collect();
    let chosen = encryption::chosen(world, request.storage(call), &collection.region, &disks)?;
    let sold_as = included.iter().map(|disk| machine.disks[*disk].sku);
    let minutes = request.instant_access_duration_minutes;
    let lasting = instant::lasting(world, call, collection, sold_as, minutes)?;
    let quota = Consistency::quota(asked);
    quota.check(world, call, &machine.vm_id)?;

    let failure = call
        .doom
        .clone()
        .or_else(|| full(world, &machine))
        .or_else(|| concurrent(world, &machine, call.now))
        .or_else(|| encryption::failure(world, &chosen))
        .or_else(|| Consistency::unmet(world, asked, &machine));
    quota.charge(world, call, &machine.vm_id);
    let takes = match lasting {
        Some(_) => world.settings.instant_creation,
        None => world.settings.creation,
    };
    let ready = call.now + takes;
    Ok(Point {
        name: name.name.clone(),
        consistency: Consistency::outcome(asked, &machine),
        asked,
        time_created: call.now,
        ready,
        failure,
        deleting: false,
        disks: world.taken(&machine, &included, &chosen, lasting.map(|lasting| (ready, lasting))),
        copy_of: None,
        instant: lasting,
        machine,
    })
}

/// The disks that a request does not exclude.
pub(super) fn included(
    machine: &Machine,
    request: &PointRequestProperties,
) -> Result<Vec<usize>, Refusal> {
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
    let running = of(world, machine).any(|one| one.phase(now) == Phase::Creating);
    running.then(|| Failure {
        code: "VMRestorePointClientError".into(),
        message: "RestorePoint creation failed since a concurrent 'Create RestorePoint' operation \
                  was triggered on the VM."
            .into(),
    })
}

/// A machine has so many points in all its collections, and its disks no room for more.
fn full(world: &World, machine: &Arc<Machine>) -> Option<Failure> {
    let most = world.settings.points_per_machine;
    (of(world, machine).count() >= most).then(|| Failure {
        code: "VMRestorePointClientError".into(),
        message: format!(
            "RestorePoint creation failed since the snapshot limit of the disk blobs is reached: \
             a VM can have {most} restore points."
        ),
    })
}

fn of<'a>(world: &'a World, machine: &'a Arc<Machine>) -> impl Iterator<Item = &'a Point> {
    let all = world.collections.values().flat_map(|collection| &collection.points);
    all.filter(|one| one.copy_of.is_none() && Arc::ptr_eq(&one.machine, machine))
}

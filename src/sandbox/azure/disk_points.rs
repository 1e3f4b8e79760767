//! Disk restore points: the disk provider's view of what a restore point consists of.
//!
//! Reading only; signed access to the data is left out.

use http::StatusCode;

use super::machine::Encryption;
use super::names::PointName;
use super::point::{self, DiskPoint, Point};
use super::refusal::Refusal;
use super::replication::Progress;
use super::reply::Reply;
use super::server::Call;
use super::wire::{self, DiskPointBody, DiskPointProperties, Page};
use super::world::{Collection, World};

/// GET of all disks of a point, in one page.
pub(super) fn list(world: &World, call: &Call, name: &PointName) -> Result<Reply, Refusal> {
    let (collection, point) = world.point(name).ok_or_else(Refusal::entity_not_found)?;
    let value = point
        .made(call.now)
        .iter()
        .map(|disk| show(world, call, collection, point, disk))
        .collect();
    Ok(Reply::provider(StatusCode::OK, &Page { value, next_link: None }))
}

/// GET of one.
pub(super) fn get(
    world: &World,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<Reply, Refusal> {
    let (collection, point) = world.point(name).ok_or_else(Refusal::entity_not_found)?;
    let disk = point
        .made(call.now)
        .iter()
        .find(|one| one.name.eq_ignore_ascii_case(disk))
        .ok_or_else(Refusal::entity_not_found)?;
    Ok(Reply::provider(StatusCode::OK, &show(world, call, collection, point, disk)))
}

/// Without `type`, as in the published examples.
fn show(
    world: &World,
    call: &Call,
    collection: &Collection,
    point: &Point,
    disk: &DiskPoint,
) -> DiskPointBody {
    let point_id = point::id(&collection.name_of(point), &world.subscription);
    let source = &point.machine.disks[disk.disk];
    let arrival = disk.arrival.as_ref();
    let tick = world.settings.progress_tick;
    let progress = arrival.map(|arrival| arrival.replication.progress(call.now, tick));
    DiskPointBody {
        name: disk.name.clone(),
        id: format!("{point_id}/diskRestorePoints/{}", disk.name),
        properties: DiskPointProperties {
            time_created: wire::time(point.time_created),
            source_resource_id: arrival.map_or(&source.id, |one| &one.source_id).clone(),
            os_type: (disk.disk == 0).then(|| point.machine.os_type()),
            hyper_v_generation: (disk.disk == 0).then_some("V2"),
            encryption: Encryption::PLATFORM,
            network_access_policy: "AllowAll",
            public_network_access: "Enabled",
            // Floating point here, a whole number in the compute provider's view.
            completion_percent: progress.and_then(Progress::percent).map(f64::from),
            replication_state: progress.map(Progress::word),
            source_resource_location: arrival
                .map(|_| super::names::plain_region(&collection.source_region)),
        },
    }
}

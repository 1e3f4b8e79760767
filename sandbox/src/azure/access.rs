//! Signed access to the data of a disk restore point, for a time: given out and taken back by
//! operations of the disk provider.
//!
//! Each grant is a new URL, and none of them leads anywhere.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::names::{PointName, Provider};
use super::operation::{Outcome, Task};
use super::point::{DiskPoint, Point};
use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::wire::{AccessRequest, AccessUri};
use super::world::World;
use super::{points, versions};

/// 60 days.
const LONGEST: i64 = 60 * 24 * 3600;
const BEGINNING: SignedDuration = SignedDuration::from_millis(170);
const ENDING: SignedDuration = SignedDuration::from_millis(150);

/// POST beginGetAccess: 202 with both URLs and no body.
pub(super) fn begin(
    world: &mut World,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<Reply, Refusal> {
    versions::require(&call.version, "2020-12-01")?;
    let request: AccessRequest = call.read()?;
    let seconds = check(&request)?;
    let ends = call.now + BEGINNING;
    let disk = found(world, call, name, disk)?;
    disk.granted_until = disk.granted_until.max(Some(ends + SignedDuration::from_secs(seconds)));
    let uri = sign(world, &request, ends + SignedDuration::from_secs(seconds));
    start(world, call, name, ends, Outcome::Granted(uri))
}

/// POST endGetAccess: all grants of this disk restore point end at once.
pub(super) fn end(
    world: &mut World,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<Reply, Refusal> {
    versions::require(&call.version, "2020-12-01")?;
    found(world, call, name, disk)?.granted_until = None;
    start(world, call, name, call.now + ENDING, Outcome::Done)
}

/// Refuses the deletion of points whose data somebody may still read.
pub(super) fn unused<'a>(
    points: impl IntoIterator<Item = &'a Point>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let used = |disk: &&DiskPoint| disk.granted_until.is_some_and(|until| now < until);
    match points.into_iter().flat_map(|point| &point.disks).find(used) {
        None => Ok(()),
        Some(disk) => {
            let message = format!(
                "The disk restore point '{}' has an active shared access signature. Call \
                 endGetAccess before it is deleted.",
                disk.name
            );
            let status = StatusCode::CONFLICT;
            Err(Refusal::provider(status, "DiskRestorePointUsedByCustomer", &message))
        }
    }
}

fn check(request: &AccessRequest) -> Result<i64, Refusal> {
    let wrong = |target: &'static str| {
        let message = format!("The value of parameter {target} is invalid.");
        Err(Refusal::parameter(target, &message))
    };
    let one_of =
        |given: &str, known: &[&str]| known.iter().any(|one| one.eq_ignore_ascii_case(given));
    match request.access.as_deref() {
        Some(access) if one_of(access, &["None", "Read", "Write"]) => {}
        _ => return wrong("access"),
    }
    match request.file_format.as_deref() {
        Some(format) if !one_of(format, &["VHD", "VHDX"]) => return wrong("fileFormat"),
        _ => {}
    }
    match request.duration_in_seconds {
        Some(seconds @ 1..=LONGEST) => Ok(seconds),
        _ => wrong("durationInSeconds"),
    }
}

fn found<'a>(
    world: &'a mut World,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<&'a mut DiskPoint, Refusal> {
    let absent = points::absent(world, name);
    let point = world.collection_mut(&name.collection).and_then(|one| one.point_mut(&name.name));
    let point = point.filter(|point| !point.made(call.now).is_empty());
    point
        .and_then(|point| point.disks.iter_mut().find(|one| one.name.eq_ignore_ascii_case(disk)))
        .ok_or(absent)
}

fn sign(world: &mut World, request: &AccessRequest, until: Timestamp) -> AccessUri {
    let mut url = |blob: &str| {
        format!(
            "https://md-SENSITIVE{}.z1.blob.storage.azure.net/{blob}/abcd?sv=2018-03-28&sr=b&si={}\
             &se={}&sig=SENSITIVE{:032x}",
            world.dice.roll() % 1_000_000,
            world.dice.guid(),
            until.strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ"),
            world.dice.guid().as_u128(),
        )
    };
    let access_sas = url("disk");
    let guest = request.get_secure_vm_guest_state_sas == Some(true);
    AccessUri { access_sas, security_data_access_sas: guest.then(|| url("vmgs")) }
}

fn start(
    world: &mut World,
    call: &Call,
    name: &PointName,
    ends: Timestamp,
    outcome: Outcome,
) -> Result<Reply, Refusal> {
    let region = world.collection(&name.collection).map(|one| one.region.clone());
    let region = region.ok_or_else(Refusal::entity_not_found)?;
    let task = Task { by: Provider::Disk, region: &region, ends, outcome };
    let started = world.begin(call, task);
    Ok(Reply::empty(StatusCode::ACCEPTED).starting(&started))
}

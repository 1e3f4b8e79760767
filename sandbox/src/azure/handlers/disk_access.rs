//! Signed access to the data of a disk restore point, for a limited time: granted and revoked by operations
//! of the disk provider.
//!
//! Each grant has a new URL. The URLs do not resolve.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::not_found;
use crate::azure::api_version;
use crate::azure::call::Call;
use crate::azure::dto::access::{AccessRequest, AccessUri};
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::operation::{NewOperation, OperationResult};
use crate::azure::model::point::{DiskPoint, Point};
use crate::azure::model::subscription::Subscription;
use crate::azure::reply::Reply;
use crate::azure::resource_path::{PointName, Provider};

/// The api-version of the disk provider that introduced both actions.
const FIRST_API_VERSION: &str = "2020-12-01";
/// 60 days.
const MAX_SECONDS: i64 = 60 * 24 * 3600;
const GRANT_DURATION: SignedDuration = SignedDuration::from_millis(170);
const REVOKE_DURATION: SignedDuration = SignedDuration::from_millis(150);

/// POST beginGetAccess: 202 with both URLs and no body.
pub(crate) fn begin(
    subscription: &mut Subscription,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<Reply, ErrorResponse> {
    api_version::require(&call.api_version, FIRST_API_VERSION)?;
    let request: AccessRequest = call.parse_body()?;
    let seconds = check(&request)?;
    let ends_at = call.now + GRANT_DURATION;
    let until = ends_at + SignedDuration::from_secs(seconds);
    let tick = subscription.settings.progress_tick;
    let disk = find(subscription, call, name, disk)?;
    if !disk.is_available(call.now, tick) {
        let message = format!(
            "The disk restore point '{}' cannot be downloaded until its data is available.",
            disk.name
        );
        return Err(ErrorResponse::operation_not_allowed(&message));
    }
    disk.access_until = disk.access_until.max(Some(until));
    let uri = sign(subscription, &request, until);
    start(subscription, call, name, ends_at, OperationResult::AccessGranted(uri))
}

/// POST endGetAccess: revokes all grants of this disk restore point.
pub(crate) fn end(
    subscription: &mut Subscription,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<Reply, ErrorResponse> {
    api_version::require(&call.api_version, FIRST_API_VERSION)?;
    find(subscription, call, name, disk)?.access_until = None;
    start(subscription, call, name, call.now + REVOKE_DURATION, OperationResult::Succeeded)
}

/// Rejects the deletion of points with active signed access.
pub(crate) fn check_unused<'a>(
    points: impl IntoIterator<Item = &'a Point>,
    now: Timestamp,
) -> Result<(), ErrorResponse> {
    let is_used = |disk: &&DiskPoint| disk.access_until.is_some_and(|until| now < until);
    match points.into_iter().flat_map(|point| &point.disks).find(is_used) {
        None => Ok(()),
        Some(disk) => {
            let message = format!(
                "The disk restore point '{}' has an active shared access signature. Call \
                 endGetAccess before it is deleted.",
                disk.name
            );
            let status = StatusCode::CONFLICT;
            Err(ErrorResponse::provider(status, "DiskRestorePointUsedByCustomer", &message))
        }
    }
}

/// The requested duration in seconds.
fn check(request: &AccessRequest) -> Result<i64, ErrorResponse> {
    let invalid = |target: &'static str| {
        let message = format!("The value of parameter {target} is invalid.");
        Err(ErrorResponse::invalid_parameter(target, &message))
    };
    let one_of =
        |given: &str, known: &[&str]| known.iter().any(|one| one.eq_ignore_ascii_case(given));
    match request.access.as_deref() {
        Some(access) if one_of(access, &["None", "Read", "Write"]) => {}
        _ => return invalid("access"),
    }
    match request.file_format.as_deref() {
        Some(format) if !one_of(format, &["VHD", "VHDX"]) => return invalid("fileFormat"),
        _ => {}
    }
    match request.duration_in_seconds {
        Some(seconds @ 1..=MAX_SECONDS) => Ok(seconds),
        _ => invalid("durationInSeconds"),
    }
}

fn find<'a>(
    subscription: &'a mut Subscription,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<&'a mut DiskPoint, ErrorResponse> {
    let not_found = not_found::point(subscription, name);
    let collection = subscription.collection_mut(&name.collection);
    let point = collection.and_then(|one| one.point_mut(&name.name));
    let point = point.filter(|point| !point.visible_disks(call.now).is_empty());
    point
        .and_then(|point| point.disks.iter_mut().find(|one| one.name.eq_ignore_ascii_case(disk)))
        .ok_or(not_found)
}

fn sign(subscription: &mut Subscription, request: &AccessRequest, until: Timestamp) -> AccessUri {
    let mut url = |blob: &str| {
        format!(
            "https://md-SENSITIVE{}.z1.blob.storage.azure.net/{blob}/abcd?sv=2018-03-28&sr=b&si={}\
             &se={}&sig=SENSITIVE{:032x}",
            subscription.rng.next_u64() % 1_000_000,
            subscription.rng.guid(),
            until.strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ"),
            subscription.rng.guid().as_u128(),
        )
    };
    let access_sas = url("disk");
    let guest = request.get_secure_vm_guest_state_sas == Some(true);
    AccessUri { access_sas, security_data_access_sas: guest.then(|| url("vmgs")) }
}

fn start(
    subscription: &mut Subscription,
    call: &Call,
    name: &PointName,
    ends_at: Timestamp,
    result: OperationResult,
) -> Result<Reply, ErrorResponse> {
    let region = subscription.collection(&name.collection).map(|one| one.region.clone());
    let region = region.ok_or_else(ErrorResponse::entity_not_found)?;
    let new = NewOperation { provider: Provider::Disk, region: &region, ends_at, result };
    let links = subscription.start_operation(call, new);
    Ok(Reply::empty(StatusCode::ACCEPTED).with_operation(&links))
}

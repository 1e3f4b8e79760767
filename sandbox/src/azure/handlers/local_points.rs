//! New restore points of a machine: what may be requested, which limits and quotas apply, and how the
//! creation can fail.
//!
//! The rules for copies are in `copies`.

use std::sync::Arc;

use jiff::Timestamp;

use super::{encryption, instant_access};
use crate::azure::api_version;
use crate::azure::call::Call;
use crate::azure::dto::point::PointRequestProperties;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::collection::Source;
use crate::azure::model::consistency::Consistency;
use crate::azure::model::machine::{Guest, Machine};
use crate::azure::model::point::{Point, ProvisioningState};
use crate::azure::model::quota::Quota;
use crate::azure::model::subscription::Subscription;
use crate::azure::operation_error::OperationError;
use crate::azure::resource_path::PointName;

/// The point that a PUT without `sourceRestorePoint` creates.
pub(crate) fn create(
    subscription: &mut Subscription,
    call: &Call,
    name: &PointName,
    request: &PointRequestProperties,
) -> Result<Point, ErrorResponse> {
    let collection =
        subscription.collection(&name.collection).ok_or_else(ErrorResponse::entity_not_found)?;
    let Source::Machine(machine) = &collection.source else {
        let message = "Required parameter 'sourceRestorePoint' is missing (null).";
        return Err(ErrorResponse::invalid_parameter("sourceRestorePoint", message));
    };
    let machine = Arc::clone(machine);
    let requested = requested_consistency(call, request.consistency_mode.as_deref())?;
    let included = included_disks(&machine, request)?;
    let with_id = |disk: &usize| (*disk, machine.disks[*disk].id.clone());
    let disks: Vec<(usize, String)> = included.iter().map(with_id).collect();
    let choices = encryption::choices(subscription, call, request, &collection.region, &disks)?;
    let skus = included.iter().map(|disk| machine.disks[*disk].sku);
    let minutes = request.instant_access_duration_minutes;
    let instant_access = instant_access::duration(subscription, call, collection, skus, minutes)?;
    let quota = match requested {
        Some(_) => Quota::CrashConsistent,
        None => Quota::ApplicationConsistent,
    };
    subscription.quotas.check(quota, &machine.vm_id, call.now)?;

    let error = call
        .planned_failure
        .clone()
        .or_else(|| too_many_points(subscription, &machine))
        .or_else(|| concurrent_creation(subscription, &machine, call.now))
        .or_else(|| encryption::operation_error(subscription, &choices))
        .or_else(|| missing_agent(subscription, requested, &machine));
    subscription.quotas.charge(quota, &machine.vm_id, call.now);
    let duration = match instant_access {
        Some(_) => subscription.settings.instant_creation,
        None => subscription.settings.creation,
    };
    let ready_at = call.now + duration;
    Ok(Point {
        name: name.name.clone(),
        consistency: Consistency::achieved(requested, &machine),
        requested_consistency: requested,
        time_created: call.now,
        ready_at,
        error,
        deleting: false,
        disks: subscription.new_disk_points(
            &machine,
            &included,
            &choices,
            ready_at,
            instant_access,
        ),
        copied_from: None,
        instant_access,
        machine,
    })
}

/// `consistencyMode` of a request: crash consistent, or absent for the best that the guest supports.
fn requested_consistency(
    call: &Call,
    mode: Option<&str>,
) -> Result<Option<Consistency>, ErrorResponse> {
    match mode {
        None => Ok(None),
        Some(mode) if mode.eq_ignore_ascii_case("CrashConsistent") => {
            api_version::require(&call.api_version, "2021-07-01")?;
            Ok(Some(Consistency::Crash))
        }
        Some(_) => {
            let message = "The only accepted value of consistencyMode is 'CrashConsistent'.";
            Err(ErrorResponse::invalid_parameter("consistencyMode", message))
        }
    }
}

/// The disks that a request does not exclude.
pub(crate) fn included_disks(
    machine: &Machine,
    request: &PointRequestProperties,
) -> Result<Vec<usize>, ErrorResponse> {
    let all = 0..machine.disks.len();
    let Some(excluded) = &request.exclude_disks else { return Ok(all.collect()) };
    if excluded.is_empty() {
        let message = "The list excludeDisks must have members when it is given.";
        return Err(ErrorResponse::invalid_parameter("excludeDisks", message));
    }
    let excluded = |id: &str| excluded.iter().any(|one| one.id.eq_ignore_ascii_case(id));
    Ok(all.filter(|disk| !excluded(&machine.disks[*disk].id)).collect())
}

/// The second of two concurrent creations for one machine fails in its operation.
fn concurrent_creation(
    subscription: &Subscription,
    machine: &Arc<Machine>,
    now: Timestamp,
) -> Option<OperationError> {
    let is_running = |one: &Point| one.provisioning_state(now) == ProvisioningState::Creating;
    points_of(subscription, machine).any(is_running).then(|| OperationError {
        code: "VMRestorePointClientError".into(),
        message: "RestorePoint creation failed since a concurrent 'Create RestorePoint' operation \
                  was triggered on the VM."
            .into(),
    })
}

/// A machine has a maximum number of points in all its collections, which is the limit of its disk blobs.
fn too_many_points(subscription: &Subscription, machine: &Arc<Machine>) -> Option<OperationError> {
    let max = subscription.settings.points_per_machine;
    (points_of(subscription, machine).count() >= max).then(|| OperationError {
        code: "VMRestorePointClientError".into(),
        message: format!(
            "RestorePoint creation failed since the snapshot limit of the disk blobs is reached: \
             a VM can have {max} restore points."
        ),
    })
}

/// Without the quirk a creation fails if the guest does not support what was requested.
fn missing_agent(
    subscription: &Subscription,
    requested: Option<Consistency>,
    machine: &Machine,
) -> Option<OperationError> {
    let supported = requested.is_some()
        || matches!(machine.guest, Guest::Linux | Guest::Windows)
        || subscription.settings.quirks.silent_downgrade;
    (!supported).then(|| OperationError {
        code: "VMAgentStatusCommunicationError".into(),
        message: format!(
            "VM '{}' has not reported status for VM agent or extensions. Please verify that \
             the VM has a running VM agent.",
            machine.name
        ),
    })
}

/// The local points of a machine in all collections.
fn points_of<'a>(
    subscription: &'a Subscription,
    machine: &'a Arc<Machine>,
) -> impl Iterator<Item = &'a Point> {
    let all = subscription.collections.values().flat_map(|collection| &collection.points);
    all.filter(|one| one.copied_from.is_none() && Arc::ptr_eq(&one.machine, machine))
}

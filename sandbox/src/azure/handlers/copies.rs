//! Copies to another region: every documented rule, and the quota.
//!
//! The vendor publishes the rules, but no code or text of the errors.

use http::StatusCode;
use jiff::Timestamp;

use super::encryption;
use crate::azure::call::Call;
use crate::azure::dto::point::PointRequestProperties;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::collection::{Collection, Source};
use crate::azure::model::point::{DiskPoint, Point, ProvisioningState};
use crate::azure::model::quota::Quota;
use crate::azure::model::subscription::Subscription;
use crate::azure::resource_path::{PointName, ResourcePath, Route};

/// The point that a PUT with `sourceRestorePoint` creates.
pub(crate) fn create(
    subscription: &mut Subscription,
    call: &Call,
    name: &PointName,
    source_id: &str,
    request: &PointRequestProperties,
) -> Result<Point, ErrorResponse> {
    let target =
        subscription.collection(&name.collection).ok_or_else(ErrorResponse::entity_not_found)?;
    subscription.quotas.check(Quota::Copy, &target.name.key(), call.now)?;
    if request.exclude_disks.is_some() {
        let message = "Disks cannot be excluded from a copy.";
        return Err(ErrorResponse::invalid_parameter("excludeDisks", message));
    }
    let Route::Point(source_name) = ResourcePath::parse(source_id).route else {
        let message = "The value of parameter sourceRestorePoint.id is invalid.";
        return Err(ErrorResponse::invalid_parameter("sourceRestorePoint.id", message));
    };
    let Some((from, source)) = subscription.point(&source_name) else {
        let message = "The source restore point was not found.";
        return Err(ErrorResponse::provider(StatusCode::NOT_FOUND, "NotFound", message));
    };
    check_rules(subscription, call.now, target, from, source)?;
    let known_id = from.name_of(source).id(&subscription.id);
    let with_id =
        |disk: &DiskPoint| (disk.disk, format!("{known_id}/diskRestorePoints/{}", disk.name));
    let disks: Vec<(usize, String)> = source.disks.iter().map(with_id).collect();
    let choices = encryption::choices(subscription, call, request, &target.region, &disks)?;

    let started_at = call.now + subscription.settings.copy_operation;
    let error = call
        .planned_failure
        .clone()
        .or_else(|| encryption::operation_error(subscription, &choices));
    let copy = subscription
        .new_copy(&name.name, &source_name, source_id, (started_at, error), &choices)
        .ok_or_else(ErrorResponse::entity_not_found)?;
    subscription.quotas.charge(Quota::Copy, &name.collection.key(), call.now);
    Ok(copy)
}

fn check_rules(
    subscription: &Subscription,
    now: Timestamp,
    target: &Collection,
    from: &Collection,
    source: &Point,
) -> Result<(), ErrorResponse> {
    let reject = |message: &str| Err(ErrorResponse::operation_not_allowed(message));
    if source.copied_from.is_some() {
        return reject("A restore point that is itself a copy cannot be copied.");
    }
    match &target.source {
        Source::Collection(key) if *key == from.name.key() => {}
        _ => {
            return reject(
                "The source restore point must belong to the restore point collection that is the \
                 source of the target restore point collection.",
            );
        }
    }
    if target.region == from.region {
        return reject("A restore point cannot be copied within its own region.");
    }
    if source.provisioning_state(now) != ProvisioningState::Succeeded {
        return reject("The source restore point is not in the provisioning state 'Succeeded'.");
    }
    let tick = subscription.settings.progress_tick;
    if !source.disks.iter().all(|disk| disk.is_available(now, tick)) {
        return reject(
            "The restore point cannot be copied until the data of its disks is available.",
        );
    }
    let source_id = from.name_of(source).id(&subscription.id);
    let is_same = |copy: &Point| {
        copy.copied_from.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&source_id))
    };
    let in_region = subscription.collections.values().filter(|one| one.region == target.region);
    if in_region.flat_map(|one| &one.points).any(is_same) {
        return reject("The restore point was already copied to the target region.");
    }
    if target.points.iter().any(|copy| copy.is_copying(now, tick)) {
        return reject(
            "Another copy between these two restore point collections is still in progress.",
        );
    }
    if target.points.iter().any(|copy| copy.time_created > source.time_created) {
        return reject("A later restore point of the source collection was already copied.");
    }
    Ok(())
}

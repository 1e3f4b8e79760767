//! Instant access in requests for restore points: its duration, and how many creations may run.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use crate::azure::api_version::{self, INSTANT_ACCESS};
use crate::azure::call::Call;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::collection::Collection;
use crate::azure::model::machine::Sku;
use crate::azure::model::point::{Point, ProvisioningState};
use crate::azure::model::subscription::Subscription;

/// In one region of a subscription.
const MAX_CONCURRENT_CREATIONS: usize = 50;
const DEFAULT_DURATION: SignedDuration = SignedDuration::from_mins(300);

/// The duration of the instant access to a new local point of such disks; `None` for a point without.
pub(crate) fn duration(
    subscription: &Subscription,
    call: &Call,
    collection: &Collection,
    mut disks: impl Iterator<Item = Sku>,
    minutes: Option<i64>,
) -> Result<Option<SignedDuration>, ErrorResponse> {
    let minutes = minutes.filter(|_| api_version::supports(&call.api_version, INSTANT_ACCESS));
    if collection.instant_access != Some(true) {
        if minutes.is_some() {
            let message = "The restore point collection does not allow instant access.";
            return Err(ErrorResponse::invalid_parameter("instantAccessDurationMinutes", message));
        }
        let quirks = &subscription.settings.quirks;
        if quirks.background_copy_needs_instant_access && disks.any(Sku::is_copied_in_background) {
            let message = "Restore points of Premium SSD v2 and Ultra Disks need a restore point \
                           collection with instant access.";
            return Err(ErrorResponse::operation_not_allowed(message));
        }
        return Ok(None);
    }
    let duration = match minutes {
        None => DEFAULT_DURATION,
        Some(minutes @ 60..=300) => SignedDuration::from_mins(minutes),
        Some(_) => {
            let message = "The value of instantAccessDurationMinutes must be from 60 to 300.";
            return Err(ErrorResponse::invalid_parameter("instantAccessDurationMinutes", message));
        }
    };
    if running_creations(subscription, &collection.region, call.now) >= MAX_CONCURRENT_CREATIONS {
        let message = format!(
            "At most {MAX_CONCURRENT_CREATIONS} restore points with instant access can be created \
             at the same time."
        );
        let status = StatusCode::CONFLICT;
        return Err(ErrorResponse::provider(status, "OperationNotAllowed", &message));
    }
    Ok(Some(duration))
}

/// Whether a point was created with this duration. Calls with an older api-version ignore it.
pub(crate) fn has_duration(point: &Point, call: &Call, minutes: i64) -> bool {
    !api_version::supports(&call.api_version, INSTANT_ACCESS)
        || point.instant_access.is_some_and(|duration| duration.as_mins() == minutes)
}

fn running_creations(subscription: &Subscription, region: &str, now: Timestamp) -> usize {
    let in_region = subscription.collections.values().filter(|one| one.region == region);
    let is_running = |one: &&Point| {
        one.instant_access.is_some() && one.provisioning_state(now) == ProvisioningState::Creating
    };
    in_region.flat_map(|one| &one.points).filter(is_running).count()
}

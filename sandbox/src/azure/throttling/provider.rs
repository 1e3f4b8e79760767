//! The compute provider's policies: per resource, and per subscription and region.
//!
//! The names of the disk provider's policies were never recorded; its reads count as low-cost reads, and
//! its writes are not counted.

use http::Method;
use jiff::SignedDuration;

use crate::azure::call::Call;
use crate::azure::dto::collection::CollectionRequest;
use crate::azure::dto::point::PointRequest;
use crate::azure::error_response::{ErrorResponse, Window};
use crate::azure::model::bucket::{Policy, retry_after_seconds};
use crate::azure::model::collection::Source;
use crate::azure::model::quota::Quota;
use crate::azure::model::subscription::Subscription;
use crate::azure::resource_path::{CollectionName, Route, plain_region};
use crate::azure::settings::Throttling;

const LOW_COST: Policy = Policy::per_minute("LowCostGetRestorePointSubscriptionMaximum", 600);
const HIGH_COST: Policy = Policy::per_minute("HighCostGetRestorePointSubscriptionMaximum", 150);
const GET_OPERATION: Policy = Policy::per_minute("GetOperationResource", 45);
const GET_OPERATIONS: Policy = Policy::per_minute("GetOperationSubscriptionMaximum", 15_000);
const PUT_COLLECTION: Policy = Policy::per_minute("PutRestorePointCollectionResource", 15);
const PUT_COLLECTIONS: Policy =
    Policy::per_minute("PutRestorePointCollectionSubscriptionMaximum", 150);
const UPDATE_COLLECTION: Policy = Policy::per_minute("UpdateRestorePointCollectionResource", 15);
const UPDATE_COLLECTIONS: Policy =
    Policy::per_minute("UpdateRestorePointCollectionSubscriptionMaximum", 150);
const PUT_POINT: Policy = Policy::per_minute("PutRestorePointResource", 6);
const PUT_POINTS: Policy = Policy::per_minute("PutRestorePointSubscriptionMaximum", 150);
const DELETES: Policy = Policy::per_minute("DeleteRestorePointSubscriptionMaximum", 360);

pub(super) fn charge(
    subscription: &mut Subscription,
    call: &Call,
    method: &Method,
    route: &Route,
) -> Result<(), ErrorResponse> {
    let wanted = policies(subscription, call, method, route);
    subscription.buckets.take(&wanted, call.now).map_err(|(policy, wait)| {
        let window = Window {
            operation_group: policy.name,
            start_time: call.now - policy.period,
            end_time: call.now,
            allowed_request_count: policy.capacity,
            measured_request_count: policy.capacity + 1,
        };
        ErrorResponse::throttled(retry_after_seconds(wait), window)
    })
}

/// `x-ms-ratelimit-remaining-resource`. The list over the subscription has no such header, because it is
/// gathered from several regions.
pub(super) fn remaining(
    subscription: &Subscription,
    call: &Call,
    method: &Method,
    route: &Route,
) -> Option<String> {
    if matches!(route, Route::AllCollections) {
        return None;
    }
    let mut remaining: Vec<String> = policies(subscription, call, method, route)
        .into_iter()
        .map(|(policy, key)| {
            let count = subscription.buckets.remaining(&policy, &key, call.now);
            format!("Microsoft.Compute/{};{count}", policy.name)
        })
        .collect();
    if subscription.settings.quirks.throttling != Throttling::Windows {
        let quota = creation(subscription, call, method, route);
        remaining.extend(quota.map(|(quota, key)| {
            let count = subscription.quotas.remaining(quota, &key, call.now);
            format!("Microsoft.Compute/{};{count}", quota.policy())
        }));
    }
    (!remaining.is_empty()).then(|| remaining.join(","))
}

/// The policies of a request, with the keys of their buckets: the resource, or the region it is in.
fn policies(
    subscription: &Subscription,
    call: &Call,
    method: &Method,
    route: &Route,
) -> Vec<(Policy, String)> {
    let Some((resource, region)) = keys(subscription, call, route) else { return Vec::new() };
    let known = if subscription.settings.quirks.throttling == Throttling::Windows {
        let (short, long) = windows(method, route);
        vec![(short, region.clone()), (long, region)]
    } else {
        match (method, route) {
            (&Method::POST, _) => Vec::new(),
            (&Method::PUT, Route::Point(_)) => vec![(PUT_POINT, resource), (PUT_POINTS, region)],
            (&Method::PUT, _) => vec![(PUT_COLLECTION, resource), (PUT_COLLECTIONS, region)],
            (&Method::PATCH, _) => {
                vec![(UPDATE_COLLECTION, resource), (UPDATE_COLLECTIONS, region)]
            }
            (&Method::DELETE, _) => vec![(DELETES, region)],
            (_, Route::Operation { .. }) => {
                vec![(GET_OPERATION, resource), (GET_OPERATIONS, region)]
            }
            (_, Route::AllCollections | Route::GroupCollections { .. }) => {
                vec![(HIGH_COST, region)]
            }
            _ => vec![(LOW_COST, region)],
        }
    };
    let percent = subscription.settings.bucket_percent;
    known.into_iter().map(|(policy, key)| (policy.scaled(percent), key)).collect()
}

/// The resource and its region; `None` for requests that these policies do not count.
fn keys(subscription: &Subscription, call: &Call, route: &Route) -> Option<(String, String)> {
    let region = |name: &CollectionName| match subscription.collection(name) {
        Some(collection) => collection.region.clone(),
        None => {
            let request = call.parse_body::<CollectionRequest>().ok();
            let written = request.and_then(|request| request.location);
            written.as_deref().map(plain_region).unwrap_or_default()
        }
    };
    match route {
        Route::AllCollections | Route::GroupCollections { .. } => {
            Some((String::new(), String::new()))
        }
        Route::Collection(name) => Some((name.key(), region(name))),
        Route::Point(name)
        | Route::DiskPoints(name)
        | Route::DiskPoint(name, _)
        | Route::DiskAccess(name, ..) => Some((name.key(), region(&name.collection))),
        Route::Operation { id, .. } => {
            let key = id.to_lowercase();
            let region =
                subscription.operations.get(&key).map(|operation| operation.region.clone());
            Some((key, region.unwrap_or_default()))
        }
        _ => None,
    }
}

/// The policies until early 2023. None of them is per resource.
fn windows(method: &Method, route: &Route) -> (Policy, Policy) {
    let pair = |short: (&'static str, u32), long: (&'static str, u32)| {
        let minutes = |(name, capacity), minutes| Policy {
            name,
            capacity,
            period: SignedDuration::from_mins(minutes),
        };
        (minutes(short, 3), minutes(long, 30))
    };
    match (method, route) {
        (&Method::PUT | &Method::PATCH | &Method::POST, _) => {
            pair(("CreateRestorePoints3Min", 120), ("CreateRestorePoints30Min", 600))
        }
        (&Method::DELETE, _) => {
            pair(("DeleteRestorePoints3Min", 350), ("DeleteRestorePoints30Min", 1_000))
        }
        (_, Route::Operation { .. }) => {
            pair(("GetOperation3Min", 15_000), ("GetOperation30Min", 30_000))
        }
        (_, Route::AllCollections | Route::GroupCollections { .. }) => {
            pair(("HighCostGetRestorePoint3Min", 120), ("HighCostGetRestorePoint30Min", 1_200))
        }
        _ => pair(("LowCostGetRestorePoint3Min", 500), ("LowCostGetRestorePoint30Min", 2_500)),
    }
}

/// The quota that this request is charged to, if it creates a point.
fn creation(
    subscription: &Subscription,
    call: &Call,
    method: &Method,
    route: &Route,
) -> Option<(Quota, String)> {
    let (&Method::PUT, Route::Point(name)) = (method, route) else { return None };
    let request: PointRequest = call.parse_body().ok()?;
    match &subscription.collection(&name.collection)?.source {
        Source::Collection(_) => Some((Quota::Copy, name.collection.key())),
        Source::Machine(machine) => Some((
            match request.properties.consistency_mode {
                Some(_) => Quota::CrashConsistent,
                None => Quota::ApplicationConsistent,
            },
            machine.vm_id.clone(),
        )),
    }
}

//! What the compute provider counts: per resource, and per subscription and region.
//!
//! The names of the disk provider's policies were never recorded; its reads are counted with the
//! cheap ones, and its writes not at all.

use http::Method;
use jiff::SignedDuration;

use super::super::names::{CollectionName, Place, plain_region};
use super::super::refusal::{Refusal, Window};
use super::super::server::Call;
use super::super::wire::{CollectionRequest, PointRequest};
use super::super::world::{Source, World};
use super::bucket::Policy;
use super::gateway::whole_seconds;
use super::{Quota, Throttling};

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
    world: &mut World,
    call: &Call,
    method: &Method,
    place: &Place,
) -> Result<(), Refusal> {
    let wanted = policies(world, call, method, place);
    world.spent.buckets.take(&wanted, call.now).map_err(|(policy, wait)| {
        let window = Window {
            operation_group: policy.name,
            start_time: call.now - policy.period,
            end_time: call.now,
            allowed_request_count: policy.capacity,
            measured_request_count: policy.capacity + 1,
        };
        Refusal::throttled(whole_seconds(wait), window)
    })
}

/// `x-ms-ratelimit-remaining-resource`: the list over the subscription has none, being gathered from
/// several regions.
pub(super) fn remaining(
    world: &World,
    call: &Call,
    method: &Method,
    place: &Place,
) -> Option<String> {
    if matches!(place, Place::AllCollections) {
        return None;
    }
    let mut told: Vec<String> = policies(world, call, method, place)
        .into_iter()
        .map(|(policy, key)| {
            let left = world.spent.buckets.left(&policy, &key, call.now);
            format!("Microsoft.Compute/{};{left}", policy.name)
        })
        .collect();
    if world.settings.quirks.throttling != Throttling::Windows {
        let quota = creation(world, call, method, place);
        told.extend(quota.map(|(quota, key)| {
            let left = world.spent.quotas.left(quota, &key, call.now);
            format!("Microsoft.Compute/{};{left}", quota.policy())
        }));
    }
    (!told.is_empty()).then(|| told.join(","))
}

/// What a request is counted by: resources by their names, the rest by the region they are in.
fn policies(world: &World, call: &Call, method: &Method, place: &Place) -> Vec<(Policy, String)> {
    let Some((own, region)) = keys(world, call, place) else { return Vec::new() };
    let known = if world.settings.quirks.throttling == Throttling::Windows {
        let (short, long) = windows(method, place);
        vec![(short, region.clone()), (long, region)]
    } else {
        match (method, place) {
            (&Method::POST, _) => Vec::new(),
            (&Method::PUT, Place::Point(_)) => vec![(PUT_POINT, own), (PUT_POINTS, region)],
            (&Method::PUT, _) => vec![(PUT_COLLECTION, own), (PUT_COLLECTIONS, region)],
            (&Method::PATCH, _) => vec![(UPDATE_COLLECTION, own), (UPDATE_COLLECTIONS, region)],
            (&Method::DELETE, _) => vec![(DELETES, region)],
            (_, Place::Operation { .. }) => vec![(GET_OPERATION, own), (GET_OPERATIONS, region)],
            (_, Place::AllCollections | Place::GroupCollections { .. }) => {
                vec![(HIGH_COST, region)]
            }
            _ => vec![(LOW_COST, region)],
        }
    };
    let percent = world.settings.bucket_percent;
    known.into_iter().map(|(policy, key)| (policy.scaled(percent), key)).collect()
}

/// The resource and its region; `None` for what these policies do not count.
fn keys(world: &World, call: &Call, place: &Place) -> Option<(String, String)> {
    let region = |name: &CollectionName| match world.collection(name) {
        Some(collection) => collection.region.clone(),
        None => {
            let request = call.read::<CollectionRequest>().ok();
            let written = request.and_then(|request| request.location);
            written.as_deref().map(plain_region).unwrap_or_default()
        }
    };
    match place {
        Place::AllCollections | Place::GroupCollections { .. } => {
            Some((String::new(), String::new()))
        }
        Place::Collection(name) => Some((name.key(), region(name))),
        Place::Point(name)
        | Place::DiskPoints(name)
        | Place::DiskPoint(name, _)
        | Place::DiskAccess(name, ..) => Some((name.key(), region(&name.collection))),
        Place::Operation { id, .. } => {
            let key = id.to_lowercase();
            let region = world.operations.get(&key).map(|operation| operation.region.clone());
            Some((key, region.unwrap_or_default()))
        }
        _ => None,
    }
}

/// The policies until early 2023, none of them of one resource.
fn windows(method: &Method, place: &Place) -> (Policy, Policy) {
    let pair = |short: (&'static str, u32), long: (&'static str, u32)| {
        let minutes = |(name, capacity), minutes| Policy {
            name,
            capacity,
            period: SignedDuration::from_mins(minutes),
        };
        (minutes(short, 3), minutes(long, 30))
    };
    match (method, place) {
        (&Method::PUT | &Method::PATCH | &Method::POST, _) => {
            pair(("CreateRestorePoints3Min", 120), ("CreateRestorePoints30Min", 600))
        }
        (&Method::DELETE, _) => {
            pair(("DeleteRestorePoints3Min", 350), ("DeleteRestorePoints30Min", 1_000))
        }
        (_, Place::Operation { .. }) => {
            pair(("GetOperation3Min", 15_000), ("GetOperation30Min", 30_000))
        }
        (_, Place::AllCollections | Place::GroupCollections { .. }) => {
            pair(("HighCostGetRestorePoint3Min", 120), ("HighCostGetRestorePoint30Min", 1_200))
        }
        _ => pair(("LowCostGetRestorePoint3Min", 500), ("LowCostGetRestorePoint30Min", 2_500)),
    }
}

/// The quota that this request draws on, if it creates a point.
fn creation(world: &World, call: &Call, method: &Method, place: &Place) -> Option<(Quota, String)> {
    let (&Method::PUT, Place::Point(name)) = (method, place) else { return None };
    let request: PointRequest = call.read().ok()?;
    match &world.collection(&name.collection)?.source {
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

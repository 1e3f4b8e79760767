//! What the compute provider counts: per resource, and per subscription.
//!
//! The names of the disk provider's policies were never recorded; its reads are counted with the
//! cheap ones, and its writes not at all.

use http::Method;
use jiff::SignedDuration;

use super::super::names::Place;
use super::super::refusal::{Refusal, Window};
use super::super::server::Call;
use super::super::wire::PointRequest;
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
    let wanted = policies(world, method, place);
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
    let mut told: Vec<String> = policies(world, method, place)
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

fn policies(world: &World, method: &Method, place: &Place) -> Vec<(Policy, String)> {
    let all = String::new;
    let known = if world.settings.quirks.throttling == Throttling::Windows {
        let (short, long) = windows(method, place);
        vec![(short, all()), (long, all())]
    } else {
        match (method, place) {
            (&Method::POST, _) => Vec::new(),
            (&Method::PUT, Place::Point(_)) => {
                vec![(PUT_POINT, resource(place)), (PUT_POINTS, all())]
            }
            (&Method::PUT, _) => vec![(PUT_COLLECTION, resource(place)), (PUT_COLLECTIONS, all())],
            (&Method::PATCH, _) => {
                vec![(UPDATE_COLLECTION, resource(place)), (UPDATE_COLLECTIONS, all())]
            }
            (&Method::DELETE, _) => vec![(DELETES, all())],
            (_, Place::Operation { .. }) => {
                vec![(GET_OPERATION, resource(place)), (GET_OPERATIONS, all())]
            }
            (_, Place::AllCollections | Place::GroupCollections { .. }) => {
                vec![(HIGH_COST, all())]
            }
            _ => vec![(LOW_COST, all())],
        }
    };
    let scale =
        |(policy, key): (Policy, String)| (policy.scaled(world.settings.bucket_percent), key);
    known.into_iter().map(scale).collect()
}

/// What a policy of one resource is counted by.
fn resource(place: &Place) -> String {
    match place {
        Place::Collection(name) => name.key(),
        Place::Point(name) => name.key(),
        Place::Operation { id, .. } => id.to_lowercase(),
        _ => String::new(),
    }
}

/// The policies until early 2023, per subscription only.
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

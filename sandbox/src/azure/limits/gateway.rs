//! What the gateway counts: reads, writes and deletions of one principal, and of all together.
//!
//! The simulator has one principal, so that the second can only be met where both are made small.

use http::{Method, StatusCode};
use jiff::SignedDuration;

use super::super::refusal::Refusal;
use super::super::server::Call;
use super::super::world::World;
use super::Throttling;
use super::bucket::Policy;

const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";
const WRITES: &str = "x-ms-ratelimit-remaining-subscription-writes";
const DELETES: &str = "x-ms-ratelimit-remaining-subscription-deletes";
const GLOBAL_READS: &str = "x-ms-ratelimit-remaining-subscription-global-reads";
const GLOBAL_WRITES: &str = "x-ms-ratelimit-remaining-subscription-global-writes";
const GLOBAL_DELETES: &str = "x-ms-ratelimit-remaining-subscription-global-deletes";

pub(super) fn charge(world: &mut World, call: &Call, method: &Method) -> Result<(), Refusal> {
    let policies = policies(world, method);
    let wanted: Vec<(Policy, String)> =
        policies.into_iter().map(|policy| (policy, String::new())).collect();
    world.spent.buckets.take(&wanted, call.now).map_err(|(_, wait)| {
        let subscription = world.subscription.to_uppercase();
        let message = format!(
            "Number of requests for subscription '{}' and operation '{method}/SUBSCRIPTIONS/\
             {subscription}/' exceeded the backend storage limit. Please try again after '{}' \
             seconds.",
            world.subscription,
            whole_seconds(wait)
        );
        let status = StatusCode::TOO_MANY_REQUESTS;
        Refusal::gateway(status, "SubscriptionRequestsThrottled", &message)
            .with("retry-after", whole_seconds(wait).to_string())
    })
}

/// One header for each policy, which goes by the name of its header.
pub(super) fn remaining(
    world: &World,
    call: &Call,
    method: &Method,
) -> Vec<(&'static str, String)> {
    let hidden = world.settings.quirks.throttling == Throttling::Unreported;
    let told = |policy: Policy| {
        let left = world.spent.buckets.left(&policy, "", call.now);
        (policy.name, if hidden { "0".into() } else { left.to_string() })
    };
    policies(world, method).into_iter().map(told).collect()
}

/// Rounded up, so that whoever waits that long gets through.
pub(super) fn whole_seconds(wait: SignedDuration) -> i64 {
    wait.as_secs() + i64::from(wait.subsec_nanos() > 0)
}

fn policies(world: &World, method: &Method) -> Vec<Policy> {
    let every = |name, capacity, seconds| Policy {
        name,
        capacity,
        period: SignedDuration::from_secs(seconds),
    };
    let known = match (world.settings.quirks.throttling, method) {
        (Throttling::Windows, &Method::GET) => vec![every(READS, 12_000, 3600)],
        (Throttling::Windows, &Method::DELETE) => vec![every(DELETES, 15_000, 3600)],
        (Throttling::Windows, _) => vec![every(WRITES, 1_200, 3600)],
        // 25 reads come back each second, 10 of the others.
        (_, &Method::GET) => vec![every(READS, 250, 10), every(GLOBAL_READS, 3_750, 10)],
        (_, &Method::DELETE) => vec![every(DELETES, 200, 20), every(GLOBAL_DELETES, 3_000, 20)],
        _ => vec![every(WRITES, 200, 20), every(GLOBAL_WRITES, 3_000, 20)],
    };
    known.into_iter().map(|policy| policy.scaled(world.settings.bucket_percent)).collect()
}

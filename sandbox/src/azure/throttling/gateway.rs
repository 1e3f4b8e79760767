//! The gateway's policies: reads, writes and deletions of one principal, and of all principals together.
//!
//! The simulator has one principal, so the global limits only apply when a test scales both down.

use http::{Method, StatusCode};
use jiff::SignedDuration;

use crate::azure::call::Call;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::bucket::{Policy, retry_after_seconds};
use crate::azure::model::subscription::Subscription;
use crate::azure::settings::Throttling;

const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";
const WRITES: &str = "x-ms-ratelimit-remaining-subscription-writes";
const DELETES: &str = "x-ms-ratelimit-remaining-subscription-deletes";
const GLOBAL_READS: &str = "x-ms-ratelimit-remaining-subscription-global-reads";
const GLOBAL_WRITES: &str = "x-ms-ratelimit-remaining-subscription-global-writes";
const GLOBAL_DELETES: &str = "x-ms-ratelimit-remaining-subscription-global-deletes";

pub(super) fn charge(
    subscription: &mut Subscription,
    call: &Call,
    method: &Method,
) -> Result<(), ErrorResponse> {
    let policies = policies(subscription, method);
    let wanted: Vec<(Policy, String)> =
        policies.into_iter().map(|policy| (policy, String::new())).collect();
    subscription.buckets.take(&wanted, call.now).map_err(|(_, wait)| {
        let id = &subscription.id;
        let message = format!(
            "Number of requests for subscription '{id}' and operation '{method}/SUBSCRIPTIONS/\
             {}/' exceeded the backend storage limit. Please try again after '{}' \
             seconds.",
            id.to_uppercase(),
            retry_after_seconds(wait)
        );
        let status = StatusCode::TOO_MANY_REQUESTS;
        ErrorResponse::gateway(status, "SubscriptionRequestsThrottled", &message)
            .with_header("retry-after", retry_after_seconds(wait).to_string())
    })
}

/// One header for each policy. A policy has the name of its header.
pub(super) fn remaining(
    subscription: &Subscription,
    call: &Call,
    method: &Method,
) -> Vec<(&'static str, String)> {
    let unreported = subscription.settings.quirks.throttling == Throttling::Unreported;
    let header = |policy: Policy| {
        let remaining = subscription.buckets.remaining(&policy, "", call.now);
        (policy.name, if unreported { "0".into() } else { remaining.to_string() })
    };
    policies(subscription, method).into_iter().map(header).collect()
}

fn policies(subscription: &Subscription, method: &Method) -> Vec<Policy> {
    let every = |name, capacity, seconds| Policy {
        name,
        capacity,
        period: SignedDuration::from_secs(seconds),
    };
    let known = match (subscription.settings.quirks.throttling, method) {
        (Throttling::Windows, &Method::GET) => vec![every(READS, 12_000, 3600)],
        (Throttling::Windows, &Method::DELETE) => vec![every(DELETES, 15_000, 3600)],
        (Throttling::Windows, _) => vec![every(WRITES, 1_200, 3600)],
        // 25 reads a second are refilled, 10 writes and 10 deletions.
        (_, &Method::GET) => vec![every(READS, 250, 10), every(GLOBAL_READS, 3_750, 10)],
        (_, &Method::DELETE) => vec![every(DELETES, 200, 20), every(GLOBAL_DELETES, 3_000, 20)],
        _ => vec![every(WRITES, 200, 20), every(GLOBAL_WRITES, 3_000, 20)],
    };
    known.into_iter().map(|policy| policy.scaled(subscription.settings.bucket_percent)).collect()
}

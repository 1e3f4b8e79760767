//! Throttling: which policies the gateway and the providers count a request by, when they reject one, and
//! what the headers report as remaining.
//!
//! All of it refills on the simulator's clock. The handlers charge the quotas of creations.

mod gateway;
mod provider;

use http::Method;

use super::call::Call;
use super::error_response::{ErrorResponse, Responder};
use super::model::subscription::Subscription;
use super::resource_path::Route;
use super::settings::Throttling;

/// Counts a request, or rejects it when a bucket is empty.
pub(crate) fn charge(
    subscription: &mut Subscription,
    call: &Call,
    method: &Method,
    route: &Route,
) -> Result<(), ErrorResponse> {
    gateway::charge(subscription, call, method)?;
    provider::charge(subscription, call, method, route)
}

/// The headers that report what remains after a request.
pub(crate) fn headers(
    subscription: &Subscription,
    call: &Call,
    method: &Method,
    route: &Route,
    responder: Responder,
) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if subscription.settings.quirks.throttling == Throttling::Unreported {
        headers.push(("x-ms-throttling-version", "v2".into()));
    }
    if responder == Responder::Provider {
        headers.extend(gateway::remaining(subscription, call, method));
        let remaining = provider::remaining(subscription, call, method, route);
        headers.extend(remaining.map(|value| ("x-ms-ratelimit-remaining-resource", value)));
    }
    headers
}

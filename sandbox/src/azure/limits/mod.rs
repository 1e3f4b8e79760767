//! Throttling: what the gateway and the providers count of every request, when they refuse one, and
//! what the headers say is left.
//!
//! All of it refills on the simulator's clock. Which creation costs which quota is decided by those
//! who create.

mod bucket;
mod gateway;
mod provider;
mod quota;

use http::Method;

use super::names::Place;
use super::refusal::{Refusal, Voice};
use super::server::Call;
use super::world::World;

pub(super) use quota::Quota;

/// How throttling worked at a time; the policies and the headers changed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Throttling {
    /// Until 2023: so many an hour at the gateway, counted down from 11999 reads, 1199 writes and
    /// 14999 deletions; windows of 3 and 30 minutes at the provider.
    Windows,
    /// Since 2024: buckets that refill by the second at the gateway and by the minute at the
    /// provider, truthfully reported.
    Buckets,
    /// 2026, `x-ms-throttling-version: v2`: the same buckets, and the gateway reports `0` left on
    /// every successful answer.
    #[default]
    Unreported,
}

/// What was asked of a subscription so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    buckets: bucket::Buckets,
    quotas: quota::Quotas,
}

/// Counts a request, if there is room for it.
pub(super) fn charge(
    world: &mut World,
    call: &Call,
    method: &Method,
    place: &Place,
) -> Result<(), Refusal> {
    gateway::charge(world, call, method)?;
    provider::charge(world, call, method, place)
}

/// The headers that tell what is left after a request.
pub(super) fn headers(
    world: &World,
    call: &Call,
    method: &Method,
    place: &Place,
    voice: Voice,
) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if world.settings.quirks.throttling == Throttling::Unreported {
        headers.push(("x-ms-throttling-version", "v2".into()));
    }
    if voice == Voice::Provider {
        headers.extend(gateway::remaining(world, call, method));
        let left = provider::remaining(world, call, method, place);
        headers.extend(left.map(|left| ("x-ms-ratelimit-remaining-resource", left)));
    }
    headers
}

//! The compute provider's throttling policies, as its header reports them.
//!
//! Only the quota of copies is really counted (see `copying`); the rest shows what a client sees that
//! stays far from the limits.

use http::Method;

use super::copying;
use super::names::Place;
use super::server::Call;
use super::world::World;

/// `x-ms-ratelimit-remaining-resource` for an answer by the provider; the list over the subscription
/// has none, being gathered from several regions.
pub(super) fn remaining(
    world: &World,
    call: &Call,
    method: &Method,
    place: &Place,
) -> Option<String> {
    let policies: &[(&str, usize)] = match (method, place) {
        (_, Place::AllCollections) => return None,
        (&Method::PUT, Place::Point(name)) => {
            let target = world.collection(&name.collection);
            let copies = target.map_or(0, |target| copying::left(target, call.now));
            let local = target.is_none_or(|target| target.is_local());
            let third = if local {
                ("CreateApplicationConsistentRestorePoint", 2)
            } else {
                ("CopyRestorePoint", copies)
            };
            &[("PutRestorePointResource", 5), ("PutRestorePointSubscriptionMaximum", 149), third]
        }
        (&Method::PUT, _) => &[
            ("PutRestorePointCollectionResource", 14),
            ("PutRestorePointCollectionSubscriptionMaximum", 149),
        ],
        (&Method::PATCH, _) => &[
            ("UpdateRestorePointCollectionResource", 14),
            ("UpdateRestorePointCollectionSubscriptionMaximum", 149),
        ],
        (&Method::DELETE, _) => &[("DeleteRestorePointSubscriptionMaximum", 359)],
        (_, Place::Operation { .. }) => {
            &[("GetOperationResource", 44), ("GetOperationSubscriptionMaximum", 14_999)]
        }
        (_, Place::GroupCollections { .. }) => {
            &[("HighCostGetRestorePointSubscriptionMaximum", 149)]
        }
        _ => &[("LowCostGetRestorePointSubscriptionMaximum", 599)],
    };
    let one = |(policy, left): &(&str, usize)| format!("Microsoft.Compute/{policy};{left}");
    Some(policies.iter().map(one).collect::<Vec<_>>().join(","))
}

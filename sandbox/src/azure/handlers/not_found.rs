//! The 404 for a missing collection or point. The gateway answers for groups and collections itself; only the
//! provider knows restore points.

use crate::azure::error_response::ErrorResponse;
use crate::azure::model::subscription::Subscription;
use crate::azure::resource_path::{CollectionName, PointName};

pub(crate) fn collection(subscription: &Subscription, name: &CollectionName) -> ErrorResponse {
    if subscription.has_group(&name.group) {
        ErrorResponse::collection_not_found(name)
    } else {
        ErrorResponse::group_not_found(&name.group)
    }
}

/// For a read of a point.
pub(crate) fn point(subscription: &Subscription, name: &PointName) -> ErrorResponse {
    match subscription.collection(&name.collection) {
        Some(_) => ErrorResponse::entity_not_found(),
        None => parent(subscription, name, "Can not"),
    }
}

/// For a write of a point whose collection is missing.
pub(crate) fn parent_of_write(subscription: &Subscription, name: &PointName) -> ErrorResponse {
    parent(subscription, name, "Failed to")
}

fn parent(subscription: &Subscription, name: &PointName, verb: &str) -> ErrorResponse {
    let group = &name.collection.group;
    if subscription.has_group(group) {
        ErrorResponse::parent_not_found(verb, name)
    } else {
        ErrorResponse::group_not_found(group)
    }
}

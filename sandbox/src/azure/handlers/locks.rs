//! Management locks: an administrator can lock a resource against deletion.
//!
//! Locks against writing are not simulated.

use http::{Method, StatusCode};

use crate::azure::error_response::ErrorResponse;
use crate::azure::model::subscription::Subscription;
use crate::azure::resource_path::Route;

/// Rejects the deletion of a locked resource, and of a resource inside a locked one.
pub(crate) fn check(
    subscription: &Subscription,
    method: &Method,
    route: &Route,
) -> Result<(), ErrorResponse> {
    let scope = match route {
        _ if *method != Method::DELETE => return Ok(()),
        Route::Collection(name) => name.id(&subscription.id),
        Route::Point(name) => name.id(&subscription.id),
        _ => return Ok(()),
    };
    let covers = |lock: &&String| {
        let (lock, scope) = (lock.to_lowercase(), scope.to_lowercase());
        scope == lock || scope.starts_with(&format!("{lock}/"))
    };
    match subscription.locks.iter().find(covers) {
        None => Ok(()),
        Some(lock) => {
            let message = format!(
                "The scope '{scope}' cannot perform delete operation because following scope(s) \
                 are locked: '{lock}'. Please remove the lock and try again."
            );
            Err(ErrorResponse::gateway(StatusCode::CONFLICT, "ScopeLocked", &message))
        }
    }
}

//! Which handler serves a route, and which permission it needs.

use http::{Method, StatusCode};

use super::call::Call;
use super::error_response::ErrorResponse;
use super::handlers::{collections, directory, disk_access, disk_points, lists, points};
use super::model::subscription::Subscription;
use super::reply::Reply;
use super::resource_path::{AccessAction, Provider, Route};

pub(crate) fn dispatch(
    subscription: &mut Subscription,
    call: &Call,
    method: &Method,
    route: &Route,
    query: &str,
) -> Result<Reply, ErrorResponse> {
    match (method, route) {
        (&Method::GET, Route::Directory(resource)) => directory::get(subscription, call, resource),
        (&Method::GET, Route::AllCollections) => lists::by_subscription(subscription, call),
        (&Method::GET, Route::GroupCollections { group }) => {
            lists::by_group(subscription, call, group)
        }
        (&Method::GET, Route::Collection(name)) => collections::get(subscription, call, name),
        (&Method::PUT, Route::Collection(name)) => collections::put(subscription, call, name),
        (&Method::PATCH, Route::Collection(name)) => collections::patch(subscription, call, name),
        (&Method::DELETE, Route::Collection(name)) => collections::delete(subscription, call, name),
        (&Method::GET, Route::Point(name)) => points::get(subscription, call, name),
        (&Method::PUT, Route::Point(name)) => points::put(subscription, call, name),
        (&Method::DELETE, Route::Point(name)) => points::delete(subscription, call, name),
        (&Method::GET, Route::DiskPoints(name)) => disk_points::list(subscription, call, name),
        (&Method::GET, Route::DiskPoint(name, disk)) => {
            disk_points::get(subscription, call, name, disk)
        }
        (&Method::POST, Route::DiskAccess(name, disk, AccessAction::Begin)) => {
            disk_access::begin(subscription, call, name, disk)
        }
        (&Method::POST, Route::DiskAccess(name, disk, AccessAction::End)) => {
            disk_access::end(subscription, call, name, disk)
        }
        (&Method::GET, Route::Operation { id, provider }) => {
            let operation = subscription.operations.get(&id.to_lowercase());
            let operation = operation.filter(|operation| operation.provider == *provider);
            operation.ok_or_else(ErrorResponse::entity_not_found)?.poll(query, call.now)
        }
        (_, Route::Unknown) => Err(ErrorResponse::unknown_type(&call.api_version)),
        _ => {
            let message =
                format!("The requested resource does not support http method '{method}'.");
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Err(ErrorResponse::provider(status, "HttpMethodNotSupported", &message))
        }
    }
}

/// The permission that a request needs, as it is named in role definitions.
pub(crate) fn action(method: &Method, route: &Route) -> String {
    let kind = match route {
        Route::Point(_) => "restorePointCollections/restorePoints",
        Route::DiskPoints(_) | Route::DiskPoint(..) => {
            "restorePointCollections/restorePoints/diskRestorePoints"
        }
        Route::DiskAccess(_, _, AccessAction::Begin) => {
            "restorePointCollections/restorePoints/diskRestorePoints/beginGetAccess"
        }
        Route::DiskAccess(_, _, AccessAction::End) => {
            "restorePointCollections/restorePoints/diskRestorePoints/endGetAccess"
        }
        Route::Operation { provider: Provider::Compute, .. } => "locations/operations",
        Route::Operation { provider: Provider::Disk, .. } => "locations/DiskOperations",
        _ => "restorePointCollections",
    };
    let verb = match *method {
        Method::GET => "read",
        Method::DELETE => "delete",
        Method::POST => "action",
        _ => "write",
    };
    format!("Microsoft.Compute/{kind}/{verb}")
}

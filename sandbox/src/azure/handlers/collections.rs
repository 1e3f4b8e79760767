//! Requests for one restore point collection.
//!
//! Only its deletion is a long-running operation.

use std::sync::Arc;

use http::StatusCode;

use super::collection_body::collection_body;
use super::point_body::{View, point_body};
use super::{disk_access, not_found};
use crate::azure::api_version::{self, INSTANT_ACCESS};
use crate::azure::call::Call;
use crate::azure::dto::collection::CollectionRequest;
use crate::azure::dto::point::PointBody;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::collection::{Collection, Source};
use crate::azure::model::operation::{NewOperation, OperationResult};
use crate::azure::model::subscription::{Deletion, Subscription};
use crate::azure::reply::Reply;
use crate::azure::resource_path::{CollectionName, Provider, ResourcePath, Route, plain_region};

/// PUT: 201 with the final body for a new collection, 200 for new tags on an existing one.
pub(crate) fn put(
    subscription: &mut Subscription,
    call: &Call,
    name: &CollectionName,
) -> Result<Reply, ErrorResponse> {
    let request: CollectionRequest = call.parse_body()?;
    if !subscription.has_group(&name.group) {
        return Err(ErrorResponse::group_not_found(&name.group));
    }
    let Some(written_region) = request.location.clone() else {
        let message = "The location property is required for this definition.";
        return Err(ErrorResponse::gateway(StatusCode::BAD_REQUEST, "LocationRequired", message));
    };
    let region = plain_region(&written_region);
    if let Some(old) = subscription.collection_mut(name) {
        check_update(old, &region, &request)?;
        old.tags = request.tags.clone().unwrap_or_default();
        old.instant_access = instant_access(call, &request).or(old.instant_access);
        return respond(subscription, call, name, StatusCode::OK);
    }
    let Some(source) = &request.properties.source else {
        let message = "Required parameter 'source' is missing (null).";
        return Err(ErrorResponse::invalid_parameter("source", message));
    };
    let (found, source_region) = resolve(subscription, &source.id, &region)?;
    let existing = subscription.collections.values().filter(|one| one.region == region).count();
    if existing >= subscription.settings.collections_per_region {
        let message = format!(
            "At most {} restore point collections can be created in a region.",
            subscription.settings.collections_per_region
        );
        return Err(ErrorResponse::operation_not_allowed(&message));
    }
    let guid = subscription.rng.guid().to_string();
    let collection = Collection {
        name: name.clone(),
        region,
        written_region,
        tags: request.tags.clone().unwrap_or_default(),
        source: found,
        source_id: source.id.clone(),
        source_region,
        guid,
        instant_access: instant_access(call, &request),
        points: Vec::new(),
        deleting: false,
    };
    subscription.collections.insert(name.key(), collection);
    respond(subscription, call, name, StatusCode::CREATED)
}

fn instant_access(call: &Call, request: &CollectionRequest) -> Option<bool> {
    let supported = api_version::supports(&call.api_version, INSTANT_ACCESS);
    request.properties.instant_access.filter(|_| supported)
}

/// Only tags and instant access may change after creation; source and location may not.
fn check_update(
    old: &Collection,
    region: &str,
    request: &CollectionRequest,
) -> Result<(), ErrorResponse> {
    if old.deleting {
        return Err(ErrorResponse::operation_not_allowed(
            "The restore point collection is being deleted.",
        ));
    }
    if old.region != region {
        let CollectionName { group, name } = &old.name;
        let message = format!(
            "The resource '{name}' already exists in location '{}' in resource group '{group}'. A \
             resource with the same name cannot be created in location '{region}'. Please select a \
             new resource name.",
            old.region
        );
        let status = StatusCode::CONFLICT;
        return Err(ErrorResponse::gateway(status, "InvalidResourceLocation", &message));
    }
    check_source(old, request)
}

fn check_source(old: &Collection, request: &CollectionRequest) -> Result<(), ErrorResponse> {
    match &request.properties.source {
        Some(source) if !source.id.eq_ignore_ascii_case(&old.source_id) => {
            let message = "Changing property 'source.id' is not allowed.";
            Err(ErrorResponse::provider(StatusCode::CONFLICT, "PropertyChangeNotAllowed", message))
        }
        _ => Ok(()),
    }
}

/// The source of a new collection in `region`, and the source's region.
fn resolve(
    subscription: &Subscription,
    id: &str,
    region: &str,
) -> Result<(Source, String), ErrorResponse> {
    match ResourcePath::parse(id).route {
        Route::VirtualMachine { group, name } => {
            let Some(machine) = subscription.machine(&group, &name) else {
                return Err(ErrorResponse::resource_not_found("virtualMachines", &group, &name));
            };
            if plain_region(&machine.region) != region {
                // The vendor withdrew creation in another region directly from a machine in 2023.
                let message = "The restore point collection must be in the region of its source \
                               virtual machine.";
                return Err(ErrorResponse::invalid_parameter("location", message));
            }
            Ok((Source::Machine(Arc::clone(machine)), machine.region.clone()))
        }
        Route::Collection(name) => match subscription.collection(&name) {
            Some(source) => Ok((Source::Collection(name.key()), source.region.clone())),
            None => Err(ErrorResponse::collection_not_found(&name)),
        },
        _ => Err(ErrorResponse::invalid_parameter(
            "source.id",
            "The value of parameter source.id is invalid.",
        )),
    }
}

/// PATCH: 200 with the whole collection.
pub(crate) fn patch(
    subscription: &mut Subscription,
    call: &Call,
    name: &CollectionName,
) -> Result<Reply, ErrorResponse> {
    let request: CollectionRequest = call.parse_body()?;
    let not_found = not_found::collection(subscription, name);
    let old = subscription.collection_mut(name).ok_or(not_found)?;
    check_source(old, &request)?;
    if let Some(tags) = &request.tags {
        old.tags.clone_from(tags);
    }
    old.instant_access = instant_access(call, &request).or(old.instant_access);
    respond(subscription, call, name, StatusCode::OK)
}

/// GET, with the points only if requested: an empty array if there are none.
pub(crate) fn get(
    subscription: &Subscription,
    call: &Call,
    name: &CollectionName,
) -> Result<Reply, ErrorResponse> {
    let Some(collection) = subscription.collection(name) else {
        return Err(not_found::collection(subscription, name));
    };
    let mut body = collection_body(subscription, call, collection);
    if call.expands("restorePoints")? {
        let to_body = |one| {
            let name = collection.name_of(one);
            point_body(subscription, call, one, &name, View::Plain)
        };
        let points: Vec<PointBody> = collection.points.iter().map(to_body).collect();
        body.properties.restore_points = Some(points);
    }
    Ok(Reply::provider(StatusCode::OK, &body))
}

/// DELETE: 202 with both URLs; its points are deleted too.
pub(crate) fn delete(
    subscription: &mut Subscription,
    call: &Call,
    name: &CollectionName,
) -> Result<Reply, ErrorResponse> {
    if !subscription.has_group(&name.group) {
        return Err(ErrorResponse::group_not_found(&name.group));
    }
    let Some(collection) = subscription.collection_mut(name) else {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    };
    disk_access::check_unused(&collection.points, call.now)?;
    let already = std::mem::replace(&mut collection.deleting, true);
    for point in &mut collection.points {
        point.deleting = true;
    }
    let region = collection.region.clone();
    let ends_at = call.now + subscription.settings.collection_deletion;
    if !already {
        subscription.pending_deletions.push((ends_at, Deletion::Collection(name.clone())));
    }
    let (provider, result) = (Provider::Compute, OperationResult::Succeeded);
    let new = NewOperation { provider, region: &region, ends_at, result };
    let links = subscription.start_operation(call, new);
    Ok(Reply::empty(StatusCode::ACCEPTED).with_operation(&links))
}

fn respond(
    subscription: &Subscription,
    call: &Call,
    name: &CollectionName,
    status: StatusCode,
) -> Result<Reply, ErrorResponse> {
    let collection =
        subscription.collection(name).ok_or_else(|| not_found::collection(subscription, name))?;
    Ok(Reply::provider(status, &collection_body(subscription, call, collection)))
}

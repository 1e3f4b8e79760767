//! Restore point collections: what may be asked of them, and how they answer.
//!
//! Nothing here is long-running but the deletion.

use std::sync::Arc;

use http::StatusCode;

use super::names::{Address, CollectionName, Place, plain_region, provider_region};
use super::point::{self, View};
use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::wire::{
    CollectionBody, CollectionProperties, CollectionRequest, CollectionSource, PointBody,
};
use super::world::{Collection, Departure, Source, World};

/// PUT: 201 with a finished body for a new collection, 200 for new tags on an old one.
pub(super) fn put(world: &mut World, call: &Call, name: &CollectionName) -> Result<Reply, Refusal> {
    let request: CollectionRequest = call.read()?;
    if !world.has_group(&name.group) {
        return Err(Refusal::group_not_found(&name.group));
    }
    let Some(region) = request.location.as_deref().map(plain_region) else {
        let message = "The location property is required for this definition.";
        return Err(Refusal::gateway(StatusCode::BAD_REQUEST, "LocationRequired", message));
    };
    if let Some(old) = world.collection_mut(name) {
        allow_update(old, &region, &request)?;
        old.tags = request.tags.unwrap_or_default();
        old.instant_access = request.properties.instant_access.or(old.instant_access);
        return answer(world, name, StatusCode::OK);
    }
    let Some(source) = request.properties.source else {
        let message = "Required parameter 'source' is missing (null).";
        return Err(Refusal::parameter("source", message));
    };
    let (found, source_region) = resolve(world, &source.id, &region)?;
    let guid = world.dice.guid().to_string();
    let collection = Collection {
        name: name.clone(),
        region,
        tags: request.tags.unwrap_or_default(),
        source: found,
        source_id: source.id,
        source_region,
        guid,
        instant_access: request.properties.instant_access,
        points: Vec::new(),
        deleting: false,
        copies_taken: Vec::new(),
    };
    world.collections.insert(name.key(), collection);
    answer(world, name, StatusCode::CREATED)
}

/// Only tags may change after creation; source and location may not.
fn allow_update(
    old: &Collection,
    region: &str,
    request: &CollectionRequest,
) -> Result<(), Refusal> {
    if old.deleting {
        return Err(Refusal::not_allowed("The restore point collection is being deleted."));
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
        return Err(Refusal::gateway(status, "InvalidResourceLocation", &message));
    }
    match &request.properties.source {
        Some(source) if !source.id.eq_ignore_ascii_case(&old.source_id) => {
            let message = "Changing property 'source.id' is not allowed.";
            Err(Refusal::provider(StatusCode::CONFLICT, "PropertyChangeNotAllowed", message))
        }
        _ => Ok(()),
    }
}

/// What a new collection takes its points from, and the region of that.
fn resolve(world: &World, id: &str, region: &str) -> Result<(Source, String), Refusal> {
    match Address::parse(id).place {
        Place::Machine { group, name } => {
            let Some(machine) = world.machine(&group, &name) else {
                return Err(Refusal::resource_not_found("virtualMachines", &group, &name));
            };
            if plain_region(&machine.region) != region {
                // Creation in another region straight from a machine was withdrawn in 2023.
                let message = "The restore point collection must be in the region of its source \
                               virtual machine.";
                return Err(Refusal::parameter("location", message));
            }
            Ok((Source::Machine(Arc::clone(machine)), machine.region.clone()))
        }
        Place::Collection(name) => match world.collection(&name) {
            Some(source) => Ok((Source::Collection(name.key()), source.region.clone())),
            None => Err(Refusal::collection_not_found(&name)),
        },
        _ => Err(Refusal::parameter("source.id", "The value of parameter source.id is invalid.")),
    }
}

/// PATCH: 200 with the whole collection.
pub(super) fn patch(
    world: &mut World,
    call: &Call,
    name: &CollectionName,
) -> Result<Reply, Refusal> {
    let request: CollectionRequest = call.read()?;
    let old = existing(world, name)?;
    if let Some(tags) = request.tags {
        old.tags = tags;
    }
    old.instant_access = request.properties.instant_access.or(old.instant_access);
    answer(world, name, StatusCode::OK)
}

/// GET, with the points only if asked for: `[]` then when there are none.
pub(super) fn get(world: &World, call: &Call, name: &CollectionName) -> Result<Reply, Refusal> {
    let Some(collection) = world.collection(name) else {
        return Err(missing(world, name));
    };
    let mut body = show(world, collection);
    if call.expand_only("restorePoints")? {
        let shown = |one| {
            let name = collection.name_of(one);
            point::show(one, &name, &world.subscription, call.now, View::Plain)
        };
        let points: Vec<PointBody> = collection.points.iter().map(shown).collect();
        body.properties.restore_points = Some(points);
    }
    Ok(Reply::provider(StatusCode::OK, &body))
}

/// DELETE: 202 with both URLs; the points inside go too.
pub(super) fn delete(
    world: &mut World,
    call: &Call,
    name: &CollectionName,
) -> Result<Reply, Refusal> {
    if !world.has_group(&name.group) {
        return Err(Refusal::group_not_found(&name.group));
    }
    let Some(collection) = world.collection_mut(name) else {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    };
    let already = std::mem::replace(&mut collection.deleting, true);
    let region = collection.region.clone();
    let ends = call.now + world.settings.collection_deletion;
    if !already {
        world.departures.push((ends, Departure::Collection(name.clone())));
    }
    let started = world.begin(call, &region, ends, None);
    Ok(Reply::empty(StatusCode::ACCEPTED).starting(&started))
}

fn existing<'a>(
    world: &'a mut World,
    name: &CollectionName,
) -> Result<&'a mut Collection, Refusal> {
    let refusal = missing(world, name);
    world.collection_mut(name).ok_or(refusal)
}

/// The gateway knows which groups and top-level resources exist, and answers for those itself.
fn missing(world: &World, name: &CollectionName) -> Refusal {
    if world.has_group(&name.group) {
        Refusal::collection_not_found(name)
    } else {
        Refusal::group_not_found(&name.group)
    }
}

fn answer(world: &World, name: &CollectionName, status: StatusCode) -> Result<Reply, Refusal> {
    let collection = world.collection(name).ok_or_else(|| missing(world, name))?;
    Ok(Reply::provider(status, &show(world, collection)))
}

pub(super) fn show(world: &World, collection: &Collection) -> CollectionBody {
    let source_location = match &collection.source {
        // The provider's casing survives only where the source is a machine.
        Source::Machine(_) => provider_region(&collection.source_region).to_owned(),
        Source::Collection(_) => plain_region(&collection.source_region),
    };
    CollectionBody {
        name: collection.name.name.clone(),
        id: collection.name.id(&world.subscription),
        kind: "Microsoft.Compute/restorePointCollections",
        location: collection.region.clone(),
        tags: collection.tags.clone(),
        properties: CollectionProperties {
            source: CollectionSource {
                location: source_location,
                id: collection.source_id.clone(),
            },
            restore_point_collection_id: collection.guid.clone(),
            restore_points: None,
            provisioning_state: "Succeeded",
            instant_access: collection.instant_access,
        },
    }
}

//! Restore point collections: what may be asked of them, and how they answer.
//!
//! Nothing here is long-running but the deletion.

use std::sync::Arc;

use http::StatusCode;

use super::names::{Address, CollectionName, Place, Provider, plain_region, provider_region};
use super::operation::{Outcome, Task};
use super::point::{self, View};
use super::refusal::Refusal;
use super::reply::Reply;
use super::server::Call;
use super::wire::{
    CollectionBody, CollectionProperties, CollectionRequest, CollectionSource, PointBody,
};
use super::world::{Collection, Departure, Source, World};
use super::{access, instant, versions};

/// PUT: 201 with a finished body for a new collection, 200 for new tags on an old one.
pub(super) fn put(world: &mut World, call: &Call, name: &CollectionName) -> Result<Reply, Refusal> {
    let request: CollectionRequest = call.read()?;
    if !world.has_group(&name.group) {
        return Err(Refusal::group_not_found(&name.group));
    }
    let Some(written_region) = request.location.clone() else {
        let message = "The location property is required for this definition.";
        return Err(Refusal::gateway(StatusCode::BAD_REQUEST, "LocationRequired", message));
    };
    let region = plain_region(&written_region);
    if let Some(old) = world.collection_mut(name) {
        allow_update(old, &region, &request)?;
        old.tags = request.tags.clone().unwrap_or_default();
        old.instant_access = instant_access(call, &request).or(old.instant_access);
        return answer(world, call, name, StatusCode::OK);
    }
    let Some(source) = &request.properties.source else {
        let message = "Required parameter 'source' is missing (null).";
        return Err(Refusal::parameter("source", message));
    };
    let (found, source_region) = resolve(world, &source.id, &region)?;
    let here = world.collections.values().filter(|one| one.region == region).count();
    if here >= world.settings.collections_per_region {
        let message = format!(
            "At most {} restore point collections can be created in a region.",
            world.settings.collections_per_region
        );
        return Err(Refusal::not_allowed(&message));
    }
    let guid = world.dice.guid().to_string();
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
    world.collections.insert(name.key(), collection);
    answer(world, call, name, StatusCode::CREATED)
}

fn instant_access(call: &Call, request: &CollectionRequest) -> Option<bool> {
    request.properties.instant_access.filter(|_| versions::knows(&call.version, instant::SINCE))
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
    keep_source(old, request)
}

fn keep_source(old: &Collection, request: &CollectionRequest) -> Result<(), Refusal> {
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
    keep_source(old, &request)?;
    if let Some(tags) = &request.tags {
        old.tags.clone_from(tags);
    }
    old.instant_access = instant_access(call, &request).or(old.instant_access);
    answer(world, call, name, StatusCode::OK)
}

/// GET, with the points only if asked for: `[]` then when there are none.
pub(super) fn get(world: &World, call: &Call, name: &CollectionName) -> Result<Reply, Refusal> {
    let Some(collection) = world.collection(name) else {
        return Err(missing(world, name));
    };
    let mut body = show(world, call, collection);
    if call.expand_only("restorePoints")? {
        let shown = |one| {
            let name = collection.name_of(one);
            point::show(world, call, one, &name, View::Plain)
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
    access::unused(&collection.points, call.now)?;
    let already = std::mem::replace(&mut collection.deleting, true);
    for point in &mut collection.points {
        point.deleting = true;
    }
    let region = collection.region.clone();
    let ends = call.now + world.settings.collection_deletion;
    if !already {
        world.departures.push((ends, Departure::Collection(name.clone())));
    }
    let task = Task { by: Provider::Compute, region: &region, ends, outcome: Outcome::Done };
    let started = world.begin(call, task);
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

fn answer(
    world: &World,
    call: &Call,
    name: &CollectionName,
    status: StatusCode,
) -> Result<Reply, Refusal> {
    let collection = world.collection(name).ok_or_else(|| missing(world, name))?;
    Ok(Reply::provider(status, &show(world, call, collection)))
}

pub(super) fn show(world: &World, call: &Call, collection: &Collection) -> CollectionBody {
    let source_location = match &collection.source {
        // The provider's casing survives only where the source is a machine.
        Source::Machine(_) => provider_region(&collection.source_region).to_owned(),
        Source::Collection(_) => plain_region(&collection.source_region),
    };
    let plain = world.settings.quirks.plain_locations;
    let location = if plain { &collection.region } else { &collection.written_region };
    CollectionBody {
        name: collection.name.name.clone(),
        id: collection.name.id(&world.subscription),
        kind: "Microsoft.Compute/restorePointCollections",
        location: location.clone(),
        tags: collection.tags.clone(),
        properties: CollectionProperties {
            source: CollectionSource {
                location: source_location,
                id: collection.source_id.clone(),
            },
            restore_point_collection_id: collection.guid.clone(),
            restore_points: None,
            provisioning_state: "Succeeded",
            instant_access: collection
                .instant_access
                .filter(|_| versions::knows(&call.version, instant::SINCE)),
        },
    }
}

//! Creates a collection for the points of a virtual machine, or for copies of another collection's points.
//!
//! Creation is idempotent by the chosen id: what exists with the same content is returned.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::client::{Expand, PutOutcome};
use super::collections::Collections;
use super::dto;
use super::error_response::is_resource_group_missing;
use super::id::{
    ArmId, CollectionId, MAX_GROUP_NAME, MAX_NAME, eq_ignore_case, is_new_name, normalized_region,
    quoted,
};
use super::map::CollectionIdentity;
use crate::backend::WriteMode;
use crate::model::{Collection, CollectionName, Error, InvalidKind, NewCollection};

/// In characters. The longest region so far has 18.
const MAX_REGION: usize = 64;
/// In bytes: an ARM id of the longest possible names.
const MAX_ARM_ID: usize = 1024;

const LOCATION: &str = "collection.location";
const SOURCE: &str = "collection.source";

/// A [`NewCollection`], checked as far as possible without a request.
struct Spec<'a> {
    id: CollectionId,
    region: String,
    /// ARM id.
    source: String,
    labels: &'a BTreeMap<String, String>,
    request_id: Option<Uuid>,
}

/// Creates a collection, or returns the existing one if it has the same content.
///
/// # Errors
/// INVALID_ARGUMENT; [`Error::AlreadyExists`] if it exists with other content; [`Error::FailedPrecondition`] with the
/// violated rule; those of the vendor.
pub(super) async fn create_collection(
    collections: &Collections,
    new: &NewCollection,
    mode: WriteMode,
) -> Result<Collection, Error> {
    let spec = check(collections, new)?;
    if let Some(existing) = find_existing(collections, &spec).await? {
        return Ok(existing);
    }
    let source = check_source_collection(collections, &spec).await?;
    match mode {
        WriteMode::ValidateOnly => Ok(preview(collections, &spec, source.as_ref())),
        WriteMode::Execute => put(collections, &spec).await,
    }
}

fn check<'a>(collections: &Collections, new: &'a NewCollection) -> Result<Spec<'a>, Error> {
    let id = CollectionId::parse(&new.id, "collection_id")?;
    if !is_new_name(&id.group, MAX_GROUP_NAME) || !is_new_name(&id.name, MAX_NAME) {
        let problem = format!(
            "invalid id {}: expected letters, digits, `-`, `_` and `.` in both parts of \
             `{{resource_group}}~{{collection}}`",
            quoted(&new.id)
        );
        return Err(Error::invalid(InvalidKind::Name, "collection_id", problem));
    }
    let region = normalized_region(&new.location);
    if region.is_empty() {
        let problem = "required: the region of the points, e.g. `westeurope`";
        return Err(Error::invalid(InvalidKind::Value, LOCATION, problem));
    }
    if region.len() > MAX_REGION || !region.chars().all(|c| c.is_ascii_alphanumeric()) {
        let problem = format!(
            "invalid region {}: expected e.g. `westeurope` or `West Europe`",
            quoted(&new.location)
        );
        return Err(Error::invalid(InvalidKind::Value, LOCATION, problem));
    }
    let source = check_source(collections, &new.source)?;
    Ok(Spec { id, region, source, labels: &new.labels, request_id: new.request_id })
}

/// The ARM id of a source, which is given as such or as the name of a collection.
fn check_source(collections: &Collections, source: &str) -> Result<String, Error> {
    let scope = &collections.arm.scope;
    let invalid = |problem: String| Err(Error::invalid(InvalidKind::Value, SOURCE, problem));
    if source.is_empty() {
        return invalid(
            "required: the ARM id of a virtual machine, or the name of a collection".to_owned(),
        );
    }
    if source.len() > MAX_ARM_ID {
        return invalid(format!("longer than {MAX_ARM_ID} bytes"));
    }
    if source.starts_with('/') {
        return match ArmId::parse(source, scope) {
            ArmId::VirtualMachine(_) | ArmId::Collection(_) | ArmId::ForeignCollection => {
                Ok(source.to_owned())
            }
            ArmId::Point(_) | ArmId::DiskEncryptionSet | ArmId::Other => invalid(format!(
                "invalid ARM id {}: expected that of a virtual machine or of a restore point collection",
                quoted(source)
            )),
        };
    }
    let Ok(CollectionName { backend, collection }) = CollectionName::parse(source, SOURCE) else {
        return invalid(format!(
            "invalid value {}: expected an ARM id or the name of a collection",
            quoted(source)
        ));
    };
    if backend != scope.backend {
        return invalid(format!(
            "invalid value {}: expected a collection of {}, since a backend copies its own points only",
            quoted(source),
            scope.backend
        ));
    }
    match CollectionId::parse(&collection, SOURCE) {
        Ok(id) => Ok(id.to_arm_id(scope)),
        Err(_) => invalid(format!(
            "invalid value {}: expected `{{resource_group}}~{{collection}}` as its last segment",
            quoted(source)
        )),
    }
}

/// The collection if it exists with the same content.
async fn find_existing(
    collections: &Collections,
    spec: &Spec<'_>,
) -> Result<Option<Collection>, Error> {
    match collections.read(&spec.id).await {
        Ok((identity, dto)) => check_same(collections, spec, &identity, dto).map(Some),
        Err(error) if is_resource_group_missing(&error, &spec.id.group) => {
            Err(missing_group(&spec.id.group))
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn missing_group(group: &str) -> Error {
    Error::FailedPrecondition {
        rule: "RESOURCE_GROUP_NOT_FOUND",
        subject: format!("resource group {group}"),
        description: format!(
            "the resource group `{group}` does not exist; create it in Azure first, or choose another \
             `collection_id`: `{{resource_group}}~{{collection}}`"
        ),
    }
}

/// Passes if a collection has the requested content. It may have more labels: policies of a subscription add tags to
/// whatever is created, and a retry must still succeed.
fn check_same(
    collections: &Collections,
    spec: &Spec<'_>,
    identity: &CollectionIdentity,
    dto: dto::Collection,
) -> Result<Collection, Error> {
    let existing = collections.to_model(dto)?;
    let missing = spec.labels.iter().find(|(key, value)| {
        !existing
            .labels
            .iter()
            .any(|(other_key, other)| eq_ignore_case(key, other_key) && *value == other)
    });
    let difference = if identity.region != spec.region {
        format!("its location is {}", identity.region)
    } else if !eq_ignore_case(&identity.source, &spec.source) {
        format!("its source is {}", existing.source)
    } else if let Some((key, _)) = missing {
        format!("its label `{key}` has another value or none")
    } else {
        return Ok(existing);
    };
    Err(Error::AlreadyExists { name: existing.name.to_string(), difference })
}

/// The source, if it is a collection of this subscription.
async fn check_source_collection(
    collections: &Collections,
    spec: &Spec<'_>,
) -> Result<Option<CollectionIdentity>, Error> {
    let scope = &collections.arm.scope;
    let ArmId::Collection(id) = ArmId::parse(&spec.source, scope) else { return Ok(None) };
    let (source, _) = collections.read(&id).await.map_err(|error| error.in_field(SOURCE))?;
    if source.region == spec.region {
        return Err(Error::FailedPrecondition {
            rule: "SAME_REGION",
            subject: source.id.to_name(scope).to_string(),
            description: format!(
                "the source is in {} too; ARM copies to another region only",
                source.region
            ),
        });
    }
    Ok(Some(source))
}

async fn put(collections: &Collections, spec: &Spec<'_>) -> Result<Collection, Error> {
    let arm = &collections.arm;
    let source = dto::SubResource { id: spec.source.clone() };
    let properties = dto::NewCollectionProperties { source };
    let body = dto::NewCollection { location: &spec.region, tags: spec.labels, properties };
    let url = arm.url(&spec.id.path(&arm.scope), Expand::Nothing);
    let find_existing = || find_existing(collections, spec);
    let response = match arm.put(&url, &body, spec.request_id, find_existing).await? {
        PutOutcome::Accepted(response) => response,
        PutOutcome::Existing(existing) => return Ok(existing),
        PutOutcome::Rejected(response) => {
            let name = spec.id.to_name(&arm.scope).to_string();
            return Err(match response.into_write_error(arm.scope.backend.as_str(), &name) {
                // It was deleted since the look for the collection.
                error if is_resource_group_missing(&error, &spec.id.group) => {
                    missing_group(&spec.id.group)
                }
                // The resource group exists, so it is the source that does not.
                Error::NotFound { detail, .. } => {
                    let (name, field) = (spec.source.clone(), Some(SOURCE.to_owned()));
                    Error::NotFound { name, field, detail }
                }
                error => error,
            });
        }
    };
    let (identity, dto) = match dto::decode::<dto::Collection>(&response.body) {
        Ok(dto) => (collections.cache_identity(&dto)?, dto),
        // It is accepted, whatever the body.
        Err(_) => {
            let read = collections.read(&spec.id).await;
            read.map_err(|error| arm.read_after_put_error(error))?
        }
    };
    check_same(collections, spec, &identity, dto)
}

/// The collection as it would be created.
fn preview(
    collections: &Collections,
    spec: &Spec<'_>,
    source: Option<&CollectionIdentity>,
) -> Collection {
    let scope = &collections.arm.scope;
    let vendor_id = spec.id.to_arm_id(scope);
    let source_name = source.map(|source| source.id.to_name(scope).to_string());
    Collection {
        name: spec.id.to_name(scope),
        uid: vendor_id.to_lowercase(),
        vendor_id,
        display_name: spec.id.name.clone(),
        location: spec.region.clone(),
        source: source_name.unwrap_or_else(|| spec.source.clone()),
        source_vendor_id: spec.source.clone(),
        source_location: source.map(|source| source.region.clone()).unwrap_or_default(),
        labels: spec.labels.clone(),
        create_time: None,
        platform: String::new(),
        instant_access: None,
        provisioning_state: String::new(),
    }
}

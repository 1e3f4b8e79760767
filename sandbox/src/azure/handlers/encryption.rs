//! How a request chooses the encryption of each disk, and how disk encryption sets appear in responses.

use crate::azure::api_version;
use crate::azure::call::Call;
use crate::azure::dto::format::with_upper_group;
use crate::azure::dto::id::Id;
use crate::azure::dto::point::{EncryptionRequest, PointRequestProperties};
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::encryption::{
    CUSTOMER, Encryption, EncryptionChoices, KeyVault, PLATFORM, PLATFORM_AND_CUSTOMER,
};
use crate::azure::model::subscription::Subscription;
use crate::azure::operation_error::OperationError;
use crate::azure::resource_path::{ResourcePath, Route};
use crate::azure::settings::Quirks;

/// The api-version of the compute provider that introduced the choice; earlier ones ignore it.
const FIRST_API_VERSION: &str = "2023-03-01";

/// Reads the choices of a request for a point in `region` with these disks of the machine. Each disk comes
/// with the id that the request has to use for it.
pub(crate) fn choices(
    subscription: &Subscription,
    call: &Call,
    request: &PointRequestProperties,
    region: &str,
    disks: &[(usize, String)],
) -> Result<EncryptionChoices, ErrorResponse> {
    let mut choices = EncryptionChoices::default();
    let supported = api_version::supports(&call.api_version, FIRST_API_VERSION);
    let Some(storage) = request.storage_profile().filter(|_| supported) else {
        return Ok(choices);
    };
    for entry in storage.os_disk.iter().chain(storage.data_disks.iter().flatten()) {
        let is_meant = |(_, id): &&(usize, String)| {
            entry.id().is_some_and(|given| given.eq_ignore_ascii_case(id))
        };
        let Some((disk, _)) = disks.iter().find(is_meant) else {
            let message = "The storageProfile names a disk that is no part of the restore point.";
            return Err(ErrorResponse::invalid_parameter("storageProfile", message));
        };
        let point = entry.disk_restore_point.as_ref();
        if let Some(requested) = point.and_then(|point| point.encryption.as_ref()) {
            choices.insert(*disk, choice(subscription, requested, region)?);
        }
    }
    Ok(choices)
}

fn choice(
    subscription: &Subscription,
    requested: &EncryptionRequest,
    region: &str,
) -> Result<Encryption, ErrorResponse> {
    let is = |kind: &str| requested.kind.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(kind));
    match &requested.disk_encryption_set {
        Some(Id { id }) if requested.kind.is_none() || is(CUSTOMER) => {
            Ok(Encryption::Customer(set(subscription, id, region)?))
        }
        Some(Id { id }) if is(PLATFORM_AND_CUSTOMER) => {
            Ok(Encryption::PlatformAndCustomer(set(subscription, id, region)?))
        }
        None if requested.kind.is_none() || is(PLATFORM) => Ok(Encryption::Platform),
        _ => {
            let message = "The encryption type and the disk encryption set do not go together.";
            Err(ErrorResponse::invalid_parameter("encryption", message))
        }
    }
}

/// A set by its id. It must be in the region of the point.
fn set(subscription: &Subscription, id: &str, region: &str) -> Result<String, ErrorResponse> {
    let Route::EncryptionSet { group, name } = ResourcePath::parse(id).route else {
        let message = "The value of parameter diskEncryptionSet.id is invalid.";
        return Err(ErrorResponse::invalid_parameter("diskEncryptionSet.id", message));
    };
    let known = subscription
        .encryption_sets
        .iter()
        .find(|one| one.group.eq_ignore_ascii_case(&group) && one.name.eq_ignore_ascii_case(&name));
    let Some(known) = known else {
        return Err(ErrorResponse::resource_not_found("diskEncryptionSets", &group, &name));
    };
    if known.region != region {
        let message = format!(
            "The disk encryption set '{name}' is in region '{}', the restore point in '{region}'.",
            known.region
        );
        return Err(ErrorResponse::invalid_parameter("diskEncryptionSet.id", &message));
    }
    Ok(known.id.clone())
}

/// A deleted key vault fails the operation, not the request.
pub(crate) fn operation_error(
    subscription: &Subscription,
    choices: &EncryptionChoices,
) -> Option<OperationError> {
    let has_no_key = |id: &str| {
        let mut sets = subscription.encryption_sets.iter();
        sets.any(|set| set.id == id && set.key_vault == KeyVault::Deleted)
    };
    choices.all().filter_map(Encryption::set_id).find(|id| has_no_key(id)).map(|id| {
        OperationError {
            code: "DiskRestorePointClientError".into(),
            message: format!("The key vault of the disk encryption set '{id}' was not found."),
        }
    })
}

/// The id of a set in a response.
pub(crate) fn shown_set_id(id: &str, quirks: &Quirks) -> String {
    if quirks.upper_case_encryption_sets { with_upper_group(id) } else { id.to_owned() }
}

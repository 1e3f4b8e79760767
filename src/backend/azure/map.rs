//! Maps ARM's collections and points to the model. The state of a point is decided in [`super::status`].
//!
//! Errors are texts that name what is inconsistent in a response; they quote times only.

use jiff::Timestamp;
use serde_json::Value;

use super::dto;
use super::id::{ArmId, CollectionId, PointId, Scope, eq_ignore_case, normalized_region};
use super::replication::{instant_access_state, replication_code};
use super::snapshot_access;
use super::status::{DataEvidence, DiskStatus, PointDisks, PointStatus, point_status};
use crate::model::{
    AzureDiskProperties, AzureProperties, Collection, Consistency, Disk, DiskVendorProperties,
    PointFailure, RestorePoint, Source, State, VendorProperties, View,
};

/// The failure of a point whose operation is unknown to this process.
const UNKNOWN_REASON: &str =
    "ARM reports the reason of a failure by the operation only, and its handle is not known here";

/// What never changes about a collection while it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollectionIdentity {
    /// Spelled as ARM spells it.
    pub(super) id: CollectionId,
    /// The region of its points.
    pub(super) region: String,
    /// ARM id of the virtual machine of its points, or of the collection that they are copied from.
    pub(super) source: String,
    /// The name of the virtual machine; empty while it is unknown.
    pub(super) vm_name: String,
}

/// The identity of a collection.
///
/// # Errors
/// When it does not belong to this subscription, or its id and name differ.
pub(super) fn collection_identity(
    scope: &Scope,
    dto: &dto::Collection,
) -> Result<CollectionIdentity, String> {
    let ArmId::Collection(id) = ArmId::parse(&dto.id, scope) else {
        return Err("the id of a collection does not belong to this subscription".to_owned());
    };
    if !eq_ignore_case(&id.name, &dto.name) {
        return Err("the id and the name of a collection differ".to_owned());
    }
    let source = dto.properties.source.id.clone();
    let vm_name = match ArmId::parse(&source, scope) {
        ArmId::VirtualMachine(name) => name,
        _ => String::new(),
    };
    Ok(CollectionIdentity {
        id: CollectionId { name: dto.name.clone(), ..id },
        region: normalized_region(&dto.location),
        source,
        vm_name,
    })
}

/// A collection in the model.
///
/// # Errors
/// As [`collection_identity`].
pub(super) fn collection(scope: &Scope, dto: dto::Collection) -> Result<Collection, String> {
    let CollectionIdentity { id, region, source: source_vendor_id, .. } =
        collection_identity(scope, &dto)?;
    let source = match ArmId::parse(&source_vendor_id, scope) {
        ArmId::Collection(source) => source.to_name(scope).to_string(),
        _ => source_vendor_id.clone(),
    };
    let source_location = dto.properties.source.location.as_deref().map(normalized_region);
    Ok(Collection {
        name: id.to_name(scope),
        uid: dto.id.to_lowercase(),
        vendor_id: dto.id,
        display_name: dto.name,
        location: region,
        source,
        source_vendor_id,
        source_location: source_location.unwrap_or_default(),
        labels: dto.tags.unwrap_or_default(),
        create_time: None,
        platform: String::new(),
        instant_access: dto.properties.instant_access,
        provisioning_state: dto.properties.provisioning_state.unwrap_or_default(),
    })
}

/// A point of `collection` in the model.
///
/// # Errors
/// When it does not belong to the collection, or a time or number is invalid.
pub(super) fn point(
    scope: &Scope,
    collection: &CollectionIdentity,
    dto: &dto::RestorePoint,
    evidence: DataEvidence<'_>,
    view: View,
) -> Result<RestorePoint, String> {
    let id = point_id(scope, collection, dto)?;
    let status = point_status(dto, &collection.region, evidence);
    let properties = &dto.properties;
    let metadata = properties.source_metadata.as_ref();
    let vm_region = metadata.and_then(|m| m.location.as_deref()).map(normalized_region);
    let source = Source {
        vm_name: collection.vm_name.clone(),
        vm_uid: metadata.and_then(|metadata| metadata.vm_id.clone()).unwrap_or_default(),
        location: vm_region.unwrap_or_default(),
    };
    let copied_from = dto.copied_from().map(|id| ArmId::parse(id, scope));
    Ok(RestorePoint {
        name: id.to_name(scope),
        uid: dto.id.to_lowercase(),
        vendor_id: dto.id.clone(),
        display_name: dto.name.clone(),
        state: status.state,
        other_uses: status.other_uses,
        state_reason: status.reason.clone(),
        point_time: properties.time_created.as_deref().map(time).transpose()?,
        source,
        location: collection.region.clone(),
        consistency: consistency(properties.consistency_mode.as_deref()),
        source_restore_point: match copied_from {
            Some(ArmId::Point(source)) => Some(source.to_name(scope)),
            _ => None,
        },
        copy_progress_percent: status.percent,
        disks: disks(dto, &status, evidence, view)?,
        failure: failure(&status),
        vendor: VendorProperties::Azure(azure_properties(dto, evidence, view)?),
        raw: None,
    })
}

fn point_id(
    scope: &Scope,
    collection: &CollectionIdentity,
    dto: &dto::RestorePoint,
) -> Result<PointId, String> {
    let ArmId::Point(id) = ArmId::parse(&dto.id, scope) else {
        return Err("the id of a restore point does not belong to this subscription".to_owned());
    };
    if id.collection.key() != collection.id.key() || !eq_ignore_case(&id.name, &dto.name) {
        return Err("the id of a restore point differs from its name or collection".to_owned());
    }
    Ok(PointId { collection: collection.id.clone(), name: dto.name.clone() })
}

/// ARM sends up to seven fraction digits and any offset.
fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        let quoted: String = text.chars().take(40).collect();
        format!("invalid timeCreated `{quoted}`: expected a time with an offset")
    })
}

fn consistency(mode: Option<&str>) -> Consistency {
    match mode {
        None => Consistency::Unspecified,
        Some(mode) if eq_ignore_case(mode, "CrashConsistent") => Consistency::Crash,
        Some(mode) if eq_ignore_case(mode, "FileSystemConsistent") => Consistency::FileSystem,
        Some(mode) if eq_ignore_case(mode, "ApplicationConsistent") => Consistency::Application,
        Some(_) => Consistency::Unknown,
    }
}

fn failure(status: &PointStatus) -> Option<PointFailure> {
    let unknown = || PointFailure { code: String::new(), message: UNKNOWN_REASON.to_owned() };
    (status.state == State::Failed).then(|| status.failure.clone().unwrap_or_else(unknown))
}

fn disks(
    point: &dto::RestorePoint,
    status: &PointStatus,
    evidence: DataEvidence<'_>,
    view: View,
) -> Result<Vec<Disk>, String> {
    let to_disk = |(dto, status): (&dto::Disk, &DiskStatus)| {
        let access_state = match view {
            View::Basic => "",
            View::Full | View::Raw => {
                snapshot_access::shown_state(dto, point, evidence.provider_disks())
            }
        };
        disk(dto, access_state, *status, view)
    };
    PointDisks::of(point).included.into_iter().zip(&status.disks).map(to_disk).collect()
}

fn disk(
    dto: &dto::Disk,
    access_state: &str,
    status: DiskStatus,
    view: View,
) -> Result<Disk, String> {
    let point = dto.disk_restore_point.as_ref();
    let source = point.and_then(|point| point.source_disk_restore_point.as_ref());
    Ok(Disk {
        name: dto.name.clone().unwrap_or_default(),
        vendor_id: point.and_then(|point| point.id.clone()).unwrap_or_default(),
        lun: dto.lun.map(|lun| non_negative(lun, "lun")).transpose()?,
        size_gib: dto.disk_size_gb.map_or(Ok(0), |size| non_negative(size, "diskSizeGB"))?,
        state: status.state,
        progress_percent: status.percent.filter(|_| view != View::Basic),
        source_vendor_id: source.map(|source| source.id.clone()).unwrap_or_default(),
        vendor: Some(DiskVendorProperties::Azure(azure_disk_properties(dto, access_state))),
    })
}

fn azure_disk_properties(dto: &dto::Disk, access_state: &str) -> AzureDiskProperties {
    let managed = dto.managed_disk.as_ref();
    let point = dto.disk_restore_point.as_ref();
    let encryption = point.and_then(|point| point.encryption.as_ref());
    let set = encryption.and_then(|encryption| encryption.disk_encryption_set.as_ref());
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    AzureDiskProperties {
        managed_disk_id: text(managed.and_then(|managed| managed.id.as_ref())),
        storage_account_type: text(managed.and_then(|m| m.storage_account_type.as_ref())),
        encryption_type: text(encryption.and_then(|encryption| encryption.kind.as_ref())),
        disk_encryption_set_id: text(set.map(|set| &set.id)),
        snapshot_access_state: access_state.to_owned(),
    }
}

fn azure_properties(
    dto: &dto::RestorePoint,
    evidence: DataEvidence<'_>,
    view: View,
) -> Result<AzureProperties, String> {
    let properties = &dto.properties;
    let metadata = properties.source_metadata.as_ref();
    let hardware = metadata.and_then(|metadata| metadata.hardware_profile.as_ref());
    let security = metadata.and_then(|metadata| metadata.security_profile.as_ref());
    let PointDisks { included, excluded } = PointDisks::of(dto);
    let mut encryption_types: Vec<String> = Vec::new();
    for disk in included.iter().filter_map(|disk| disk.disk_restore_point.as_ref()) {
        let kind = disk.encryption.as_ref().and_then(|encryption| encryption.kind.clone());
        encryption_types.extend(kind.filter(|kind| !encryption_types.contains(kind)));
    }
    let minutes = properties.instant_access_duration_minutes;
    let access = [&properties.instant_access_state, &properties.instant_access_status];
    Ok(AzureProperties {
        provisioning_state: properties.provisioning_state.clone().unwrap_or_default(),
        consistency_mode: properties.consistency_mode.clone().unwrap_or_default(),
        replication_code: match evidence {
            DataEvidence::Cached(complete) => complete.replication_code.clone(),
            DataEvidence::Reported(_) => replication_code(dto),
        },
        vm_size: hardware.and_then(|hardware| hardware.vm_size.clone()).unwrap_or_default(),
        hyper_v_generation: metadata
            .and_then(|metadata| metadata.hyper_v_generation.clone())
            .unwrap_or_default(),
        os_type: dto.vm_disks().find_map(|disk| disk.os_type.clone()).unwrap_or_default(),
        source_restore_point_id: dto.copied_from().unwrap_or_default().to_owned(),
        encryption_types,
        instant_access_duration_minutes: minutes
            .map(|minutes| non_negative(minutes, "instantAccessDurationMinutes"))
            .transpose()?,
        instant_access_state: instant_access_state(dto)
            .or_else(|| access.into_iter().flatten().next().map(text_or_json))
            .filter(|_| view != View::Basic)
            .unwrap_or_default(),
        security_type: security.and_then(|s| s.security_type.clone()).unwrap_or_default(),
        excluded_disks: excluded.iter().filter_map(|disk| disk.name.clone()).collect(),
    })
}

fn non_negative<T: TryFrom<u64>>(number: dto::LenientInteger, member: &str) -> Result<T, String> {
    let number = u64::try_from(number.0).ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("{member} is out of range"))
}

/// The text of a member that may not be text: no recording has it.
fn text_or_json(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;

//! Theirs to ours: collections and points, but for the state of a point, which is [`super::state`]'s.
//!
//! Errors in here are texts that say what makes no sense in an answer; they quote ids and times only.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::id::{ArmId, CollectionId, PointId, region, same};
use super::state::{Arrival, DiskStanding, Disks, Provisioning, Standing, standing};
use super::wire;
use crate::model::{
    AzureDiskProperties, AzureProperties, BackendId, Collection, Consistency, Disk,
    DiskVendorProperties, PointFailure, RestorePoint, Source, State, VendorProperties, View,
};

/// Said of a failure when nobody holds the handle of the operation any more.
const NO_REASON: &str = "ARM keeps the reason of a failure in the operation only, and the handle of \
                         that is not known here";

/// What never changes about a collection while it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    /// Spelled as the collection itself does, whatever a caller wrote.
    pub(super) id: CollectionId,
    /// Where its points lie.
    pub(super) region: String,
    /// ARM id of what its points are taken of.
    pub(super) source: String,
}

/// Whose ids are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) backend: &'a BackendId,
    pub(super) subscription: &'a str,
}

/// What never changes about a collection; checks that the answer is about one of this subscription.
pub(super) fn home(scope: Scope<'_>, wire: &wire::Collection) -> Result<Home, String> {
    let ArmId::Collection(id) = ArmId::parse(&wire.id, scope.subscription) else {
        return Err("a collection's id is none of this subscription".to_owned());
    };
    if !same(&id.name, &wire.name) {
        return Err("a collection's id and name disagree".to_owned());
    }
    Ok(Home {
        id: CollectionId { name: wire.name.clone(), ..id },
        region: region(&wire.location),
        source: wire.properties.source.id.clone(),
    })
}

/// A collection as callers see it.
pub(super) fn collection(scope: Scope<'_>, wire: wire::Collection) -> Result<Collection, String> {
    let Home { id, region: location, source } = home(scope, &wire)?;
    let source = match ArmId::parse(&source, scope.subscription) {
        ArmId::Collection(from) => from.collection_name(scope.backend).to_string(),
        _ => source,
    };
    let source_location = wire.properties.source.location.as_deref().map(region);
    Ok(Collection {
        name: id.collection_name(scope.backend),
        uid: wire.id.to_lowercase(),
        vendor_id: wire.id,
        display_name: wire.name,
        location,
        source,
        source_location: source_location.unwrap_or_default(),
        labels: wire.tags.unwrap_or_default(),
        create_time: None,
        platform: String::new(),
        instant_access: wire.properties.instant_access,
    })
}

/// A point of the collection `home` as callers see it.
pub(super) fn point(
    scope: Scope<'_>,
    home: &Home,
    wire: &wire::Point,
    arrival: Arrival<'_>,
    view: View,
) -> Result<RestorePoint, String> {
    let id = identity(scope, home, wire)?;
    let standing = standing(wire, arrival);
    let properties = &wire.properties;
    let metadata = properties.source_metadata.as_ref();
    let source = Source {
        vm_name: match ArmId::parse(&home.source, scope.subscription) {
            ArmId::Machine(name) => name,
            _ => String::new(),
        },
        vm_uid: metadata.and_then(|metadata| metadata.vm_id.clone()).unwrap_or_default(),
        location: metadata.and_then(|m| m.location.as_deref()).map(region).unwrap_or_default(),
    };
    let copied_from = wire.copied_from().map(|id| ArmId::parse(id, scope.subscription));
    Ok(RestorePoint {
        name: id.point_name(scope.backend),
        uid: wire.id.to_lowercase(),
        vendor_id: wire.id.clone(),
        display_name: wire.name.clone(),
        state: standing.state,
        state_reason: standing.reason.clone(),
        point_time: properties.time_created.as_deref().map(time).transpose()?,
        source,
        location: home.region.clone(),
        consistency: consistency(properties.consistency_mode.as_deref()),
        source_restore_point: match copied_from {
            Some(ArmId::Point(source)) => Some(source.point_name(scope.backend)),
            _ => None,
        },
        copy_progress_percent: standing.percent,
        disks: disks(wire, &standing, view)?,
        failure: failure(&standing),
        vendor: VendorProperties::Azure(vendor(wire, arrival)?),
        raw: None,
    })
}

fn identity(scope: Scope<'_>, home: &Home, wire: &wire::Point) -> Result<PointId, String> {
    let ArmId::Point(id) = ArmId::parse(&wire.id, scope.subscription) else {
        return Err("a restore point's id is none of this subscription".to_owned());
    };
    if id.collection.key() != home.id.key() || !same(&id.name, &wire.name) {
        return Err("a restore point's id, its name and its collection disagree".to_owned());
    }
    Ok(PointId { collection: home.id.clone(), name: wire.name.clone() })
}

/// Up to seven fraction digits, any offset.
fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        format!("timeCreated is `{shown}`, which is no time with an offset")
    })
}

fn consistency(mode: Option<&str>) -> Consistency {
    match mode {
        None => Consistency::Unspecified,
        Some(mode) if same(mode, "CrashConsistent") => Consistency::Crash,
        Some(mode) if same(mode, "FileSystemConsistent") => Consistency::FileSystem,
        Some(mode) if same(mode, "ApplicationConsistent") => Consistency::Application,
        Some(_) => Consistency::Unknown,
    }
}

fn disks(wire: &wire::Point, standing: &Standing, view: View) -> Result<Vec<Disk>, String> {
    let entries = wire.entries().filter(|_| view != View::Basic).unwrap_or_default();
    Disks::of(wire)
        .held
        .into_iter()
        .zip(&standing.disks)
        .map(|(wire, standing)| disk(wire, entries, *standing, view))
        .collect()
}

fn disk(
    wire: &wire::Disk,
    entries: &[wire::DiskInstance],
    standing: DiskStanding,
    view: View,
) -> Result<Disk, String> {
    let point = wire.disk_restore_point.as_ref();
    let source = point.and_then(|point| point.source_disk_restore_point.as_ref());
    Ok(Disk {
        name: wire.name.clone().unwrap_or_default(),
        vendor_id: point.and_then(|point| point.id.clone()).unwrap_or_default(),
        lun: wire.lun.map(|lun| counted(lun, "lun")).transpose()?,
        size_gib: wire.disk_size_gb.map_or(Ok(0), |size| counted(size, "diskSizeGB"))?,
        state: standing.state,
        progress_percent: standing.percent.filter(|_| view != View::Basic),
        source_vendor_id: source.map(|source| source.id.clone()).unwrap_or_default(),
        vendor: Some(DiskVendorProperties::Azure(azure_disk(wire, entries))),
    })
}

fn azure_disk(wire: &wire::Disk, entries: &[wire::DiskInstance]) -> AzureDiskProperties {
    let managed = wire.managed_disk.as_ref();
    let point = wire.disk_restore_point.as_ref();
    let encryption = point.and_then(|point| point.encryption.as_ref());
    let set = encryption.and_then(|encryption| encryption.disk_encryption_set.as_ref());
    let entry = wire.point_id().and_then(|id| {
        entries.iter().find(|entry| entry.id.as_deref().is_some_and(|other| same(other, id)))
    });
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    AzureDiskProperties {
        managed_disk_id: text(managed.and_then(|managed| managed.id.as_ref())),
        storage_account_type: text(managed.and_then(|m| m.storage_account_type.as_ref())),
        encryption_type: text(encryption.and_then(|encryption| encryption.kind.as_ref())),
        disk_encryption_set_id: text(set.map(|set| &set.id)),
        snapshot_access_state: text(entry.and_then(|entry| entry.snapshot_access_state.as_ref())),
    }
}

fn counted<T: TryFrom<u64>>(number: wire::Number, member: &str) -> Result<T, String> {
    let counted = u64::try_from(number.0).ok().and_then(|number| T::try_from(number).ok());
    counted.ok_or_else(|| format!("{member} is out of range"))
}

fn failure(standing: &Standing) -> Option<PointFailure> {
    let unknown = || PointFailure { code: String::new(), message: NO_REASON.to_owned() };
    (standing.state == State::Failed).then(|| standing.failure.clone().unwrap_or_else(unknown))
}

fn vendor(wire: &wire::Point, arrival: Arrival<'_>) -> Result<AzureProperties, String> {
    let properties = &wire.properties;
    let metadata = properties.source_metadata.as_ref();
    let hardware = metadata.and_then(|metadata| metadata.hardware_profile.as_ref());
    let replication_code = match arrival {
        Arrival::Seen(code) => code.to_owned(),
        Arrival::Told(_) => replication_code(wire),
    };
    let Disks { held, left_out } = Disks::of(wire);
    let mut encryption_types: Vec<String> = Vec::new();
    for disk in held.iter().filter_map(|disk| disk.disk_restore_point.as_ref()) {
        let kind = disk.encryption.as_ref().and_then(|encryption| encryption.kind.clone());
        encryption_types.extend(kind.filter(|kind| !encryption_types.contains(kind)));
    }
    let minutes = properties.instant_access_duration_minutes;
    let security = metadata.and_then(|metadata| metadata.security_profile.as_ref());
    let access = [&properties.instant_access_state, &properties.instant_access_status];
    Ok(AzureProperties {
        provisioning_state: properties.provisioning_state.clone().unwrap_or_default(),
        consistency_mode: properties.consistency_mode.clone().unwrap_or_default(),
        replication_code,
        vm_size: hardware.and_then(|hardware| hardware.vm_size.clone()).unwrap_or_default(),
        hyper_v_generation: metadata
            .and_then(|metadata| metadata.hyper_v_generation.clone())
            .unwrap_or_default(),
        os_type: wire.machine_disks().find_map(|disk| disk.os_type.clone()).unwrap_or_default(),
        source_restore_point_id: wire.copied_from().unwrap_or_default().to_owned(),
        encryption_types,
        instant_access_duration_minutes: minutes
            .map(|minutes| counted(minutes, "instantAccessDurationMinutes"))
            .transpose()?,
        instant_access_state: access.into_iter().flatten().next().map(word).unwrap_or_default(),
        security_type: security.and_then(|s| s.security_type.clone()).unwrap_or_default(),
        excluded_disks: left_out.iter().filter_map(|disk| disk.name.clone()).collect(),
    })
}

/// A member whose shape was never seen, as text.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The aggregate code of the instance view, if it has one.
pub(super) fn replication_code(wire: &wire::Point) -> String {
    let view = wire.properties.instance_view.as_ref();
    let status = view.and_then(|view| view.statuses.as_ref()?.first());
    status.and_then(|status| status.code.clone()).unwrap_or_default()
}

/// Whether only an instance view can tell where the point stands.
pub(super) fn needs_instance_view(wire: &wire::Point) -> bool {
    wire.copied_from().is_some() && Provisioning::of(wire) == Provisioning::Succeeded
}

/// Whether the instance view tells something of the disks of a local point.
pub(super) fn has_instant_access(wire: &wire::Point) -> bool {
    wire.properties.instant_access_duration_minutes.is_some()
}

/// Whether the operation that made the point would know more of its failure.
pub(super) fn failed_in_operation(wire: &wire::Point) -> bool {
    Provisioning::of(wire) == Provisioning::Failed
}

/// What a copy is remembered by: the ids of its disk restore points, which are new for each copy. None
/// while it has none.
pub(super) fn fingerprint(wire: &wire::Point) -> Option<Uuid> {
    let ids: Vec<String> =
        wire.machine_disks().filter_map(|disk| Some(disk.point_id()?.to_lowercase())).collect();
    let all = ids.join("\n");
    (!ids.is_empty()).then(|| Uuid::new_v5(&Uuid::NAMESPACE_URL, all.as_bytes()))
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;

//! From the model to the messages of the contract. Nothing is decided here.

use jiff::Timestamp;

use crate::model::{
    AzureDiskProperties, AzureProperties, BackendKind, Capabilities, Collection, Consistency, Disk,
    DiskVendorProperties, Error, InvalidKind, RestorePoint, State, Support, Use, VeeamPointKind,
    VeeamProperties, VendorProperties, View,
};
use crate::proto;
use crate::proto::restore_point as pb;
use crate::proto::watch_status_response as watch_pb;
use crate::status;
use crate::watch::{Event, EventKind, EventType};

pub(crate) fn restore_point(point: RestorePoint) -> proto::RestorePoint {
    let usable_for = point.usable_for().map(|allowed| usage(allowed).into()).collect();
    proto::RestorePoint {
        name: point.name.to_string(),
        uid: point.uid,
        vendor_id: point.vendor_id,
        display_name: point.display_name,
        state: state(point.state).into(),
        state_reason: point.state_reason,
        usable: point.state.is_usable(),
        usable_for,
        point_time: point.point_time.map(timestamp),
        source: Some(pb::Source {
            vm_name: point.source.vm_name,
            vm_uid: point.source.vm_uid,
            location: point.source.location,
        }),
        location: point.location,
        consistency: consistency(point.consistency).into(),
        source_restore_point: point
            .source_restore_point
            .map(|name| name.to_string())
            .unwrap_or_default(),
        copy_progress_percent: point.copy_progress_percent,
        disks: point.disks.into_iter().map(disk).collect(),
        error: point.failure.as_ref().map(status::of_failed_point),
        vendor: Some(vendor(point.vendor)),
        raw: point
            .raw
            .map(|raw| pb::Raw { content_type: raw.content_type.to_owned(), body: raw.body }),
    }
}

pub(crate) fn collection(collection: Collection) -> proto::Collection {
    proto::Collection {
        name: collection.name.to_string(),
        uid: collection.uid,
        vendor_id: collection.vendor_id,
        display_name: collection.display_name,
        location: collection.location,
        source: collection.source,
        source_location: collection.source_location,
        labels: collection.labels.into_iter().collect(),
        create_time: collection.create_time.map(timestamp),
        platform: collection.platform,
        instant_access: collection.instant_access,
        provisioning_state: collection.provisioning_state,
        source_vendor_id: collection.source_vendor_id,
    }
}

pub(crate) fn backend_kind(kind: BackendKind) -> proto::backend::Kind {
    match kind {
        BackendKind::Azure => proto::backend::Kind::Azure,
        BackendKind::VeeamEnterpriseManager => proto::backend::Kind::VeeamEnterpriseManager,
    }
}

pub(crate) fn capabilities(capabilities: &Capabilities) -> proto::Capabilities {
    let is_supported = |support| support == Support::Supported;
    let Capabilities {
        create_collection,
        copy,
        get_without_collection,
        copy_progress,
        consistency,
        disks,
    } = *capabilities;
    proto::Capabilities {
        create_collection: is_supported(create_collection),
        copy: is_supported(copy),
        get_without_collection,
        copy_progress,
        consistency,
        disks,
    }
}

/// An event with the token that resumes after it.
pub(crate) fn watch_event(event: Event, resume_token: String) -> proto::WatchStatusResponse {
    let event_type = event_type(event.kind.event_type());
    let (name, point, error) = match event.kind {
        EventKind::Snapshot(point) | EventKind::Changed(point) => {
            let point = restore_point(RestorePoint::clone(&point));
            (point.name.clone(), Some(point), None)
        }
        EventKind::Deleted(name) | EventKind::Recovered(name) => (name, None, None),
        EventKind::Degraded(name, error) => (name, None, Some(Error::clone(&error))),
        EventKind::Synced | EventKind::Heartbeat | EventKind::Reset | EventKind::Draining => {
            (String::new(), None, None)
        }
    };
    proto::WatchStatusResponse {
        event: event_type.into(),
        name,
        restore_point: point,
        resume_token,
        observe_time: event.observe_time.map(timestamp),
        error: error.map(status::to_proto),
    }
}

pub(crate) fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    // Before 1970 the nanoseconds of a jiff timestamp count backwards, those of a protobuf one always forwards.
    let nanos = time.as_nanosecond();
    let second = 1_000_000_000;
    prost_types::Timestamp {
        seconds: i64::try_from(nanos.div_euclid(second)).unwrap_or_default(),
        nanos: i32::try_from(nanos.rem_euclid(second)).unwrap_or_default(),
    }
}

/// The view that a request selects, or `default`.
///
/// # Errors
/// INVALID_ARGUMENT on `view` for one that only a newer contract has.
pub(crate) fn view(requested: i32, default: View) -> Result<View, Error> {
    match pb::View::try_from(requested) {
        Ok(pb::View::Unspecified) => Ok(default),
        Ok(pb::View::Basic) => Ok(View::Basic),
        Ok(pb::View::Full) => Ok(View::Full),
        Ok(pb::View::Raw) => Ok(View::Raw),
        Err(_) => {
            let problem = format!("unknown value {requested}: expected BASIC, FULL or RAW");
            Err(Error::invalid(InvalidKind::Value, "view", problem))
        }
    }
}

fn disk(disk: Disk) -> pb::Disk {
    pb::Disk {
        name: disk.name,
        vendor_id: disk.vendor_id,
        lun: disk.lun,
        size_gib: disk.size_gib,
        state: state(disk.state).into(),
        progress_percent: disk.progress_percent,
        source_vendor_id: disk.source_vendor_id,
        vendor: disk.vendor.map(disk_vendor),
    }
}

fn disk_vendor(vendor: DiskVendorProperties) -> pb::disk::Vendor {
    let DiskVendorProperties::Azure(AzureDiskProperties {
        managed_disk_id,
        storage_account_type,
        encryption_type,
        disk_encryption_set_id,
        snapshot_access_state,
    }) = vendor;
    pb::disk::Vendor::Azure(proto::AzureDisk {
        managed_disk_id,
        storage_account_type,
        encryption_type,
        disk_encryption_set_id,
        snapshot_access_state,
    })
}

fn vendor(vendor: VendorProperties) -> pb::Vendor {
    match vendor {
        VendorProperties::Azure(azure) => pb::Vendor::Azure(azure_properties(azure)),
        VendorProperties::Veeam(veeam) => pb::Vendor::Veeam(veeam_properties(veeam)),
    }
}

fn azure_properties(azure: AzureProperties) -> proto::AzureProperties {
    proto::AzureProperties {
        provisioning_state: azure.provisioning_state,
        consistency_mode: azure.consistency_mode,
        replication_code: azure.replication_code,
        vm_size: azure.vm_size,
        hyper_v_generation: azure.hyper_v_generation,
        os_type: azure.os_type,
        source_restore_point_id: azure.source_restore_point_id,
        encryption_types: azure.encryption_types,
        instant_access_duration_minutes: azure.instant_access_duration_minutes,
        instant_access_state: azure.instant_access_state,
        security_type: azure.security_type,
        excluded_disks: azure.excluded_disks,
    }
}

fn veeam_properties(veeam: VeeamProperties) -> proto::VeeamProperties {
    use proto::veeam_properties::Kind;
    let kind = match veeam.kind {
        VeeamPointKind::CloudVmReplicaPoint => Kind::CloudVmReplicaPoint,
        VeeamPointKind::VmReplicaPoint => Kind::VmReplicaPoint,
        VeeamPointKind::VmRestorePoint => Kind::VmRestorePoint,
    };
    proto::VeeamProperties {
        kind: kind.into(),
        point_type: veeam.point_type,
        algorithm: veeam.algorithm,
        raw_state: veeam.raw_state,
        backup_server: veeam.backup_server,
        backup_server_uid: veeam.backup_server_uid,
        replica: veeam.replica,
        backup: veeam.backup,
        job_run: veeam.job_run,
        job_run_uid: veeam.job_run_uid,
        backup_file: veeam.backup_file,
        backup_file_uid: veeam.backup_file_uid,
        hierarchy_obj_ref: veeam.hierarchy_obj_ref,
    }
}

fn state(state: State) -> pb::State {
    match state {
        State::Creating => pb::State::Creating,
        State::Copying => pb::State::Copying,
        State::Ready => pb::State::Ready,
        State::InUse => pb::State::InUse,
        State::Retired => pb::State::Retired,
        State::Failed => pb::State::Failed,
        State::Deleting => pb::State::Deleting,
        State::Unknown => pb::State::Unknown,
    }
}

fn usage(usage: Use) -> pb::Use {
    match usage {
        Use::Restore => pb::Use::Restore,
        Use::Copy => pb::Use::Copy,
        Use::Export => pb::Use::Export,
    }
}

fn consistency(consistency: Consistency) -> pb::Consistency {
    match consistency {
        Consistency::Unspecified => pb::Consistency::Unspecified,
        Consistency::Crash => pb::Consistency::CrashConsistent,
        Consistency::FileSystem => pb::Consistency::FileSystemConsistent,
        Consistency::Application => pb::Consistency::ApplicationConsistent,
        Consistency::Unknown => pb::Consistency::UnknownConsistency,
    }
}

fn event_type(event: EventType) -> watch_pb::Event {
    match event {
        EventType::Snapshot => watch_pb::Event::Snapshot,
        EventType::Synced => watch_pb::Event::Synced,
        EventType::Changed => watch_pb::Event::Changed,
        EventType::Heartbeat => watch_pb::Event::Heartbeat,
        EventType::Deleted => watch_pb::Event::Deleted,
        EventType::Degraded => watch_pb::Event::Degraded,
        EventType::Recovered => watch_pb::Event::Recovered,
        EventType::Reset => watch_pb::Event::Reset,
        EventType::Draining => watch_pb::Event::Draining,
    }
}

//! The fingerprint of a point, by which a resume token records what a watcher has received.
//!
//! It is made of the model's fields and not of a message, and it is versioned: after an upgrade that adds a field, a
//! token of the release before is compared by the fingerprint of its own version, so that a watcher which resumes
//! receives CHANGED only for what has changed. `state_reason` follows from the other fields and is left out, so that
//! better words are no change; `raw` is never watched.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use crate::model::{
    AzureDiskProperties, AzureProperties, Disk, DiskVendorProperties, PointFailure, RestorePoint,
    Source, VeeamPointKind, VeeamProperties, VendorProperties,
};

/// The version that tokens are sealed with. A field that is added to the model is written with the next version, below.
pub const FINGERPRINT_VERSION: u32 = 2;

/// The fingerprint of a point by a version; none if the version is of a later release.
pub(super) fn fingerprint(point: &RestorePoint, version: u32) -> Option<u64> {
    if version > FINGERPRINT_VERSION {
        return None;
    }
    let mut fields = Fields { version, bytes: Vec::with_capacity(1024) };
    write_point(&mut fields, point);
    Some(short_hash(&fields.bytes))
}

/// A hash that is the same on every replica and in every release.
pub(crate) fn short_hash(bytes: &[u8]) -> u64 {
    let hash = digest(&SHA256, bytes);
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

/// Fields as `tag, length, bytes`. An empty value writes nothing, like a message that lacks the field.
struct Fields {
    version: u32,
    bytes: Vec<u8>,
}

impl Fields {
    /// `since` is the version that introduced the field; a fingerprint of an earlier version lacks it.
    fn text(&mut self, since: u32, tag: u8, value: &str) {
        if since <= self.version && !value.is_empty() {
            self.bytes.push(tag);
            self.bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
            self.bytes.extend_from_slice(value.as_bytes());
        }
    }

    fn number(&mut self, since: u32, tag: u8, value: Option<i64>) {
        if let Some(value) = value {
            self.text(since, tag, &value.to_string());
        }
    }

    fn time(&mut self, since: u32, tag: u8, value: Option<Timestamp>) {
        if let Some(value) = value {
            self.text(since, tag, &value.as_nanosecond().to_string());
        }
    }

    /// The beginning of a nested message.
    fn nested(&mut self, since: u32, tag: u8) {
        self.text(since, tag, "{");
    }
}

// The types are taken apart whole, so that a new field does not compile until it is written here, or left out on
// purpose.

fn write_point(fields: &mut Fields, point: &RestorePoint) {
    let RestorePoint {
        name,
        uid,
        vendor_id,
        display_name,
        state,
        // With the state it decides what the point is usable for, which is written.
        other_uses: _,
        state_reason: _,
        point_time,
        source,
        location,
        consistency,
        source_restore_point,
        copy_progress_percent,
        disks,
        failure,
        vendor,
        raw: _,
    } = point;
    fields.text(1, 1, &name.to_string());
    fields.text(1, 2, uid);
    fields.text(1, 3, vendor_id);
    fields.text(1, 4, display_name);
    fields.text(1, 5, state.name());
    fields.time(1, 6, *point_time);
    let Source { vm_name, vm_uid, location: source_location } = source;
    // Copies had no such name in version 1.
    fields.text(if is_copy_at_azure(vendor) { 2 } else { 1 }, 7, vm_name);
    fields.text(1, 8, vm_uid);
    fields.text(1, 9, source_location);
    fields.text(1, 10, location);
    fields.text(1, 11, consistency.name());
    let source_restore_point = source_restore_point.as_ref().map(ToString::to_string);
    fields.text(1, 12, source_restore_point.as_deref().unwrap_or_default());
    fields.number(1, 13, copy_progress_percent.map(i64::from));
    for disk in disks {
        write_disk(fields, disk);
    }
    point.usable_for().for_each(|allowed| fields.text(2, 18, allowed.name()));
    if let Some(PointFailure { code, message }) = failure {
        fields.nested(1, 15);
        fields.text(1, 16, code);
        fields.text(1, 17, message);
    }
    match vendor {
        VendorProperties::Azure(azure) => write_azure(fields, azure),
        VendorProperties::Veeam(veeam) => write_veeam(fields, veeam),
    }
}

fn is_copy_at_azure(vendor: &VendorProperties) -> bool {
    match vendor {
        VendorProperties::Azure(azure) => !azure.source_restore_point_id.is_empty(),
        VendorProperties::Veeam(_) => false,
    }
}

fn write_disk(fields: &mut Fields, disk: &Disk) {
    let Disk { name, vendor_id, lun, size_gib, state, progress_percent, source_vendor_id, vendor } =
        disk;
    fields.nested(1, 20);
    fields.text(1, 21, name);
    fields.text(1, 22, vendor_id);
    fields.number(1, 23, lun.map(i64::from));
    fields.number(1, 24, Some(*size_gib));
    fields.text(1, 25, state.name());
    fields.number(1, 26, progress_percent.map(i64::from));
    fields.text(1, 27, source_vendor_id);
    if let Some(DiskVendorProperties::Azure(azure)) = vendor {
        let AzureDiskProperties {
            managed_disk_id,
            storage_account_type,
            encryption_type,
            disk_encryption_set_id,
            snapshot_access_state,
        } = azure;
        fields.text(1, 28, managed_disk_id);
        fields.text(1, 29, storage_account_type);
        fields.text(1, 30, encryption_type);
        fields.text(1, 31, disk_encryption_set_id);
        fields.text(1, 32, snapshot_access_state);
    }
}

fn write_azure(fields: &mut Fields, azure: &AzureProperties) {
    let AzureProperties {
        provisioning_state,
        consistency_mode,
        replication_code,
        vm_size,
        hyper_v_generation,
        os_type,
        source_restore_point_id,
        encryption_types,
        instant_access_duration_minutes,
        instant_access_state,
        security_type,
        excluded_disks,
    } = azure;
    fields.nested(1, 40);
    fields.text(1, 41, provisioning_state);
    fields.text(1, 42, consistency_mode);
    fields.text(1, 43, replication_code);
    fields.text(1, 44, vm_size);
    fields.text(1, 45, hyper_v_generation);
    fields.text(1, 46, os_type);
    fields.text(1, 47, source_restore_point_id);
    encryption_types.iter().for_each(|kind| fields.text(1, 48, kind));
    fields.number(1, 49, instant_access_duration_minutes.map(i64::from));
    fields.text(1, 50, instant_access_state);
    fields.text(1, 51, security_type);
    excluded_disks.iter().for_each(|disk| fields.text(1, 52, disk));
}

fn write_veeam(fields: &mut Fields, veeam: &VeeamProperties) {
    let VeeamProperties {
        kind,
        point_type,
        algorithm,
        raw_state,
        backup_server,
        backup_server_uid,
        replica,
        backup,
        job_run,
        job_run_uid,
        backup_file,
        backup_file_uid,
        hierarchy_obj_ref,
    } = veeam;
    fields.nested(1, 60);
    let kind = match kind {
        VeeamPointKind::CloudVmReplicaPoint => "CloudVmReplicaPoint",
        VeeamPointKind::VmReplicaPoint => "VmReplicaPoint",
        VeeamPointKind::VmRestorePoint => "VmRestorePoint",
    };
    fields.text(1, 61, kind);
    fields.text(1, 62, point_type);
    fields.text(1, 63, algorithm);
    fields.text(1, 64, raw_state);
    fields.text(1, 65, backup_server);
    fields.text(1, 66, backup_server_uid);
    fields.text(1, 67, replica);
    fields.text(1, 68, backup);
    fields.text(1, 69, job_run);
    fields.text(1, 70, job_run_uid);
    fields.text(1, 71, backup_file);
    fields.text(1, 72, backup_file_uid);
    fields.text(1, 73, hierarchy_obj_ref);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_field_of_a_later_version_does_not_change_an_earlier_fingerprint() {
        let bytes = |version, write: fn(&mut Fields)| {
            let mut fields = Fields { version, bytes: Vec::new() };
            write(&mut fields);
            fields.bytes
        };
        let release_1: fn(&mut Fields) = |fields| fields.text(1, 1, "name");
        let release_2: fn(&mut Fields) = |fields| {
            fields.text(1, 1, "name");
            fields.text(2, 2, "new");
        };
        assert_eq!(bytes(1, release_2), bytes(1, release_1));
        assert_ne!(bytes(2, release_2), bytes(1, release_1));
    }

    #[test]
    fn fields_are_kept_apart() {
        let bytes = |values: &[(u8, &str)]| {
            let mut fields = Fields { version: 1, bytes: Vec::new() };
            values.iter().for_each(|(tag, value)| fields.text(1, *tag, value));
            fields.bytes
        };
        assert_ne!(bytes(&[(1, "ab"), (2, "c")]), bytes(&[(1, "a"), (2, "bc")]));
        assert_ne!(bytes(&[(1, "a")]), bytes(&[(2, "a")]));
        assert_eq!(bytes(&[(1, "a"), (2, "")]), bytes(&[(1, "a")]));
    }
}

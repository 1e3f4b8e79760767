//! ARM's JSON bodies, as far as the gateway reads and writes them.
//!
//! The service is looser than its specification: unknown members are ignored, and those that may be absent are optional;
//! null is the same as absent. When a required member is missing, the response is invalid; nothing gets a default.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A page of restore point collections.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CollectionPage {
    pub(super) value: Vec<Collection>,
    pub(super) next_link: Option<String>,
}

/// A restore point collection.
#[derive(Debug, Deserialize)]
pub(super) struct Collection {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) location: String,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) properties: CollectionProperties,
}

/// Its `properties`. `restorePoints` is present only with `$expand=restorePoints`, and then always.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CollectionProperties {
    pub(super) source: CollectionSource,
    pub(super) restore_points: Option<Vec<RestorePoint>>,
    pub(super) instant_access: Option<bool>,
    pub(super) provisioning_state: Option<String>,
}

/// The virtual machine of a collection's points, or the collection that they are copied from.
#[derive(Debug, Deserialize)]
pub(super) struct CollectionSource {
    pub(super) id: String,
    pub(super) location: Option<String>,
}

/// A restore point.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RestorePoint {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) properties: RestorePointProperties,
}

impl RestorePoint {
    /// Of a copy, the ARM id of the point that it is copied from.
    pub(super) fn copied_from(&self) -> Option<&str> {
        self.properties.source_restore_point.as_ref().map(|source| source.id.as_str())
    }

    /// The disks in its instance view, if that was requested and lists them.
    pub(super) fn disk_instance_views(&self) -> Option<&[DiskInstanceView]> {
        self.properties.instance_view.as_ref()?.disk_restore_points.as_deref()
    }

    /// The disks of its virtual machine, the operating system's first; some may be excluded from the point.
    pub(super) fn vm_disks(&self) -> impl Iterator<Item = &Disk> {
        let storage =
            self.properties.source_metadata.as_ref().and_then(|m| m.storage_profile.as_ref());
        storage
            .into_iter()
            .flat_map(|storage| storage.os_disk.iter().chain(storage.data_disks.iter().flatten()))
    }
}

/// Its `properties`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RestorePointProperties {
    pub(super) source_metadata: Option<SourceMetadata>,
    pub(super) provisioning_state: Option<String>,
    pub(super) consistency_mode: Option<String>,
    pub(super) source_restore_point: Option<SubResource>,
    pub(super) instance_view: Option<InstanceView>,
    pub(super) time_created: Option<String>,
    pub(super) instant_access_duration_minutes: Option<LenientInteger>,
    /// The documentation has two names for the aggregate of instant access, and no recording has either.
    pub(super) instant_access_state: Option<Value>,
    pub(super) instant_access_status: Option<Value>,
}

/// A reference to another resource.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct SubResource {
    pub(super) id: String,
}

/// The model of the virtual machine. `osProfile` and `userData`, which hold secrets, are not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceMetadata {
    pub(super) vm_id: Option<String>,
    pub(super) location: Option<String>,
    pub(super) hardware_profile: Option<HardwareProfile>,
    #[serde(rename = "hyperVGeneration")]
    pub(super) hyper_v_generation: Option<String>,
    pub(super) storage_profile: Option<StorageProfile>,
    pub(super) security_profile: Option<SecurityProfile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecurityProfile {
    pub(super) security_type: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HardwareProfile {
    pub(super) vm_size: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StorageProfile {
    pub(super) os_disk: Option<Disk>,
    pub(super) data_disks: Option<Vec<Disk>>,
}

/// A disk of the virtual machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Disk {
    pub(super) os_type: Option<String>,
    pub(super) lun: Option<LenientInteger>,
    pub(super) name: Option<String>,
    #[serde(rename = "diskSizeGB")]
    pub(super) disk_size_gb: Option<LenientInteger>,
    pub(super) managed_disk: Option<ManagedDisk>,
    pub(super) disk_restore_point: Option<DiskRestorePointAttributes>,
}

impl Disk {
    /// The ARM id of its disk restore point, once there is one.
    pub(super) fn disk_restore_point_id(&self) -> Option<&str> {
        self.disk_restore_point.as_ref()?.id.as_deref()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManagedDisk {
    pub(super) id: Option<String>,
    pub(super) storage_account_type: Option<String>,
}

/// The restore point of one disk, as the compute provider reports it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskRestorePointAttributes {
    pub(super) id: Option<String>,
    pub(super) source_disk_restore_point: Option<SubResource>,
    pub(super) encryption: Option<Encryption>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encryption {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disk_encryption_set: Option<SubResource>,
}

/// The replication of a point and of its disks.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceView {
    pub(super) disk_restore_points: Option<Vec<DiskInstanceView>>,
    pub(super) statuses: Option<Vec<InstanceViewStatus>>,
}

/// The replication of one disk, and whether it is in instant access.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskInstanceView {
    pub(super) id: Option<String>,
    pub(super) snapshot_access_state: Option<String>,
    pub(super) replication_status: Option<ReplicationStatus>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplicationStatus {
    pub(super) status: Option<InstanceViewStatus>,
    pub(super) completion_percent: Option<LenientInteger>,
}

/// `ReplicationState/replicating`, `Info`, `Replicating`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceViewStatus {
    pub(super) code: Option<String>,
    pub(super) level: Option<String>,
    pub(super) display_status: Option<String>,
    pub(super) message: Option<String>,
}

/// A page of disk restore points.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskRestorePointPage {
    pub(super) value: Vec<DiskRestorePoint>,
    pub(super) next_link: Option<String>,
}

/// The restore point of one disk, as the disk provider reports it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DiskRestorePoint {
    pub(super) id: String,
    pub(super) properties: DiskRestorePointProperties,
}

/// Its `properties`. The state of the replication is present only if the source is in another region; it is a single word,
/// `Succeeded`, where the compute provider has a code. `snapshotAccessState` is present from 2026-03-02 on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskRestorePointProperties {
    pub(super) replication_state: Option<String>,
    pub(super) snapshot_access_state: Option<String>,
    pub(super) completion_percent: Option<LenientInteger>,
}

/// The body of an operation URL.
#[derive(Debug, Deserialize)]
pub(super) struct OperationStatus {
    pub(super) status: String,
}

/// An integer that may come as text, as some examples in the documentation do, or as floating point, as the disk
/// provider sends percentages. Fractions are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LenientInteger(pub(super) i64);

impl<'de> Deserialize<'de> for LenientInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Integer(i64),
            Float(f64),
            Text(String),
        }
        let float = match Spelling::deserialize(deserializer)? {
            Spelling::Integer(integer) => return Ok(Self(integer)),
            Spelling::Float(float) => float,
            Spelling::Text(text) => match text.trim().parse::<i64>() {
                Ok(integer) => return Ok(Self(integer)),
                Err(_) => text.trim().parse().map_err(D::Error::custom)?,
            },
        };
        // Beyond this a float no longer holds every integer; no size or percentage comes near.
        if float.is_finite() && float.abs() < 9e15 {
            #[allow(
                clippy::cast_possible_truncation,
                reason = "the range is checked, and fractions are cut off"
            )]
            return Ok(Self(float as i64));
        }
        Err(D::Error::custom("a number out of range"))
    }
}

/// The body that creates a collection.
#[derive(Debug, Serialize)]
pub(super) struct NewCollection<'a> {
    pub(super) location: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) properties: NewCollectionProperties,
}

/// Its `properties`.
#[derive(Debug, Serialize)]
pub(super) struct NewCollectionProperties {
    pub(super) source: SubResource,
}

/// The body that creates a copy.
#[derive(Debug, Serialize)]
pub(super) struct NewCopy {
    pub(super) properties: NewCopyProperties,
}

/// Its `properties`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewCopyProperties {
    pub(super) source_restore_point: SubResource,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_metadata: Option<NewSourceMetadata>,
}

/// The encryption of the disks of a new copy. Recorded requests have neither names nor luns.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSourceMetadata {
    pub(super) storage_profile: NewStorageProfile,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewStorageProfile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) os_disk: Option<NewDisk>,
    pub(super) data_disks: Vec<NewDisk>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewDisk {
    pub(super) disk_restore_point: NewDiskRestorePoint,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewDiskRestorePoint {
    pub(super) source_disk_restore_point: SubResource,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encryption: Option<Encryption>,
}

/// Counted as commas and opening brackets, of which real bodies have one in some thirty bytes. Three bytes (`{},`) become
/// a struct of hundreds, so the size of a body alone does not bound the memory that it takes.
const MAX_JSON_VALUES: usize = 1 << 20;

/// Decodes a body.
///
/// # Errors
/// What is wrong with it and where. The text quotes nothing of the body, which may hold user names and keys.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // Serde would fill a struct from the elements of an array, in order.
    if body.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
        return Err("the body is a JSON array: expected an object".to_owned());
    }
    if body.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MAX_JSON_VALUES {
        return Err(format!("the body holds more than {MAX_JSON_VALUES} JSON values"));
    }
    // serde_json does not check the members that it skips.
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    serde_json::from_str(text).map_err(|error| {
        let problem = match error.classify() {
            serde_json::error::Category::Data => "the JSON does not match the API",
            serde_json::error::Category::Eof => "the JSON is truncated",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                "the body is not JSON"
            }
        };
        let (line, column) = (error.line(), error.column());
        format!("{problem} (line {line}, column {column} of {} bytes)", body.len())
    })
}

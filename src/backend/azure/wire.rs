//! ARM's JSON, as far as the gateway reads it.
//!
//! The service is looser than its specification: members that are not known here are ignored, and those
//! that may be absent are optional, absent and null being one. What must be there and is not makes the
//! answer invalid; nothing gets a default.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A page of collections.
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

/// Its `properties`. `restorePoints` is there only if it was asked for, and then always.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CollectionProperties {
    pub(super) source: CollectionSource,
    pub(super) restore_points: Option<Vec<Point>>,
    pub(super) instant_access: Option<bool>,
}

/// What a collection takes points of.
#[derive(Debug, Deserialize)]
pub(super) struct CollectionSource {
    pub(super) id: String,
    pub(super) location: Option<String>,
}

/// A restore point.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Point {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) properties: PointProperties,
}

impl Point {
    /// The id of the point that this one is a copy of.
    pub(super) fn copied_from(&self) -> Option<&str> {
        self.properties.source_restore_point.as_ref().map(|source| source.id.as_str())
    }

    /// What its instance view says of single disks, if it was asked for and lists them.
    pub(super) fn entries(&self) -> Option<&[DiskInstance]> {
        self.properties.instance_view.as_ref()?.disk_restore_points.as_deref()
    }

    /// The disks of its machine, the operating system's first; not all need be in the point.
    pub(super) fn machine_disks(&self) -> impl Iterator<Item = &Disk> {
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
pub(super) struct PointProperties {
    pub(super) source_metadata: Option<SourceMetadata>,
    pub(super) provisioning_state: Option<String>,
    pub(super) consistency_mode: Option<String>,
    pub(super) source_restore_point: Option<Id>,
    pub(super) instance_view: Option<InstanceView>,
    pub(super) time_created: Option<String>,
    pub(super) instant_access_duration_minutes: Option<Number>,
    /// The aggregate of instant access has two names in the vendor's pages, and was seen under neither.
    pub(super) instant_access_state: Option<Value>,
    pub(super) instant_access_status: Option<Value>,
}

/// A reference to another resource.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct Id {
    pub(super) id: String,
}

/// The machine as it was. `osProfile` and `userData` are left where they are.
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

/// A disk of the machine, with its restore point once there is one.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Disk {
    pub(super) os_type: Option<String>,
    pub(super) lun: Option<Number>,
    pub(super) name: Option<String>,
    #[serde(rename = "diskSizeGB")]
    pub(super) disk_size_gb: Option<Number>,
    pub(super) managed_disk: Option<ManagedDisk>,
    pub(super) disk_restore_point: Option<DiskRestorePoint>,
}

impl Disk {
    /// The id of its restore point, once there is one.
    pub(super) fn point_id(&self) -> Option<&str> {
        self.disk_restore_point.as_ref()?.id.as_deref()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManagedDisk {
    pub(super) id: Option<String>,
    pub(super) storage_account_type: Option<String>,
}

/// The restore point of one disk.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskRestorePoint {
    pub(super) id: Option<String>,
    pub(super) source_disk_restore_point: Option<Id>,
    pub(super) encryption: Option<Encryption>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encryption {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) disk_encryption_set: Option<Id>,
}

/// How far a copy has come.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceView {
    pub(super) disk_restore_points: Option<Vec<DiskInstance>>,
    pub(super) statuses: Option<Vec<Status>>,
}

/// What it says of one disk: how far it has come in a copy, and whether it is in instant access.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskInstance {
    pub(super) id: Option<String>,
    pub(super) snapshot_access_state: Option<String>,
    pub(super) replication_status: Option<ReplicationStatus>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplicationStatus {
    pub(super) status: Option<Status>,
    pub(super) completion_percent: Option<Number>,
}

/// `ReplicationState/replicating`, `Info`, `Replicating`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) code: Option<String>,
    pub(super) level: Option<String>,
    pub(super) display_status: Option<String>,
    pub(super) message: Option<String>,
}

/// A page of disk restore points as the disk provider shows them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskPointPage {
    pub(super) value: Vec<DiskPoint>,
    pub(super) next_link: Option<String>,
}

/// A disk restore point as the disk provider shows it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DiskPoint {
    pub(super) id: String,
    pub(super) properties: DiskPointProperties,
}

/// Its `properties`. What travels is told of points whose source is in another region only, and the state in
/// one word, `Succeeded`, where the compute provider has a code.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskPointProperties {
    pub(super) replication_state: Option<String>,
    pub(super) completion_percent: Option<Number>,
}

/// The answer of an operation URL.
#[derive(Debug, Deserialize)]
pub(super) struct OperationStatus {
    pub(super) status: String,
}

/// A number: the vendor's pages show some of them as texts, and one of its two providers sends
/// percentages as floating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(pub(super) i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Integer(i64),
            Float(f64),
            Text(String),
        }
        let float = match Spelling::deserialize(deserializer)? {
            Spelling::Integer(number) => return Ok(Self(number)),
            Spelling::Float(number) => number,
            Spelling::Text(text) => match text.trim().parse::<i64>() {
                Ok(number) => return Ok(Self(number)),
                Err(_) => text.trim().parse().map_err(D::Error::custom)?,
            },
        };
        // Beyond this a float no longer holds each integer; no size or percentage comes near.
        if float.is_finite() && float.abs() < 9e15 {
            #[allow(
                clippy::cast_possible_truncation,
                reason = "checked, and fractions are cut off"
            )]
            return Ok(Self(float as i64));
        }
        Err(D::Error::custom("a number out of range"))
    }
}

/// What is sent to make a collection.
#[derive(Debug, Serialize)]
pub(super) struct NewCollection<'a> {
    pub(super) location: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) properties: NewCollectionProperties,
}

#[derive(Debug, Serialize)]
pub(super) struct NewCollectionProperties {
    pub(super) source: Id,
}

/// What is sent to make a copy.
#[derive(Debug, Serialize)]
pub(super) struct NewCopy {
    pub(super) properties: NewCopyProperties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewCopyProperties {
    pub(super) source_restore_point: Id,
}

/// Commas and openings, of which real bodies have one in some thirty bytes. Three bytes (`{},`) become a
/// structure of hundreds, so that the size of a body alone bounds little.
const MOST_VALUES: usize = 1 << 20;

/// Decodes a body.
///
/// # Errors
/// What is wrong with it and where, without any of its content: a body may hold user names and keys.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // Serde would fill a structure from the elements of an array, in order.
    if body.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
        return Err("it is a JSON array in the place of an object".to_owned());
    }
    if body.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MOST_VALUES {
        return Err(format!("it holds more than {MOST_VALUES} values"));
    }
    // Of what it skips the parser would not ask that.
    let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
    serde_json::from_str(text).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "it is JSON of another shape",
            serde_json::error::Category::Eof => "it is JSON that was cut off",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                "it is no JSON"
            }
        };
        let (line, column) = (error.line(), error.column());
        format!("{what} (line {line}, column {column}, {} bytes)", body.len())
    })
}

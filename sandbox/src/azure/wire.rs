//! The bodies, member for member in the order the service sends them, and how they are printed.
//!
//! These are shapes only: what fills them lives with the things they show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::server::Call;
use super::versions;

/// Two spaces and CRLF, as the compute provider prints.
pub(super) fn pretty(body: &impl Serialize) -> String {
    // Line breaks inside strings are escaped, so every bare one is the printer's.
    serde_json::to_string_pretty(body).unwrap_or_default().replace('\n', "\r\n")
}

/// One line, as the gateway prints.
pub(super) fn compact(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// Up to seven fraction digits without trailing zeros, and a numeric offset.
pub(super) fn time(at: Timestamp) -> String {
    let fraction = format!("{:07}", at.subsec_nanosecond() / 100);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}+00:00", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// An id as some lists write it: the resource group shouted.
pub(super) fn with_upper_group(id: &str) -> String {
    let upper = |(index, part): (usize, &str)| {
        // The empty piece before the first slash counts: group names are the fifth.
        if index == 4 { part.to_uppercase() } else { part.to_owned() }
    };
    id.split('/').enumerate().map(upper).collect::<Vec<_>>().join("/")
}

/// A time as a member of a structure.
pub(super) fn as_time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time(*at))
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

impl ErrorBody {
    pub(super) fn new(code: &str, message: &str, target: Option<&'static str>) -> Self {
        let error =
            ErrorDetail { code: code.into(), message: message.into(), target, details: Vec::new() };
        Self { error }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorDetail {
    pub(super) code: String,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) details: Vec<ErrorDetail>,
}

#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    pub(super) value: Vec<T>,
    #[serde(rename = "nextLink", skip_serializing_if = "Option::is_none")]
    pub(super) next_link: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Clone)]
pub(super) struct Id {
    pub(super) id: String,
}

pub(super) type Tags = BTreeMap<String, String>;

#[derive(Debug, Serialize)]
pub(super) struct CollectionBody {
    pub(super) name: String,
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) location: String,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub(super) tags: Tags,
    pub(super) properties: CollectionProperties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CollectionProperties {
    pub(super) source: CollectionSource,
    pub(super) restore_point_collection_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restore_points: Option<Vec<PointBody>>,
    pub(super) provisioning_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instant_access: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(super) struct CollectionSource {
    pub(super) location: String,
    pub(super) id: String,
}

/// A restore point: there is no `type`, `location`, `tags` or etag.
#[derive(Debug, Serialize)]
pub(super) struct PointBody {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) properties: PointProperties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PointProperties {
    pub(super) source_metadata: super::machine::Metadata,
    pub(super) provisioning_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consistency_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_restore_point: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance_view: Option<InstanceView>,
    pub(super) time_created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instant_access_duration_minutes: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceView {
    pub(super) disk_restore_points: Vec<DiskInstance>,
    pub(super) statuses: Vec<Status>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskInstance {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) snapshot_access_state: Option<&'static str>,
    pub(super) replication_status: ReplicationStatus,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplicationStatus {
    pub(super) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completion_percent: Option<u8>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) code: &'static str,
    pub(super) level: &'static str,
    pub(super) display_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationBody {
    pub(super) start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_time: Option<String>,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) properties: Option<Output>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<ErrorDetail>,
    pub(super) name: String,
}

/// What an operation of the disk provider leaves behind.
#[derive(Debug, Serialize)]
pub(super) struct Output {
    pub(super) output: AccessUri,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct AccessUri {
    #[serde(rename = "accessSAS")]
    pub(super) access_sas: String,
    #[serde(rename = "securityDataAccessSAS", skip_serializing_if = "Option::is_none")]
    pub(super) security_data_access_sas: Option<String>,
}

/// What a client may send for a collection; other members, such as the documented `name`, are
/// tolerated and ignored.
#[derive(Debug, Deserialize, Default)]
pub(super) struct CollectionRequest {
    pub(super) location: Option<String>,
    pub(super) tags: Option<Tags>,
    #[serde(default)]
    pub(super) properties: CollectionRequestProperties,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct CollectionRequestProperties {
    pub(super) source: Option<Id>,
    pub(super) instant_access: Option<bool>,
}

/// What a client may send for a restore point; `{}` is enough.
#[derive(Debug, Deserialize, Default)]
pub(super) struct PointRequest {
    #[serde(default)]
    pub(super) properties: PointRequestProperties,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct PointRequestProperties {
    pub(super) consistency_mode: Option<String>,
    pub(super) exclude_disks: Option<Vec<Id>>,
    pub(super) source_restore_point: Option<Id>,
    source_metadata: Option<MetadataRequest>,
    pub(super) instant_access_duration_minutes: Option<i64>,
}

impl PointRequestProperties {
    /// The disks with the encryption chosen for them; earlier api-versions do not know the choice.
    pub(super) fn storage(&self, call: &Call) -> Option<&StorageRequest> {
        let metadata = self.source_metadata.as_ref();
        let storage = metadata.and_then(|metadata| metadata.storage_profile.as_ref());
        storage.filter(|_| versions::knows(&call.version, "2023-03-01"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataRequest {
    storage_profile: Option<StorageRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StorageRequest {
    pub(super) os_disk: Option<DiskRequest>,
    pub(super) data_disks: Option<Vec<DiskRequest>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskRequest {
    managed_disk: Option<Id>,
    pub(super) disk_restore_point: Option<DiskPointRequest>,
}

impl DiskRequest {
    /// What it is called by: its disk restore point in a copy, itself otherwise.
    pub(super) fn id(&self) -> Option<&str> {
        let point = self.disk_restore_point.as_ref();
        let source = point.and_then(|point| point.source_disk_restore_point.as_ref());
        source.or(self.managed_disk.as_ref()).map(|id| id.id.as_str())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskPointRequest {
    source_disk_restore_point: Option<Id>,
    pub(super) encryption: Option<EncryptionRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncryptionRequest {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) disk_encryption_set: Option<Id>,
}

/// What a client may send to read a disk restore point.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessRequest {
    pub(super) access: Option<String>,
    pub(super) duration_in_seconds: Option<i64>,
    #[serde(rename = "getSecureVMGuestStateSAS")]
    pub(super) get_secure_vm_guest_state_sas: Option<bool>,
    pub(super) file_format: Option<String>,
}

//! Restore points: what a client may send, and what comes back.

use serde::{Deserialize, Serialize};

use super::id::Id;
use super::source_metadata::SourceMetadata;

/// A restore point has no `type`, `location`, `tags` or etag.
#[derive(Debug, Serialize)]
pub(crate) struct PointBody {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) properties: PointProperties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PointProperties {
    pub(crate) source_metadata: SourceMetadata,
    pub(crate) provisioning_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consistency_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_restore_point: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_view: Option<InstanceView>,
    pub(crate) time_created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instant_access_duration_minutes: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceView {
    pub(crate) disk_restore_points: Vec<DiskInstance>,
    pub(crate) statuses: Vec<Status>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiskInstance {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot_access_state: Option<&'static str>,
    pub(crate) replication_status: ReplicationStatus,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplicationStatus {
    pub(crate) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_percent: Option<u8>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) code: &'static str,
    pub(crate) level: &'static str,
    pub(crate) display_status: &'static str,
}

/// `{}` is enough.
#[derive(Debug, Deserialize, Default)]
pub(crate) struct PointRequest {
    #[serde(default)]
    pub(crate) properties: PointRequestProperties,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PointRequestProperties {
    pub(crate) consistency_mode: Option<String>,
    pub(crate) exclude_disks: Option<Vec<Id>>,
    pub(crate) source_restore_point: Option<Id>,
    source_metadata: Option<SourceMetadataRequest>,
    pub(crate) instant_access_duration_minutes: Option<i64>,
}

impl PointRequestProperties {
    /// The disks with the encryption requested for them.
    pub(crate) fn storage_profile(&self) -> Option<&StorageRequest> {
        self.source_metadata.as_ref().and_then(|metadata| metadata.storage_profile.as_ref())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceMetadataRequest {
    storage_profile: Option<StorageRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StorageRequest {
    pub(crate) os_disk: Option<DiskRequest>,
    pub(crate) data_disks: Option<Vec<DiskRequest>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiskRequest {
    managed_disk: Option<Id>,
    pub(crate) disk_restore_point: Option<DiskPointRequest>,
}

impl DiskRequest {
    /// The id of the source disk restore point in a copy, of the managed disk otherwise.
    pub(crate) fn id(&self) -> Option<&str> {
        let point = self.disk_restore_point.as_ref();
        let source = point.and_then(|point| point.source_disk_restore_point.as_ref());
        source.or(self.managed_disk.as_ref()).map(|id| id.id.as_str())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiskPointRequest {
    source_disk_restore_point: Option<Id>,
    pub(crate) encryption: Option<EncryptionRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EncryptionRequest {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) disk_encryption_set: Option<Id>,
}

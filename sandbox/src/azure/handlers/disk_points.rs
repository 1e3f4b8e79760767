//! Disk restore points: the disk provider's view of the content of a restore point.
//!
//! Reading only; signed access to the data is in `disk_access`.

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::{encryption, not_found, paging};
use crate::azure::api_version;
use crate::azure::call::Call;
use crate::azure::dto::format;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::collection::Collection;
use crate::azure::model::encryption::Encryption;
use crate::azure::model::point::{DiskPoint, Point};
use crate::azure::model::replication::Progress;
use crate::azure::model::subscription::Subscription;
use crate::azure::reply::Reply;
use crate::azure::resource_path::{PointName, plain_region};
use crate::azure::settings::Quirks;

/// GET of all disks of a point, in pages.
pub(crate) fn list(
    subscription: &Subscription,
    call: &Call,
    name: &PointName,
) -> Result<Reply, ErrorResponse> {
    let (collection, point) =
        subscription.point(name).ok_or_else(|| not_found::point(subscription, name))?;
    let id = collection.name_of(point).id(&subscription.id);
    let root = format!("/subscriptions/{}", subscription.id);
    let path = format!("{}/diskRestorePoints", id.trim_start_matches(&root));
    let disks = point.visible_disks(call.now).iter();
    let sorted = disks.map(|disk| (format!("{:04}", disk.disk), disk));
    let to_body = |disk| body(subscription, call, collection, point, disk);
    let page = paging::page(subscription, call, &path, sorted, to_body)?;
    Ok(Reply::provider(StatusCode::OK, &page))
}

/// GET of one.
pub(crate) fn get(
    subscription: &Subscription,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<Reply, ErrorResponse> {
    let (collection, point) =
        subscription.point(name).ok_or_else(|| not_found::point(subscription, name))?;
    let disk = point
        .visible_disks(call.now)
        .iter()
        .find(|one| one.name.eq_ignore_ascii_case(disk))
        .ok_or_else(ErrorResponse::entity_not_found)?;
    Ok(Reply::provider(StatusCode::OK, &body(subscription, call, collection, point, disk)))
}

/// Without `type`, as in the published examples, and with the members that the api-version has.
fn body(
    subscription: &Subscription,
    call: &Call,
    collection: &Collection,
    point: &Point,
    disk: &DiskPoint,
) -> Body {
    let point_id = collection.name_of(point).id(&subscription.id);
    let source = &point.machine.disks[disk.disk];
    let copy = disk.copy();
    let quirks = &subscription.settings.quirks;
    let (now, tick) = (call.now, subscription.settings.progress_tick);
    let progress = copy.map(|copy| copy.replication.progress(now, tick));
    let supports = |first| api_version::supports(&call.api_version, first);
    let is_os_disk = disk.disk == 0;
    let guid = |salt: &str| {
        let name = format!("{salt}{}", source.id.to_lowercase());
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    };
    Body {
        name: disk.name.clone(),
        id: format!("{point_id}/diskRestorePoints/{}", disk.name),
        properties: Properties {
            time_created: format::time(point.shown_time(quirks)),
            source_resource_id: copy.map_or(&source.id, |one| &one.source_id).clone(),
            os_type: is_os_disk.then(|| point.machine.os_type()),
            hyper_v_generation: is_os_disk.then_some("V2"),
            supported_capabilities: (is_os_disk && supports("2021-04-01"))
                .then_some(Capabilities { accelerated_network: true, architecture: "x64" }),
            family_id: guid("family/"),
            source_unique_id: guid("unique/"),
            encryption: disk_encryption(&disk.encryption, quirks),
            supports_hibernation: (is_os_disk && supports("2020-12-01")).then_some(false),
            network_access_policy: supports("2021-04-01").then_some("AllowAll"),
            public_network_access: supports("2021-04-01").then_some("Enabled"),
            // Floating point here, an integer in the compute provider's view.
            completion_percent: progress
                .and_then(Progress::percent)
                .map(f64::from)
                .filter(|_| supports("2021-04-01")),
            replication_state: progress
                .map(Progress::replication_state)
                .filter(|_| supports("2021-08-01")),
            source_resource_location: copy
                .filter(|_| supports("2021-08-01"))
                .map(|_| plain_region(&collection.source_region)),
            security_profile: (is_os_disk && supports("2022-03-02"))
                .then_some(Security { security_type: "TrustedLaunch" }),
            snapshot_access_state: supports("2026-03-02")
                .then(|| disk.access_state(now, tick).text()),
            logical_sector_size: supports("2026-03-02").then(|| source.sku.logical_sector_size()),
        },
    }
}

fn disk_encryption(encryption: &Encryption, quirks: &Quirks) -> DiskEncryption {
    let set = encryption.set_id().map(|id| encryption::shown_set_id(id, quirks));
    DiskEncryption { disk_encryption_set_id: set, kind: encryption.kind() }
}

#[derive(Debug, Serialize)]
struct Body {
    name: String,
    id: String,
    properties: Properties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    time_created: String,
    source_resource_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hyper_v_generation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_capabilities: Option<Capabilities>,
    family_id: String,
    source_unique_id: String,
    encryption: DiskEncryption,
    #[serde(skip_serializing_if = "Option::is_none")]
    supports_hibernation: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_access_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_network_access: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_resource_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_profile: Option<Security>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_access_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_sector_size: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    accelerated_network: bool,
    architecture: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Security {
    security_type: &'static str,
}

/// Encryption as the disk provider shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiskEncryption {
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_encryption_set_id: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
}

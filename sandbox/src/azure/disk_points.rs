//! Disk restore points: the disk provider's view of what a restore point consists of.
//!
//! Reading only; signed access to the data is in `access`.

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::encryption::DiskEncryption;
use super::machine::Sku;
use super::names::{PointName, plain_region};
use super::point::{self, DiskPoint, Origin, Point};
use super::refusal::Refusal;
use super::replication::Progress;
use super::reply::Reply;
use super::server::Call;
use super::wire;
use super::world::{Collection, World};
use super::{lists, points, versions};

/// GET of all disks of a point, in pages.
pub(super) fn list(world: &World, call: &Call, name: &PointName) -> Result<Reply, Refusal> {
    let (collection, point) = world.point(name).ok_or_else(|| points::absent(world, name))?;
    let id = point::id(&collection.name_of(point), &world.subscription);
    let below = format!("/subscriptions/{}", world.subscription);
    let path = format!("{}/diskRestorePoints", id.trim_start_matches(&below));
    let sorted = point.made(call.now).iter().map(|disk| (format!("{:04}", disk.disk), disk));
    let shown = |disk| show(world, call, collection, point, disk);
    let page = lists::cut(world, call, &path, sorted, shown)?;
    Ok(Reply::provider(StatusCode::OK, &page))
}

/// GET of one.
pub(super) fn get(
    world: &World,
    call: &Call,
    name: &PointName,
    disk: &str,
) -> Result<Reply, Refusal> {
    let (collection, point) = world.point(name).ok_or_else(|| points::absent(world, name))?;
    let disk = point
        .made(call.now)
        .iter()
        .find(|one| one.name.eq_ignore_ascii_case(disk))
        .ok_or_else(Refusal::entity_not_found)?;
    Ok(Reply::provider(StatusCode::OK, &show(world, call, collection, point, disk)))
}

/// Without `type`, as in the published examples, and with the members that the api-version knows.
fn show(
    world: &World,
    call: &Call,
    collection: &Collection,
    point: &Point,
    disk: &DiskPoint,
) -> Body {
    let point_id = point::id(&collection.name_of(point), &world.subscription);
    let source = &point.machine.disks[disk.disk];
    let arrival = disk.arrival();
    let (now, tick) = (call.now, world.settings.progress_tick);
    let progress = arrival.map(|arrival| arrival.replication.progress(now, tick));
    let knows = |first| versions::knows(&call.version, first);
    let system = disk.disk == 0;
    let guid = |salt: &str| {
        let name = format!("{salt}{}", source.id.to_lowercase());
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    };
    Body {
        name: disk.name.clone(),
        id: format!("{point_id}/diskRestorePoints/{}", disk.name),
        properties: Properties {
            time_created: wire::time(point.shown_time(&world.settings.quirks)),
            source_resource_id: arrival.map_or(&source.id, |one| &one.source_id).clone(),
            os_type: system.then(|| point.machine.os_type()),
            hyper_v_generation: system.then_some("V2"),
            supported_capabilities: (system && knows("2021-04-01"))
                .then_some(Capabilities { accelerated_network: true, architecture: "x64" }),
            family_id: guid("family/"),
            source_unique_id: guid("unique/"),
            encryption: disk.encryption.in_disk(&world.settings.quirks),
            supports_hibernation: (system && knows("2020-12-01")).then_some(false),
            network_access_policy: knows("2021-04-01").then_some("AllowAll"),
            public_network_access: knows("2021-04-01").then_some("Enabled"),
            // Floating point here, a whole number in the compute provider's view.
            completion_percent: progress
                .and_then(Progress::percent)
                .map(f64::from)
                .filter(|_| knows("2021-04-01")),
            replication_state: progress.map(Progress::word).filter(|_| knows("2021-08-01")),
            source_resource_location: arrival
                .filter(|_| knows("2021-08-01"))
                .map(|_| plain_region(&collection.source_region)),
            security_profile: (system && knows("2022-03-02"))
                .then_some(Security { security_type: "TrustedLaunch" }),
            snapshot_access_state: knows("2026-03-02").then(|| match &disk.origin {
                Origin::Local => "Available",
                Origin::Instant(lease) => lease.state(now, tick),
                Origin::Copied(_) if progress == Some(Progress::Succeeded) => "Available",
                Origin::Copied(_) => "Pending",
            }),
            logical_sector_size: knows("2026-03-02").then_some(match source.sku {
                Sku::Premium => 512,
                Sku::PremiumV2 => 4096,
            }),
        },
    }
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

//! A restore point as a response body.

use crate::azure::api_version::{self, INSTANT_ACCESS};
use crate::azure::call::Call;
use crate::azure::dto::format;
use crate::azure::dto::id::Id;
use crate::azure::dto::point::{DiskInstance, InstanceView, PointBody, PointProperties};
use crate::azure::dto::source_metadata::{ComputeEncryption, DiskPointRef};
use crate::azure::model::consistency::Consistency;
use crate::azure::model::encryption::Encryption;
use crate::azure::model::instant_access::AccessState;
use crate::azure::model::point::{DiskData, DiskPoint, Point, ProvisioningState};
use crate::azure::model::replication::Progress;
use crate::azure::model::subscription::Subscription;
use crate::azure::resource_path::PointName;
use crate::azure::settings::Quirks;

use super::encryption;
use super::source_metadata;

/// How much of a restore point is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Plain,
    /// `$expand=instanceView`.
    Instance,
}

pub(crate) fn point_body(
    subscription: &Subscription,
    call: &Call,
    point: &Point,
    name: &PointName,
    view: View,
) -> PointBody {
    let id = name.id(&subscription.id);
    let quirks = &subscription.settings.quirks;
    let state = point.provisioning_state(call.now);
    let visible = point.visible_disks(call.now);
    let mut refs: Vec<Option<DiskPointRef>> = Vec::new();
    refs.resize_with(point.machine.disks.len(), || None);
    for disk in visible {
        refs[disk.disk] = Some(DiskPointRef {
            source_disk_restore_point: disk.copy().map(|copy| Id { id: copy.source_id.clone() }),
            encryption: compute_encryption(&disk.encryption, quirks),
            id: format!("{id}/diskRestorePoints/{}", disk.name),
        });
    }
    let consistency = match state {
        ProvisioningState::Creating => point.requested_consistency,
        _ => Some(point.consistency),
    };
    let instance_view = match view {
        View::Instance => instance_view(subscription, call, visible, &id),
        View::Plain => None,
    };
    let instant_access =
        point.instant_access.filter(|_| api_version::supports(&call.api_version, INSTANT_ACCESS));
    PointBody {
        name: point.name.clone(),
        properties: PointProperties {
            source_metadata: source_metadata::describe(&point.machine, refs, &call.api_version),
            provisioning_state: state.text(),
            consistency_mode: consistency.map(Consistency::text),
            source_restore_point: point.copied_from.clone().map(|id| Id { id }),
            instance_view,
            time_created: format::time(point.shown_time(quirks)),
            instant_access_duration_minutes: instant_access.map(|lasting| lasting.as_mins()),
        },
        id,
    }
}

fn compute_encryption(encryption: &Encryption, quirks: &Quirks) -> ComputeEncryption {
    let set = encryption.set_id().map(|id| Id { id: encryption::shown_set_id(id, quirks) });
    ComputeEncryption { kind: encryption.kind(), disk_encryption_set: set }
}

/// Only disks that replicate or have instant access are listed: ordinary disks of a local point are not.
fn instance_view(
    subscription: &Subscription,
    call: &Call,
    disks: &[DiskPoint],
    id: &str,
) -> Option<InstanceView> {
    let (now, tick) = (call.now, subscription.settings.progress_tick);
    let instant_access = api_version::supports(&call.api_version, INSTANT_ACCESS);
    let listed = disks.iter().filter_map(|disk| match &disk.data {
        DiskData::Copied(copy) => Some((disk, None, copy.replication.progress(now, tick))),
        DiskData::Instant(access) if instant_access => {
            Some((disk, Some(access.state(now, tick)), access.background_copy.progress(now, tick)))
        }
        DiskData::Instant(_) | DiskData::Background(_) | DiskData::Local => None,
    });
    let listed: Vec<(&DiskPoint, Option<AccessState>, Progress)> = listed.collect();
    let overall = listed.iter().map(|(.., progress)| *progress).max()?;
    let access = listed.iter().filter_map(|(_, access, _)| *access).min();
    let disk_restore_points = listed
        .into_iter()
        .map(|(disk, snapshot_access_state, progress)| DiskInstance {
            id: format!("{id}/diskRestorePoints/{}", disk.name),
            snapshot_access_state: snapshot_access_state.map(AccessState::text),
            replication_status: progress.replication_status(),
        })
        .collect();
    let statuses = [overall.status()].into_iter().chain(access.map(AccessState::status)).collect();
    Some(InstanceView { disk_restore_points, statuses })
}

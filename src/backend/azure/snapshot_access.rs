//! What the disks of a point can be used for while their data is being copied in the background.
//!
//! A snapshot of a Premium SSD v2 or Ultra Disk holds no data at first: the storage copies it in the background, for hours
//! if the disk is large. In instant access it can be restored from meanwhile, but neither copied nor downloaded; outside
//! of it nothing can be done. `snapshotAccessState` tells which, in the instance view for disks in instant access, and at
//! the disk provider for all disks. Snapshots of other disks can be used at once.

use super::dto;
use super::id::eq_ignore_case;

/// The beginnings of the storage types whose snapshots are copied in the background: `PremiumV2_LRS`, `UltraSSD_LRS`.
const BACKGROUND_COPY_STORAGE: [&str; 2] = ["premiumv2", "ultrassd"];

/// What a disk restore point can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SnapshotAccess<'a> {
    /// Restore, copy and download.
    Full,
    /// Restore only, from instant access.
    RestoreOnly,
    /// Nothing yet.
    Pending,
    /// A state that the gateway does not know.
    Unknown(&'a str),
    /// Its data has to be copied in the background, and neither provider reports how far that is.
    Unreported,
}

/// Whether the data of a disk is copied in the background before its snapshots can be used.
pub(super) fn is_copied_in_background(disk: &dto::Disk) -> bool {
    let storage = disk.managed_disk.as_ref().and_then(|disk| disk.storage_account_type.as_deref());
    let storage = storage.unwrap_or_default().to_lowercase();
    BACKGROUND_COPY_STORAGE.iter().any(|beginning| storage.starts_with(beginning))
}

/// What a disk of a local point can be used for.
pub(super) fn of_local_disk<'a>(
    disk: &dto::Disk,
    point: &'a dto::RestorePoint,
    provider: &'a [dto::DiskRestorePoint],
) -> SnapshotAccess<'a> {
    if let Some(state) = reported_state(disk, point, provider) {
        return access(state);
    }
    if !is_copied_in_background(disk) {
        return SnapshotAccess::Full;
    }
    let percent = provided(disk, provider).and_then(|disk| disk.properties.completion_percent);
    match percent {
        Some(percent) if percent.0 >= 100 => SnapshotAccess::Full,
        Some(_) => SnapshotAccess::Pending,
        None => SnapshotAccess::Unreported,
    }
}

/// What a disk can be used for whose data has arrived from another region: it is in the snapshot storage there.
pub(super) fn of_arrived_disk<'a>(
    disk: &dto::Disk,
    point: &'a dto::RestorePoint,
    provider: &'a [dto::DiskRestorePoint],
) -> SnapshotAccess<'a> {
    reported_state(disk, point, provider).map_or(SnapshotAccess::Full, access)
}

/// The `snapshotAccessState` of a disk as either provider reports it, unmodified; empty if neither does.
pub(super) fn shown_state<'a>(
    disk: &dto::Disk,
    point: &'a dto::RestorePoint,
    provider: &'a [dto::DiskRestorePoint],
) -> &'a str {
    let both = [viewed_state(disk, point), provided_state(disk, provider)];
    both.into_iter().flatten().next().unwrap_or_default()
}

/// The same, if it says anything: `Unknown` is the default of the member.
fn reported_state<'a>(
    disk: &dto::Disk,
    point: &'a dto::RestorePoint,
    provider: &'a [dto::DiskRestorePoint],
) -> Option<&'a str> {
    let both = [viewed_state(disk, point), provided_state(disk, provider)];
    both.into_iter().flatten().find(|state| !eq_ignore_case(state, "Unknown"))
}

fn viewed_state<'a>(disk: &dto::Disk, point: &'a dto::RestorePoint) -> Option<&'a str> {
    let id = disk.disk_restore_point_id()?;
    let is_own = |view: &&dto::DiskInstanceView| {
        view.id.as_deref().is_some_and(|other| eq_ignore_case(other, id))
    };
    point.disk_instance_views()?.iter().find(is_own)?.snapshot_access_state.as_deref()
}

fn provided_state<'a>(disk: &dto::Disk, provider: &'a [dto::DiskRestorePoint]) -> Option<&'a str> {
    provided(disk, provider)?.properties.snapshot_access_state.as_deref()
}

fn provided<'a>(
    disk: &dto::Disk,
    provider: &'a [dto::DiskRestorePoint],
) -> Option<&'a dto::DiskRestorePoint> {
    let id = disk.disk_restore_point_id()?;
    provider.iter().find(|provided| eq_ignore_case(&provided.id, id))
}

fn access(state: &str) -> SnapshotAccess<'_> {
    let is = |known| eq_ignore_case(state, known);
    if is("Available") || is("AvailableWithInstantAccess") {
        SnapshotAccess::Full
    } else if is("InstantAccess") {
        SnapshotAccess::RestoreOnly
    } else if is("Pending") {
        SnapshotAccess::Pending
    } else {
        SnapshotAccess::Unknown(state)
    }
}

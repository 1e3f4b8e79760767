//! The state of a point and of its disks, as it follows from what the compute and the disk provider report.
//!
//! `provisioningState` decides first. Of a point whose data comes from another region, such as a copy, it is `Succeeded`
//! as soon as the transfer has begun; whether the data has arrived is reported disk by disk, in the instance view (compute
//! provider) and in the list of disk restore points (disk provider). Such a point is READY only when every disk is
//! reported as succeeded: an unknown code, a missing entry and a missing instance view all mean COPYING. A point whose data
//! is there may still be CREATING, or usable for a restore only, while its disks are copied in the background: see
//! [`super::snapshot_access`].

use std::sync::Arc;

use super::client::DiskApiVersion;
use super::dto;
use super::id::{eq_ignore_case, normalized_region};
use super::redact::redact_message;
use super::replication::{ReplicationReport, aggregate_report, disk_reports, report_of};
use super::snapshot_access::{self, SnapshotAccess};
use crate::model::{OtherUses, PointFailure, State};

/// The status of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PointStatus {
    pub(super) state: State,
    /// What it can be used for besides a restore, if it is READY.
    pub(super) other_uses: OtherUses,
    /// Why, for people.
    pub(super) reason: String,
    /// Percent of the data that has arrived, weighted by the sizes of the disks.
    pub(super) percent: Option<i32>,
    /// One for each disk, in the order of [`PointDisks::included`].
    pub(super) disks: Vec<DiskStatus>,
    /// Of a copy whose replication failed. Why an operation failed is reported by the operation only.
    pub(super) failure: Option<PointFailure>,
}

/// The status of one disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DiskStatus {
    pub(super) state: State,
    pub(super) percent: Option<i32>,
}

/// What is known about the data of a point besides its instance view.
#[derive(Debug, Clone, Copy)]
pub(super) enum DataEvidence<'a> {
    /// The disk provider's list of its disks; empty if that was not read.
    Reported(&'a [dto::DiskRestorePoint]),
    /// An earlier read found it complete.
    Cached(&'a CompletePoint),
}

/// What a point was found complete by, which does not change again.
#[derive(Debug, Clone)]
pub(super) struct CompletePoint {
    /// The aggregate replication code.
    pub(super) replication_code: String,
    /// The disk provider's list of its disks, if that was read.
    pub(super) disks: Arc<[dto::DiskRestorePoint]>,
}

impl<'a> DataEvidence<'a> {
    /// The disk provider's list of the disks; empty if that was not read.
    pub(super) fn provider_disks(self) -> &'a [dto::DiskRestorePoint] {
        match self {
            Self::Reported(disks) => disks,
            Self::Cached(complete) => &complete.disks,
        }
    }
}

/// The disks of a virtual machine by whether its point includes them.
///
/// ARM lists every disk, excluded ones too, and does not repeat which were excluded. But when it has created the point it
/// adds disk restore points to all included disks at once: a disk that then has none is excluded.
#[derive(Debug)]
pub(super) struct PointDisks<'a> {
    pub(super) included: Vec<&'a dto::Disk>,
    pub(super) excluded: Vec<&'a dto::Disk>,
}

impl<'a> PointDisks<'a> {
    pub(super) fn of(point: &'a dto::RestorePoint) -> Self {
        let has_ids = ProvisioningState::of(point) != ProvisioningState::Failed
            && point.vm_disks().any(|disk| disk.disk_restore_point_id().is_some());
        let (included, excluded) =
            point.vm_disks().partition(|disk| !has_ids || disk.disk_restore_point_id().is_some());
        Self { included, excluded }
    }
}

/// `provisioningState`, in any casing. By ARM's contract a resource without one has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProvisioningState<'a> {
    Creating,
    Succeeded,
    Failed,
    Deleting,
    Unknown(&'a str),
}

impl<'a> ProvisioningState<'a> {
    fn of(point: &'a dto::RestorePoint) -> Self {
        match point.properties.provisioning_state.as_deref() {
            None => Self::Succeeded,
            Some(text) if eq_ignore_case(text, "Succeeded") => Self::Succeeded,
            Some(text) if eq_ignore_case(text, "Creating") => Self::Creating,
            Some(text) if eq_ignore_case(text, "Failed") => Self::Failed,
            Some(text) if eq_ignore_case(text, "Deleting") => Self::Deleting,
            Some(text) => Self::Unknown(text),
        }
    }
}

/// The status of a point whose collection is in `region`.
pub(super) fn point_status(
    point: &dto::RestorePoint,
    region: &str,
    evidence: DataEvidence<'_>,
) -> PointStatus {
    match ProvisioningState::of(point) {
        ProvisioningState::Creating => {
            uniform(point, State::Creating, State::Creating, "ARM is creating it")
        }
        ProvisioningState::Failed => {
            uniform(point, State::Failed, State::Failed, "its creation failed")
        }
        ProvisioningState::Deleting => {
            uniform(point, State::Deleting, State::Unknown, "ARM is deleting it")
        }
        ProvisioningState::Unknown(text) => {
            let reason = format!("unknown provisioningState `{}`", redact_message(text));
            uniform(point, State::Unknown, State::Unknown, &reason)
        }
        ProvisioningState::Succeeded => match evidence {
            DataEvidence::Cached(_) if is_from_another_region(point, region) => {
                PointStatus { other_uses: all_other_uses(point), ..arrived(point) }
            }
            DataEvidence::Cached(_) => {
                PointStatus { other_uses: all_other_uses(point), ..local(point) }
            }
            DataEvidence::Reported(provider)
                if is_from_another_region(point, region) || reports_replication(point) =>
            {
                match replication_status(point, provider) {
                    status if status.state == State::Ready => {
                        let access = |disk| snapshot_access::of_arrived_disk(disk, point, provider);
                        limited_by_access(point, status, access)
                    }
                    status => status,
                }
            }
            DataEvidence::Reported(provider) => {
                let access = |disk| snapshot_access::of_local_disk(disk, point, provider);
                limited_by_access(point, local(point), access)
            }
        },
    }
}

/// Whether ARM has created the point, whatever has become of its data.
pub(super) fn is_created(point: &dto::RestorePoint) -> bool {
    ProvisioningState::of(point) == ProvisioningState::Succeeded
}

/// Whether the state of a point in `region` depends on its instance view.
pub(super) fn needs_instance_view(point: &dto::RestorePoint, region: &str) -> bool {
    let is_limited = || {
        has_instant_access(point)
            || PointDisks::of(point)
                .included
                .into_iter()
                .any(snapshot_access::is_copied_in_background)
    };
    is_created(point) && (is_from_another_region(point, region) || is_limited())
}

/// Whether the data of a point has to be transferred to its region: it is a copy, or it was taken of a virtual machine in
/// another region, which Azure offered until 2023.
fn is_from_another_region(point: &dto::RestorePoint, region: &str) -> bool {
    let metadata = point.properties.source_metadata.as_ref();
    let vm_region = metadata.and_then(|metadata| metadata.location.as_deref());
    point.copied_from().is_some()
        || vm_region.is_some_and(|vm_region| normalized_region(vm_region) != region)
}

/// Whether the instance view of a point reports a replication that has not succeeded. That of a disk in instant access
/// is about the copy of its data to snapshot storage, in the background.
fn reports_replication(point: &dto::RestorePoint) -> bool {
    let disks = point.disk_instance_views().unwrap_or_default();
    let is_ordinary = |disk: &&dto::DiskInstanceView| disk.snapshot_access_state.is_none();
    let reports = disks.iter().filter(is_ordinary).map(ReplicationReport::from_instance_view);
    let aggregate = aggregate_report(point).filter(|_| disks.iter().all(|disk| is_ordinary(&disk)));
    reports.chain(aggregate).any(|report| report.has_status && report.state != State::Ready)
}

/// The version of the disk provider to read, if it may know more than the instance view that was read: ARM leaves
/// ordinary disks out of the instance view of an instant access point, and disks that are copied in the background out
/// of that of an ordinary point.
pub(super) fn needed_disk_provider(
    point: &dto::RestorePoint,
    region: &str,
) -> Option<DiskApiVersion> {
    if !is_created(point) {
        return None;
    }
    if is_from_another_region(point, region) {
        return lacks_replication(point).then_some(DiskApiVersion::Replication);
    }
    let is_unreported = |disk: &dto::Disk| {
        snapshot_access::of_local_disk(disk, point, &[]) == SnapshotAccess::Unreported
    };
    let included = PointDisks::of(point).included;
    included.into_iter().any(is_unreported).then_some(DiskApiVersion::SnapshotAccess)
}

fn lacks_replication(point: &dto::RestorePoint) -> bool {
    if replication_status(point, &[]).state != State::Copying {
        return false;
    }
    let PointDisks { included, excluded } = PointDisks::of(point);
    let reports = disk_reports(point, &[]);
    let is_reported =
        |disk: &&dto::Disk| report_of(disk, &reports).is_some_and(|report| report.has_status);
    !included.iter().all(is_reported) || (!excluded.is_empty() && aggregate_report(point).is_none())
}

/// Whether the instance view reports the instant access of disks.
pub(super) fn has_instant_access(point: &dto::RestorePoint) -> bool {
    point.properties.instant_access_duration_minutes.is_some()
}

/// Whether the operation that creates the point has failed, so that only the operation has the reason.
pub(super) fn is_creation_failed(point: &dto::RestorePoint) -> bool {
    ProvisioningState::of(point) == ProvisioningState::Failed
}

/// The reason of a READY point that may hold less than was requested; else empty.
fn crash_consistency_note(point: &dto::RestorePoint) -> &'static str {
    match point.properties.consistency_mode.as_deref() {
        Some(mode) if eq_ignore_case(mode, "CrashConsistent") => {
            "it is crash consistent: as requested, or because the guest agent did not respond; ARM does \
             not report which"
        }
        _ => "",
    }
}

/// A status without progress, in which all disks have the same state.
fn uniform(point: &dto::RestorePoint, state: State, disks: State, reason: &str) -> PointStatus {
    let disk = DiskStatus { state: disks, percent: None };
    PointStatus {
        state,
        reason: reason.to_owned(),
        other_uses: OtherUses::default(),
        percent: None,
        disks: vec![disk; PointDisks::of(point).included.len()],
        failure: None,
    }
}

/// The status of a point whose data is in its region from the start.
fn local(point: &dto::RestorePoint) -> PointStatus {
    uniform(point, State::Ready, State::Ready, crash_consistency_note(point))
}

/// All that the vendor allows with such a point once its data is accessible. Azure copies neither copies nor points of
/// confidential virtual machines.
fn all_other_uses(point: &dto::RestorePoint) -> OtherUses {
    let metadata = point.properties.source_metadata.as_ref();
    let security = metadata.and_then(|metadata| metadata.security_profile.as_ref());
    let kind = security.and_then(|security| security.security_type.as_deref());
    let is_confidential = kind.is_some_and(|kind| eq_ignore_case(kind, "ConfidentialVM"));
    OtherUses {
        copy: point.copied_from().is_none() && !is_confidential,
        export: true,
        pending: false,
    }
}

/// The status of a point that is READY as far as the access to its disks allows.
fn limited_by_access<'a>(
    point: &'a dto::RestorePoint,
    ready: PointStatus,
    access: impl Fn(&'a dto::Disk) -> SnapshotAccess<'a>,
) -> PointStatus {
    let included = PointDisks::of(point).included;
    let accesses: Vec<SnapshotAccess<'_>> = included.iter().copied().map(access).collect();
    let names = |wanted: &dyn Fn(&SnapshotAccess<'_>) -> bool| -> String {
        let limited = included.iter().zip(&accesses).filter(|(_, access)| wanted(access));
        let names: Vec<&str> = limited.filter_map(|(disk, _)| disk.name.as_deref()).collect();
        names.join(", ")
    };
    let blocked = accesses.iter().find_map(|access| match access {
        SnapshotAccess::Pending => Some(format!(
            "the data of {} is still being copied in the background (snapshotAccessState Pending)",
            names(&|access| *access == SnapshotAccess::Pending)
        )),
        SnapshotAccess::Unreported => Some(format!(
            "the data of {} has to be copied in the background, and Azure does not report whether it is",
            names(&|access| *access == SnapshotAccess::Unreported)
        )),
        SnapshotAccess::Unknown(text) => Some(format!(
            "{} has the unknown snapshotAccessState `{}`",
            names(&|access| *access == SnapshotAccess::Unknown(text)),
            redact_message(text)
        )),
        SnapshotAccess::Full | SnapshotAccess::RestoreOnly => None,
    });
    if let Some(reason) = blocked {
        let with_access = |(disk, access): (&DiskStatus, &SnapshotAccess<'_>)| match access {
            SnapshotAccess::Full | SnapshotAccess::RestoreOnly => *disk,
            _ => DiskStatus { state: State::Creating, ..*disk },
        };
        let disks = ready.disks.iter().zip(&accesses).map(with_access).collect();
        return PointStatus { state: State::Creating, reason, disks, ..ready };
    }
    let restore_only = names(&|access| *access == SnapshotAccess::RestoreOnly);
    if accesses.contains(&SnapshotAccess::RestoreOnly) {
        let limit = format!(
            "a restore can start from instant access, but no copy and no export until the data of \
             {restore_only} has been copied in the background (snapshotAccessState InstantAccess)"
        );
        let reasons = [limit, ready.reason.clone()];
        let reasons: Vec<String> =
            reasons.into_iter().filter(|reason| !reason.is_empty()).collect();
        let other_uses = OtherUses { pending: true, ..OtherUses::default() };
        return PointStatus { reason: reasons.join("; "), other_uses, ..ready };
    }
    PointStatus { other_uses: all_other_uses(point), ..ready }
}

/// What is replicated, as people call it.
fn noun(point: &dto::RestorePoint) -> &'static str {
    if point.copied_from().is_some() { "copy" } else { "restore point" }
}

fn arrived(point: &dto::RestorePoint) -> PointStatus {
    let disk = DiskStatus { state: State::Ready, percent: Some(100) };
    let reason = format!("every disk of the {} has arrived", noun(point));
    let status = uniform(point, State::Ready, State::Ready, &reason);
    PointStatus { percent: Some(100), disks: vec![disk; status.disks.len()], ..status }
}

/// The status of a point whose replication has begun.
fn replication_status(
    point: &dto::RestorePoint,
    provider: &[dto::DiskRestorePoint],
) -> PointStatus {
    let PointDisks { included, excluded } = PointDisks::of(point);
    let reports = disk_reports(point, provider);
    let disks: Vec<DiskStatus> =
        included.iter().map(|disk| disk_status(report_of(disk, &reports))).collect();

    let aggregate = aggregate_report(point);
    let failed = reports.iter().chain(&aggregate).find(|report| report.state == State::Failed);
    if let Some(failed) = failed {
        let failure = replication_failure(noun(point), &included, &disks, failed);
        let status = uniform(point, State::Failed, State::Unknown, &failure.message);
        return PointStatus { disks, failure: Some(failure), ..status };
    }

    let count = disks.iter().filter(|disk| disk.state == State::Ready).count();
    let all_arrived = !disks.is_empty() && count == disks.len();
    // Includes disk restore points that belong to no disk of the virtual machine.
    let all_reports_ready = reports.iter().all(|report| report.state == State::Ready);
    // That a disk without a restore point is excluded is certain only when something covers the point as a whole: the
    // aggregate, or the disk provider's list of all disk restore points.
    let is_covered = excluded.is_empty()
        || aggregate.as_ref().map_or(!provider.is_empty(), |report| report.state == State::Ready);
    if all_arrived && all_reports_ready && is_covered {
        return arrived(point);
    }

    let what = if point.copied_from().is_some() { "copy" } else { "replication" };
    let is_reported = point.properties.instance_view.is_some() || !provider.is_empty();
    let reason = if is_reported {
        format!("the {what} is under way; {count} of {} disks have arrived", disks.len())
    } else {
        format!("the {what} has begun; ARM does not report its progress yet")
    };
    let percent = weighted_percent(&included, &disks);
    let status = uniform(point, State::Copying, State::Copying, &reason);
    PointStatus { percent, disks, ..status }
}

fn disk_status(report: Option<&ReplicationReport<'_>>) -> DiskStatus {
    let Some(report) = report else {
        return DiskStatus { state: State::Copying, percent: None };
    };
    let percent = match report.state {
        State::Ready => Some(100),
        // ARM does not keep the percentage of a failed disk.
        State::Failed => None,
        _ => report.percent,
    };
    DiskStatus { state: report.state, percent }
}

/// Percent of all data; none if no disk has a percentage. A single disk without one counts as 0; if a size is missing,
/// all disks have the same weight.
fn weighted_percent(included: &[&dto::Disk], disks: &[DiskStatus]) -> Option<i32> {
    if disks.iter().all(|disk| disk.percent.is_none()) {
        return None;
    }
    let sizes: Vec<i128> = included
        .iter()
        .map(|disk| i128::from(disk.disk_size_gb.map_or(0, |size| size.0.max(0))))
        .collect();
    let are_known = sizes.iter().all(|size| *size > 0);
    let weight = |size: &i128| if are_known { *size } else { 1 };
    let total: i128 = sizes.iter().map(weight).sum();
    let arrived: i128 = sizes
        .iter()
        .zip(disks)
        .map(|(size, disk)| weight(size) * i128::from(disk.percent.unwrap_or(0)))
        .sum();
    i32::try_from(arrived.checked_div(total)?).ok()
}

fn replication_failure(
    noun: &str,
    included: &[&dto::Disk],
    disks: &[DiskStatus],
    failed: &ReplicationReport<'_>,
) -> PointFailure {
    let names: Vec<&str> = included
        .iter()
        .zip(disks)
        .filter(|(_, status)| status.state == State::Failed)
        .filter_map(|(disk, _)| disk.name.as_deref())
        .collect();
    let what = if names.is_empty() { format!("the {noun}") } else { names.join(", ") };
    let text = failed.message.map(|text| format!(" (ARM: {})", redact_message(text)));
    PointFailure {
        code: failed.code.to_owned(),
        message: format!(
            "the replication of {what} failed{}; ARM keeps no reason and cannot resume it: delete \
             this point and copy again",
            text.unwrap_or_default()
        ),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;

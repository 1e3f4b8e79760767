//! What the providers report about the replication of a point and of its disks, and the other families of statuses in the
//! instance view.
//!
//! The compute provider has codes such as `ReplicationState/replicating`, the disk provider the single word. Codes of
//! several families stand side by side in the `statuses` of an instance view, in any order, and are told apart by their
//! prefix (the official example of 2025-04-01).

use super::dto;
use super::id::eq_ignore_case;
use crate::model::State;

/// The prefix of codes about replication.
const REPLICATION: &str = "ReplicationState";
/// The prefix of codes about instant access.
const INSTANT_ACCESS: &str = "InstantAccessState";

/// The aggregate replication code of the instance view; empty if it has none.
pub(super) fn replication_code(point: &dto::RestorePoint) -> String {
    replication_statuses(point).find_map(|status| status.code.clone()).unwrap_or_default()
}

/// The state of instant access in the instance view, such as `AvailableWithInstantAccess`; none if it has no such status.
pub(super) fn instant_access_state(point: &dto::RestorePoint) -> Option<String> {
    statuses(point).find_map(|status| {
        let (family, word) = status.code.as_deref()?.split_once('/')?;
        if !eq_ignore_case(family, INSTANT_ACCESS) {
            return None;
        }
        // The code spells the word in camel case; the display status as the states of disks are spelled.
        let display = status.display_status.as_deref().filter(|text| eq_ignore_case(text, word));
        Some(display.unwrap_or(word).to_owned())
    })
}

fn statuses(point: &dto::RestorePoint) -> impl Iterator<Item = &dto::InstanceViewStatus> {
    let view = point.properties.instance_view.as_ref();
    view.and_then(|view| view.statuses.as_deref()).into_iter().flatten()
}

/// The statuses of the point as a whole that are about replication. One whose code names no family counts too: it may
/// report a failure.
fn replication_statuses(
    point: &dto::RestorePoint,
) -> impl Iterator<Item = &dto::InstanceViewStatus> {
    statuses(point).filter(|status| {
        let family = status.code.as_deref().and_then(|code| code.split_once('/'));
        family.is_none_or(|(family, _)| eq_ignore_case(family, REPLICATION))
    })
}

/// The replication of one disk restore point, or of a point as a whole, as one of the providers reports it.
#[derive(Debug)]
pub(super) struct ReplicationReport<'a> {
    /// ARM id of the disk restore point; empty for the point as a whole.
    pub(super) id: &'a str,
    /// READY, FAILED, or else COPYING.
    pub(super) state: State,
    pub(super) percent: Option<i32>,
    /// The provider's code for the state.
    pub(super) code: &'a str,
    /// The provider's text.
    pub(super) message: Option<&'a str>,
    /// False for an entry that lists the disk without the status of its replication.
    pub(super) has_status: bool,
}

impl<'a> ReplicationReport<'a> {
    /// The instance view has a code such as `ReplicationState/replicating`. Only that of success is documented, and no
    /// code of failure, so the level counts too.
    fn from_status(
        id: &'a str,
        status: Option<&'a dto::InstanceViewStatus>,
        percent: Option<dto::LenientInteger>,
    ) -> Self {
        let code = status.and_then(|status| status.code.as_deref()).unwrap_or_default();
        let level = status.and_then(|status| status.level.as_deref());
        let texts = status.into_iter().flat_map(|status| [&status.message, &status.display_status]);
        let state = match level {
            Some(level) if eq_ignore_case(level, "Error") => State::Failed,
            _ => replication_state(code.rsplit('/').next().unwrap_or_default()),
        };
        Self {
            id,
            state,
            percent: percent.map(clamped_percent),
            code,
            message: texts.flatten().map(String::as_str).find(|text| !text.is_empty()),
            has_status: status.is_some(),
        }
    }

    pub(super) fn from_instance_view(disk: &'a dto::DiskInstanceView) -> Self {
        let replication = disk.replication_status.as_ref();
        let status = replication.and_then(|replication| replication.status.as_ref());
        let percent = replication.and_then(|replication| replication.completion_percent);
        Self::from_status(disk.id.as_deref().unwrap_or_default(), status, percent)
    }

    /// The disk provider has the state as a single word.
    fn from_disk_provider(disk: &'a dto::DiskRestorePoint) -> Self {
        let word = disk.properties.replication_state.as_deref();
        Self {
            id: &disk.id,
            state: replication_state(word.unwrap_or_default()),
            percent: disk.properties.completion_percent.map(clamped_percent),
            code: word.unwrap_or_default(),
            message: None,
            has_status: word.is_some(),
        }
    }
}

/// A report for each disk restore point that either provider lists: the instance view's, or the disk provider's if the
/// instance view has no status for it.
pub(super) fn disk_reports<'a>(
    point: &'a dto::RestorePoint,
    provider: &'a [dto::DiskRestorePoint],
) -> Vec<ReplicationReport<'a>> {
    let mut reports: Vec<_> = provider.iter().map(ReplicationReport::from_disk_provider).collect();
    for disk in point.disk_instance_views().into_iter().flatten() {
        let report = ReplicationReport::from_instance_view(disk);
        let mut provided = reports[..provider.len()].iter_mut();
        match provided.find(|provided| eq_ignore_case(provided.id, report.id)) {
            Some(provided) if report.has_status => *provided = report,
            Some(_) => {}
            None => reports.push(report),
        }
    }
    reports
}

/// The instance view's report on the point as a whole.
pub(super) fn aggregate_report(point: &dto::RestorePoint) -> Option<ReplicationReport<'_>> {
    let reports = replication_statuses(point)
        .map(|status| ReplicationReport::from_status("", Some(status), None));
    // The worst, if there are several.
    reports.max_by_key(|report| match report.state {
        State::Ready => 0,
        State::Failed => 2,
        _ => 1,
    })
}

pub(super) fn report_of<'a, 'r>(
    disk: &dto::Disk,
    reports: &'r [ReplicationReport<'a>],
) -> Option<&'r ReplicationReport<'a>> {
    let id = disk.disk_restore_point_id()?;
    reports.iter().find(|report| eq_ignore_case(report.id, id))
}

fn replication_state(word: &str) -> State {
    if eq_ignore_case(word, "failed") {
        State::Failed
    } else if eq_ignore_case(word, "succeeded") {
        State::Ready
    } else {
        State::Copying
    }
}

fn clamped_percent(number: dto::LenientInteger) -> i32 {
    i32::try_from(number.0.clamp(0, 100)).unwrap_or_default()
}

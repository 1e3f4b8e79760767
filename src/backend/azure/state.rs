//! Where a point stands: the state table, and how much of a copy has arrived.
//!
//! ARM says `Succeeded` of a copy as soon as it has begun. Whether the data is there is told disk by disk,
//! in the instance view and by the disk provider, and nothing but "succeeded" for each disk is taken for an
//! answer: an unknown code, a missing entry or a missing view mean that it is still under way.

use crate::model::{PointFailure, State};

use super::id::same;
use super::report::{Report, aggregate, report_of, reports};
use super::wire;

/// Where a point stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: State,
    /// For people.
    pub(super) reason: String,
    /// Percent of a copy's data, weighted by the sizes of its disks.
    pub(super) percent: Option<i32>,
    /// One for each disk, in the order of [`Disks::held`].
    pub(super) disks: Vec<DiskStanding>,
    /// What the disks of a failed copy say. Of a failed operation ARM tells nothing here.
    pub(super) failure: Option<PointFailure>,
}

/// Where one disk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DiskStanding {
    pub(super) state: State,
    pub(super) percent: Option<i32>,
}

/// What is known of a copy's data besides its instance view.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arrival<'a> {
    /// What the disk provider says of each of its disks; empty if it was not asked, or did not answer.
    Told(&'a [wire::DiskPoint]),
    /// All of it was seen to be there, with this aggregate code; that does not change again.
    Seen(&'a str),
}

/// The disks of a machine, by whether its point holds them.
///
/// ARM shows every disk of the machine whichever were excluded, and echoes no list of those. But it gives
/// a disk restore point to each disk that is in the point, to all of them at once when it has made the
/// point: a disk that then has none is not in it.
#[derive(Debug)]
pub(super) struct Disks<'a> {
    pub(super) held: Vec<&'a wire::Disk>,
    pub(super) left_out: Vec<&'a wire::Disk>,
}

impl<'a> Disks<'a> {
    pub(super) fn of(point: &'a wire::Point) -> Self {
        let made = Provisioning::of(point) != Provisioning::Failed
            && point.machine_disks().any(|disk| disk.point_id().is_some());
        let (held, left_out) =
            point.machine_disks().partition(|disk| !made || disk.point_id().is_some());
        Self { held, left_out }
    }
}

/// What provisioningState says, in any casing. By ARM's contract a resource without one has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provisioning<'a> {
    Creating,
    Succeeded,
    Failed,
    Deleting,
    Other(&'a str),
}

impl<'a> Provisioning<'a> {
    pub(super) fn of(point: &'a wire::Point) -> Self {
        match point.properties.provisioning_state.as_deref() {
            None => Self::Succeeded,
            Some(text) if same(text, "Succeeded") => Self::Succeeded,
            Some(text) if same(text, "Creating") => Self::Creating,
            Some(text) if same(text, "Failed") => Self::Failed,
            Some(text) if same(text, "Deleting") => Self::Deleting,
            Some(text) => Self::Other(text),
        }
    }
}

/// The whole table.
pub(super) fn standing(point: &wire::Point, arrival: Arrival<'_>) -> Standing {
    match (Provisioning::of(point), arrival) {
        (Provisioning::Creating, _) => {
            plain(point, State::Creating, State::Creating, "ARM is still making it")
        }
        (Provisioning::Failed, _) => plain(point, State::Failed, State::Failed, "making it failed"),
        (Provisioning::Deleting, _) => {
            plain(point, State::Deleting, State::Unknown, "ARM is deleting it")
        }
        (Provisioning::Other(text), _) => {
            let text = crate::upstream::redact_text(text);
            let reason = format!("provisioningState is `{text}`, which is not known here");
            plain(point, State::Unknown, State::Unknown, &reason)
        }
        (Provisioning::Succeeded, _) if point.copied_from().is_none() => {
            plain(point, State::Ready, State::Ready, crash_note(point))
        }
        (Provisioning::Succeeded, Arrival::Seen(_)) => ready_copy(point),
        (Provisioning::Succeeded, Arrival::Told(provider)) => copy(point, provider),
    }
}

/// Whether the instance view, which was asked for, leaves open what only the disk provider can close: of a
/// point in instant access ARM leaves ordinary disks out of it.
pub(super) fn needs_disk_status(point: &wire::Point) -> bool {
    if point.copied_from().is_none()
        || Provisioning::of(point) != Provisioning::Succeeded
        || copy(point, &[]).state != State::Copying
    {
        return false;
    }
    let Disks { held, left_out } = Disks::of(point);
    let reports = reports(point, &[]);
    let told = |disk: &&wire::Disk| report_of(disk, &reports).is_some_and(|report| report.told);
    !held.iter().all(told) || (!left_out.is_empty() && aggregate(point).is_none())
}

/// A point that is less than what was probably asked for is still READY, but people should know.
fn crash_note(point: &wire::Point) -> &'static str {
    match point.properties.consistency_mode.as_deref() {
        Some(mode) if same(mode, "CrashConsistent") => {
            "it is crash consistent: asked for, or because the guest agent did not answer; ARM does not \
             tell which"
        }
        _ => "",
    }
}

fn plain(point: &wire::Point, state: State, each: State, reason: &str) -> Standing {
    let disk = DiskStanding { state: each, percent: None };
    Standing {
        state,
        reason: reason.to_owned(),
        percent: None,
        disks: vec![disk; Disks::of(point).held.len()],
        failure: None,
    }
}

fn ready_copy(point: &wire::Point) -> Standing {
    let disk = DiskStanding { state: State::Ready, percent: Some(100) };
    let standing = plain(point, State::Ready, State::Ready, "every disk of the copy has arrived");
    Standing { percent: Some(100), disks: vec![disk; standing.disks.len()], ..standing }
}

fn copy(point: &wire::Point, provider: &[wire::DiskPoint]) -> Standing {
    let Disks { held, left_out } = Disks::of(point);
    let reports = reports(point, provider);
    let disks: Vec<DiskStanding> =
        held.iter().map(|disk| disk_standing(report_of(disk, &reports))).collect();

    let total = aggregate(point);
    let failed = reports.iter().chain(&total).find(|report| report.state == State::Failed);
    if let Some(failed) = failed {
        let failure = failure(&held, &disks, failed);
        let reason = failure.message.clone();
        let plain = plain(point, State::Failed, State::Unknown, &reason);
        return Standing { disks, failure: Some(failure), ..plain };
    }

    let all_told = reports.iter().all(|report| report.state == State::Ready);
    let all_there = disks.iter().all(|disk| disk.state == State::Ready);
    // That a disk without a restore point is no part of the copy is believed only together with a word on
    // the copy as a whole: the aggregate, or the disk provider's list of all that there is.
    let whole = left_out.is_empty()
        || total.as_ref().map_or(!provider.is_empty(), |total| total.state == State::Ready);
    if !disks.is_empty() && all_there && all_told && whole {
        return ready_copy(point);
    }
    let arrived = disks.iter().filter(|disk| disk.state == State::Ready).count();
    let reason = match (point.properties.instance_view.is_some(), provider, disks.len()) {
        (false, [], _) => "the copy has begun; ARM does not tell yet how far it is".to_owned(),
        (_, _, count) => format!("the copy is under way; {arrived} of {count} disks have arrived"),
    };
    let listed = point.entries().is_some() || !provider.is_empty();
    let percent = if listed { weighted(&held, &disks) } else { None };
    let plain = plain(point, State::Copying, State::Copying, &reason);
    Standing { percent, disks, ..plain }
}

fn disk_standing(report: Option<&Report<'_>>) -> DiskStanding {
    match report {
        None => DiskStanding { state: State::Copying, percent: None },
        Some(Report { state: State::Ready, .. }) => {
            DiskStanding { state: State::Ready, percent: Some(100) }
        }
        // ARM drops the figure of a failed disk; what may still be there means nothing.
        Some(Report { state: State::Failed, .. }) => {
            DiskStanding { state: State::Failed, percent: None }
        }
        Some(report) => DiskStanding { state: report.state, percent: report.percent },
    }
}

/// Percent of all data; where ARM leaves out a size, all disks count the same.
fn weighted(held: &[&wire::Disk], disks: &[DiskStanding]) -> Option<i32> {
    let sizes: Vec<i128> = held
        .iter()
        .map(|disk| i128::from(disk.disk_size_gb.map_or(0, |size| size.0.max(0))))
        .collect();
    let known = sizes.iter().all(|size| *size > 0);
    let weight = |size: &i128| if known { *size } else { 1 };
    let total: i128 = sizes.iter().map(weight).sum();
    let arrived: i128 = sizes
        .iter()
        .zip(disks)
        .map(|(size, disk)| weight(size) * i128::from(disk.percent.unwrap_or(0)))
        .sum();
    i32::try_from(arrived.checked_div(total)?).ok()
}

fn failure(held: &[&wire::Disk], disks: &[DiskStanding], failed: &Report<'_>) -> PointFailure {
    let names: Vec<&str> = held
        .iter()
        .zip(disks)
        .filter(|(_, standing)| standing.state == State::Failed)
        .filter_map(|(disk, _)| disk.name.as_deref())
        .collect();
    let which = match names.as_slice() {
        [] => "of the copy".to_owned(),
        names => format!("of {}", names.join(", ")),
    };
    let said = failed.said.map(|text| format!(" (ARM: {})", crate::upstream::redact_text(text)));
    PointFailure {
        code: failed.code.to_owned(),
        message: format!(
            "the replication {which} failed{}; ARM keeps no reason and cannot resume it: delete \
             this point and copy again",
            said.unwrap_or_default()
        ),
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;

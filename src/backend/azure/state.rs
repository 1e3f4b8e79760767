//! Where a point stands: the state table, and how much of a copy has arrived.
//!
//! ARM says `Succeeded` of a copy as soon as it has begun. Whether the data is there stands in the
//! instance view alone, disk by disk, and nothing but "succeeded" for each disk is taken for an answer:
//! an unknown code, a missing entry or a missing view mean that it is still under way.

use crate::model::{Failure, State};

use super::id::same;
use super::wire;

/// Where a point stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: State,
    /// For people.
    pub(super) reason: String,
    /// Percent of a copy's data, weighted by the sizes of its disks.
    pub(super) percent: Option<i32>,
    /// One for each disk, in the order of [`wire::Point::disks`].
    pub(super) disks: Vec<DiskStanding>,
    /// What the disks of a failed copy say. Of a failed operation ARM tells nothing here.
    pub(super) failure: Option<Failure>,
}

/// Where one disk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DiskStanding {
    pub(super) state: State,
    pub(super) percent: Option<i32>,
}

/// What is known of a copy's data besides its instance view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival<'a> {
    /// Nothing.
    AsTold,
    /// All of it was seen to be there, with this aggregate code; that does not change again.
    Seen(&'a str),
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
    match Provisioning::of(point) {
        Provisioning::Creating => {
            plain(point, State::Creating, State::Creating, "ARM is still making it")
        }
        Provisioning::Failed => plain(point, State::Failed, State::Failed, "making it failed"),
        Provisioning::Deleting => {
            plain(point, State::Deleting, State::Unknown, "ARM is deleting it")
        }
        Provisioning::Other(text) => {
            let reason = format!("provisioningState is `{text}`, which is not known here");
            plain(point, State::Unknown, State::Unknown, &reason)
        }
        Provisioning::Succeeded if point.copied_from().is_none() => {
            plain(point, State::Ready, State::Ready, "")
        }
        Provisioning::Succeeded if arrival != Arrival::AsTold => ready_copy(point),
        Provisioning::Succeeded => copy(point),
    }
}

fn plain(point: &wire::Point, state: State, each: State, reason: &str) -> Standing {
    let disk = DiskStanding { state: each, percent: None };
    Standing {
        state,
        reason: reason.to_owned(),
        percent: None,
        disks: vec![disk; point.disks().count()],
        failure: None,
    }
}

fn ready_copy(point: &wire::Point) -> Standing {
    let disk = DiskStanding { state: State::Ready, percent: Some(100) };
    let standing = plain(point, State::Ready, State::Ready, "every disk of the copy has arrived");
    Standing { percent: Some(100), disks: vec![disk; standing.disks.len()], ..standing }
}

fn copy(point: &wire::Point) -> Standing {
    let view = point.properties.instance_view.as_ref();
    let entries = view.and_then(|view| view.disk_restore_points.as_deref());
    let told = entries.unwrap_or_default();
    let total = view.and_then(|view| view.statuses.as_deref()).unwrap_or_default();

    let disks: Vec<DiskStanding> =
        point.disks().map(|disk| disk_standing(entry_of(disk, told))).collect();
    let failed: Vec<&wire::Status> = told
        .iter()
        .filter_map(status)
        .chain(total)
        .filter(|status| replicated(status) == State::Failed)
        .collect();
    if let Some(first) = failed.first() {
        let failure = failure(point, &disks, first);
        let reason = failure.message.clone();
        let plain = plain(point, State::Failed, State::Unknown, &reason);
        return Standing { disks, failure: Some(failure), ..plain };
    }

    let all_told = told.iter().all(|entry| status(entry).map(replicated) == Some(State::Ready));
    let all_there = disks.iter().all(|disk| disk.state == State::Ready);
    if !disks.is_empty() && all_there && all_told {
        return ready_copy(point);
    }
    let arrived = disks.iter().filter(|disk| disk.state == State::Ready).count();
    let reason = match (view, disks.len()) {
        (None, _) => "the copy has begun; ARM does not tell yet how far it is".to_owned(),
        (_, count) => format!("the copy is under way; {arrived} of {count} disks have arrived"),
    };
    let percent = entries.and_then(|_| weighted(point, &disks));
    let plain = plain(point, State::Copying, State::Copying, &reason);
    Standing { percent, disks, ..plain }
}

fn entry_of<'a>(
    disk: &wire::Disk,
    entries: &'a [wire::DiskReplication],
) -> Option<&'a wire::DiskReplication> {
    let id = disk.disk_restore_point.as_ref()?.id.as_deref()?;
    entries.iter().find(|entry| entry.id.as_deref().is_some_and(|other| same(other, id)))
}

fn status(entry: &wire::DiskReplication) -> Option<&wire::Status> {
    entry.replication_status.as_ref()?.status.as_ref()
}

fn disk_standing(entry: Option<&wire::DiskReplication>) -> DiskStanding {
    let Some(entry) = entry else {
        return DiskStanding { state: State::Copying, percent: None };
    };
    let told = entry.replication_status.as_ref().and_then(|status| status.completion_percent);
    let told = told.and_then(|percent| i32::try_from(percent.0.clamp(0, 100)).ok());
    match status(entry).map_or(State::Copying, replicated) {
        State::Ready => DiskStanding { state: State::Ready, percent: Some(100) },
        // ARM drops the figure of a failed disk; what may still be there means nothing.
        State::Failed => DiskStanding { state: State::Failed, percent: None },
        other => DiskStanding { state: other, percent: told },
    }
}

/// A replication code, `ReplicationState/…`: only "succeeded" is published for the end. No text of a
/// failure is, so that the level counts as well.
fn replicated(status: &wire::Status) -> State {
    let code = status.code.as_deref().unwrap_or_default();
    let word = code.rsplit('/').next().unwrap_or_default();
    let error = status.level.as_deref().is_some_and(|level| same(level, "Error"));
    if error || same(word, "failed") {
        State::Failed
    } else if same(word, "succeeded") {
        State::Ready
    } else {
        State::Copying
    }
}

/// Percent of all data; where ARM leaves out a size, all disks count the same.
fn weighted(point: &wire::Point, disks: &[DiskStanding]) -> Option<i32> {
    let sizes: Vec<i128> = point
        .disks()
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

fn failure(point: &wire::Point, disks: &[DiskStanding], status: &wire::Status) -> Failure {
    let names: Vec<&str> = point
        .disks()
        .zip(disks)
        .filter(|(_, standing)| standing.state == State::Failed)
        .filter_map(|(disk, _)| disk.name.as_deref())
        .collect();
    let which = match names.as_slice() {
        [] => "of the copy".to_owned(),
        names => format!("of {}", names.join(", ")),
    };
    let said = [&status.message, &status.display_status];
    let said = said.into_iter().flatten().find(|text| !text.is_empty());
    let said = said.map(|text| format!(" (ARM: {})", crate::http::redact_text(text)));
    Failure {
        code: status.code.clone().unwrap_or_default(),
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

//! What is said of the disks of a copy, in the two vocabularies of the compute and the disk provider.
//!
//! What follows from it for the point is [`super::state`]'s.

use crate::model::State;

use super::id::same;
use super::wire;

/// What one of the two providers says of one disk restore point, or of a copy as a whole.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) id: &'a str,
    pub(super) state: State,
    pub(super) percent: Option<i32>,
    /// The provider's own word for the state.
    pub(super) code: &'a str,
    /// What it says to people.
    pub(super) said: Option<&'a str>,
    /// Whether it says anything of the replication.
    pub(super) told: bool,
}

/// Of each disk restore point that either provider knows, what the compute provider says, or if it says
/// nothing, what the disk provider says.
pub(super) fn reports<'a>(
    point: &'a wire::Point,
    provider: &'a [wire::DiskPoint],
) -> Vec<Report<'a>> {
    let mut reports: Vec<Report<'a>> = provider.iter().map(by_disk_provider).collect();
    for report in point.entries().into_iter().flatten().map(by_instance_view) {
        let mut provided = reports[..provider.len()].iter_mut();
        match provided.find(|known| same(known.id, report.id)) {
            Some(known) if report.told => *known = report,
            Some(_) => {}
            None => reports.push(report),
        }
    }
    reports
}

/// What the instance view says of the copy as a whole.
pub(super) fn aggregate(point: &wire::Point) -> Option<Report<'_>> {
    let statuses = point.properties.instance_view.as_ref()?.statuses.as_deref()?;
    let reports = statuses.iter().map(|status| by_status("", Some(status), None));
    // The worst, if there are several: never seen, but nothing forbids it.
    reports.max_by_key(|report| match report.state {
        State::Ready => 0,
        State::Failed => 2,
        _ => 1,
    })
}

fn by_instance_view(entry: &wire::DiskInstance) -> Report<'_> {
    let replication = entry.replication_status.as_ref();
    let status = replication.and_then(|replication| replication.status.as_ref());
    let percent = replication.and_then(|replication| replication.completion_percent);
    by_status(entry.id.as_deref().unwrap_or_default(), status, percent)
}

/// A replication code, `ReplicationState/…`: only "succeeded" is published for the end. No text of a
/// failure is, so that the level counts as well.
fn by_status<'a>(
    id: &'a str,
    status: Option<&'a wire::Status>,
    percent: Option<wire::Number>,
) -> Report<'a> {
    let code = status.and_then(|status| status.code.as_deref()).unwrap_or_default();
    let level = status.and_then(|status| status.level.as_deref());
    let word = code.rsplit('/').next().unwrap_or_default();
    let said = status.into_iter().flat_map(|status| [&status.message, &status.display_status]);
    let state = match level {
        Some(level) if same(level, "Error") => State::Failed,
        _ => replicated(word),
    };
    Report {
        id,
        state,
        percent: percent.map(percentage),
        code,
        said: said.flatten().map(String::as_str).find(|text| !text.is_empty()),
        told: status.is_some(),
    }
}

/// The disk provider has the state in one word, and a percentage with a fraction.
fn by_disk_provider(disk: &wire::DiskPoint) -> Report<'_> {
    let word = disk.properties.replication_state.as_deref();
    Report {
        id: &disk.id,
        state: replicated(word.unwrap_or_default()),
        percent: disk.properties.completion_percent.map(percentage),
        code: word.unwrap_or_default(),
        said: None,
        told: word.is_some(),
    }
}

fn replicated(word: &str) -> State {
    if same(word, "failed") {
        State::Failed
    } else if same(word, "succeeded") {
        State::Ready
    } else {
        State::Copying
    }
}

fn percentage(number: wire::Number) -> i32 {
    i32::try_from(number.0.clamp(0, 100)).unwrap_or_default()
}

/// What is said of a disk of the machine.
pub(super) fn report_of<'a, 'r>(
    disk: &wire::Disk,
    reports: &'r [Report<'a>],
) -> Option<&'r Report<'a>> {
    let id = disk.point_id()?;
    reports.iter().find(|report| same(report.id, id))
}

//! The latest state of a target, shared by all its watchers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::fingerprint::{FINGERPRINT_VERSION, fingerprint};
use crate::backend::Operation;
use crate::model::{Error, RestorePoint, State};

/// The latest that is known of a target. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Observation {
    /// Unique in this process. It changes with everything that events are made of.
    pub(super) id: u64,
    /// The points as last read; none before the first reading.
    pub(super) reading: Option<Reading>,
    /// Why the last poll failed, if it did.
    pub(super) last_error: Option<Arc<Error>>,
    /// The handle of the operation that creates the point, if a watcher or the gateway's own copy has it.
    pub(super) operation: Option<Arc<Operation>>,
}

impl Observation {
    /// Nothing is known yet.
    pub(super) fn empty() -> Self {
        Self { id: next_id(), reading: None, last_error: None, operation: None }
    }

    /// Whether anything is known yet.
    pub(super) fn is_complete(&self) -> bool {
        self.reading.is_some() || self.last_error.is_some()
    }

    /// To be called with every change: events that were made before are not shared with those made after.
    pub(super) fn renew(&mut self) {
        self.id = next_id();
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The result of a successful poll.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// By name. Empty when the target does not exist.
    pub(super) points: Arc<BTreeMap<String, PointSnapshot>>,
    /// Whether the target itself exists.
    pub(super) presence: Presence,
    /// When the backend was read.
    pub(super) time: Timestamp,
}

/// A point as it was read.
#[derive(Debug, Clone)]
pub(super) struct PointSnapshot {
    pub(super) point: Arc<RestorePoint>,
    /// Of the present version.
    pub(super) fingerprint: u64,
}

/// Whether a target exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    Absent,
}

/// How a reading differs from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// Only the progress of copies, which the vendor updates at an interval of its own.
    CopyProgress,
    /// Anything else: more may follow soon.
    Other,
}

impl PointSnapshot {
    fn new(point: RestorePoint) -> Self {
        let fingerprint = fingerprint(&point, FINGERPRINT_VERSION).unwrap_or_default();
        Self { point: Arc::new(point), fingerprint }
    }

    /// Whether it differs from `old` only in the progress of a copy.
    fn differs_only_in_copy_progress(&self, old: &Self) -> bool {
        let without_progress = |snapshot: &Self| {
            let mut point = RestorePoint::clone(&snapshot.point);
            point.copy_progress_percent = None;
            point.state_reason.clear();
            point.disks.iter_mut().for_each(|disk| disk.progress_percent = None);
            point
        };
        let copying = [self, old].iter().all(|snapshot| snapshot.point.state == State::Copying);
        copying && without_progress(self) == without_progress(old)
    }
}

impl Reading {
    /// A target that does not exist.
    pub(super) fn absent(time: Timestamp) -> Self {
        Self { points: Arc::default(), presence: Presence::Absent, time }
    }

    /// A target that exists, with these points.
    pub(super) fn of(points: impl IntoIterator<Item = RestorePoint>, time: Timestamp) -> Self {
        let points =
            points.into_iter().map(|point| (point.name.to_string(), PointSnapshot::new(point)));
        Self { points: Arc::new(points.collect()), presence: Presence::Present, time }
    }

    /// Whether no point of it will change by itself.
    pub(super) fn is_terminal(&self) -> bool {
        self.points.values().all(|snapshot| snapshot.point.is_terminal())
    }

    /// How it differs from an earlier reading.
    pub(super) fn change_since(&self, earlier: &Self) -> Change {
        let same_points =
            self.presence == earlier.presence && self.points.keys().eq(earlier.points.keys());
        if !same_points {
            return Change::Other;
        }
        let pairs = self.points.values().zip(earlier.points.values());
        let mut changed = pairs.filter(|(now, old)| now.fingerprint != old.fingerprint).peekable();
        if changed.peek().is_none() {
            return Change::None;
        }
        match changed.all(|(now, old)| now.differs_only_in_copy_progress(old)) {
            true => Change::CopyProgress,
            false => Change::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::model::{
        AzureProperties, CollectionName, Consistency, Disk, RestorePointName, Source,
        VendorProperties,
    };

    fn point(id: &str, state: State) -> RestorePoint {
        let collection = CollectionName::parse("backends/b/collections/c", "parent").unwrap();
        let disk = Disk {
            name: "disk".to_owned(),
            vendor_id: String::new(),
            lun: None,
            size_gib: 1,
            state: State::Copying,
            progress_percent: Some(10),
            source_vendor_id: String::new(),
            vendor: None,
        };
        RestorePoint {
            name: RestorePointName { collection, restore_point: id.to_owned() },
            uid: id.to_owned(),
            vendor_id: id.to_owned(),
            display_name: id.to_owned(),
            state,
            other_uses: Default::default(),
            state_reason: String::new(),
            point_time: None,
            source: Source::default(),
            location: String::new(),
            consistency: Consistency::Unspecified,
            source_restore_point: None,
            copy_progress_percent: Some(10),
            disks: vec![disk],
            failure: None,
            vendor: VendorProperties::Azure(AzureProperties::default()),
            raw: None,
        }
    }

    #[test]
    fn only_the_progress_of_running_copies_is_copy_progress() {
        type Edit = fn(&mut RestorePoint);
        let progress: Edit = |point| {
            point.copy_progress_percent = Some(60);
            point.disks[0].progress_percent = Some(60);
        };
        let detail: Edit = |point| point.display_name.push('!');
        let arrived: Edit = |point| point.disks[0].state = State::Ready;
        let failed: Edit = |point| point.state = State::Failed;
        for (state, edits, expected) in [
            (State::Copying, &[][..], Change::None),
            (State::Copying, &[progress], Change::CopyProgress),
            (State::Copying, &[progress, arrived], Change::Other),
            (State::Copying, &[progress, detail], Change::Other),
            (State::Copying, &[failed], Change::Other),
            (State::Creating, &[progress], Change::Other),
            (State::Ready, &[detail], Change::Other),
        ] {
            let mut changed = point("p", state);
            edits.iter().for_each(|edit| edit(&mut changed));
            let reading = |point| Reading::of([point, self::point("q", state)], Timestamp::MIN);
            let change = reading(changed).change_since(&reading(point("p", state)));
            assert_eq!(change, expected, "{state:?} {edits:?}");
        }
    }

    #[test]
    fn an_added_or_removed_point_is_another_change() {
        let reading = |ids: &[&str]| {
            Reading::of(ids.iter().map(|id| point(id, State::Copying)), Timestamp::MIN)
        };
        for (now, old) in [(&["p"][..], &["p", "q"][..]), (&["p", "q"], &["p"]), (&["q"], &["p"])] {
            assert_eq!(reading(now).change_since(&reading(old)), Change::Other);
        }
        assert_eq!(Reading::absent(Timestamp::MIN).change_since(&reading(&[])), Change::Other);
    }
}

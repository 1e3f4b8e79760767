//! What is known of a target, as all its watchers share it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::frames::Frames;
use super::seen::Seen;
use crate::backend::Operation;
use crate::model::{Error, RestorePoint};

/// The latest that is known of a target. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Observation {
    /// The points as last read; none before the first reading.
    pub reading: Option<Reading>,
    /// Why the target could not be read the last time.
    pub trouble: Option<Arc<Error>>,
    /// The handle of the operation that makes the point, if a watcher or the gateway's own copy knows it.
    pub operation: Option<Arc<Operation>>,
    /// What was made of this observation for those who watch nothing else.
    pub frames: Arc<Frames>,
}

impl Observation {
    /// Whether it says anything yet.
    pub(super) fn is_answer(&self) -> bool {
        self.reading.is_some() || self.trouble.is_some()
    }
}

/// A reading of a target.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// By name. Empty when the target is gone.
    pub points: Arc<BTreeMap<String, Seen>>,
    /// Whether the target itself is there.
    pub presence: Presence,
    /// When the vendor was read.
    pub time: Timestamp,
}

/// Whether a target is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    Gone,
}

/// What a reading shows beyond the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    None,
    /// Nothing but figures of copies that are under way, which the vendor moves in a rhythm of its own.
    CopyFigures,
    /// Anything else: more may follow soon.
    Change,
}

impl Reading {
    /// A target that is not there.
    pub(super) fn gone(time: Timestamp) -> Self {
        Self { points: Arc::default(), presence: Presence::Gone, time }
    }

    /// A target that is there, with these points.
    pub(super) fn of(points: impl IntoIterator<Item = RestorePoint>, time: Timestamp) -> Self {
        let points = points.into_iter().map(|point| (point.name.to_string(), Seen::new(point)));
        Self { points: Arc::new(points.collect()), presence: Presence::Here, time }
    }

    /// Whether nothing of it will change by itself.
    pub(super) fn is_terminal(&self) -> bool {
        self.points.values().all(|seen| seen.state.is_terminal())
    }

    /// What it shows beyond an earlier one, whenever read.
    pub(super) fn beyond(&self, earlier: &Self) -> Difference {
        let same_points =
            self.presence == earlier.presence && self.points.keys().eq(earlier.points.keys());
        if !same_points {
            return Difference::Change;
        }
        let pairs = self.points.values().zip(earlier.points.values());
        let mut changed = pairs.filter(|(now, old)| now.fingerprint != old.fingerprint).peekable();
        if changed.peek().is_none() {
            return Difference::None;
        }
        match changed.all(|(now, old)| now.differs_in_copy_figures_only(old)) {
            true => Difference::CopyFigures,
            false => Difference::Change,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::model::{
        CollectionName, Consistency, Disk, RestorePointName, Source, State, Vendor,
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
            state_reason: String::new(),
            point_time: None,
            source: Source::default(),
            location: String::new(),
            consistency: Consistency::Unspecified,
            source_restore_point: None,
            copy_progress_percent: Some(10),
            disks: vec![disk],
            failure: None,
            vendor: Vendor::Azure(Default::default()),
            raw: None,
        }
    }

    #[test]
    fn only_figures_of_copies_under_way_are_waited_for() {
        type Change = fn(&mut RestorePoint);
        let figures: Change = |point| {
            point.copy_progress_percent = Some(60);
            point.disks[0].progress_percent = Some(60);
        };
        let detail: Change = |point| point.display_name.push('!');
        let arrived: Change = |point| point.disks[0].state = State::Ready;
        let failed: Change = |point| point.state = State::Failed;
        for (state, changes, expected) in [
            (State::Copying, &[][..], Difference::None),
            (State::Copying, &[figures], Difference::CopyFigures),
            (State::Copying, &[figures, arrived], Difference::Change),
            (State::Copying, &[figures, detail], Difference::Change),
            (State::Copying, &[failed], Difference::Change),
            (State::Creating, &[figures], Difference::Change),
            (State::Ready, &[detail], Difference::Change),
        ] {
            let mut changed = point("p", state);
            changes.iter().for_each(|change| change(&mut changed));
            let reading = |point| Reading::of([point, self::point("q", state)], Timestamp::MIN);
            let difference = reading(changed).beyond(&reading(point("p", state)));
            assert_eq!(difference, expected, "{state:?} {changes:?}");
        }
    }

    #[test]
    fn what_comes_and_goes_is_a_change() {
        let reading = |ids: &[&str]| {
            Reading::of(ids.iter().map(|id| point(id, State::Copying)), Timestamp::MIN)
        };
        for (now, old) in [(&["p"][..], &["p", "q"][..]), (&["p", "q"], &["p"]), (&["q"], &["p"])] {
            assert_eq!(reading(now).beyond(&reading(old)), Difference::Change);
        }
        assert_eq!(Reading::gone(Timestamp::MIN).beyond(&reading(&[])), Difference::Change);
    }
}

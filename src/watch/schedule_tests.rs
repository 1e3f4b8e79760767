#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::model::{CollectionName, PointRef};

const S: Duration = Duration::from_secs(1);
const PACE: Pace = Pace {
    quickest: S.saturating_mul(5),
    slowest: S.saturating_mul(60),
    progress: S.saturating_mul(600),
    linger: S.saturating_mul(10),
};

struct Bench {
    schedule: Schedule,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { schedule: Schedule::new(PACE), now: Instant::now() }
    }

    fn follow(&mut self, name: &str, batch: Option<&str>) -> watch::Receiver<Observation> {
        let point = format!("backends/b/collections/c/restorePoints/{name}");
        let target = Target::Point(PointRef::parse(&point, "name").unwrap());
        self.schedule.follow(&key(name), &target, batch.map(Arc::from), None, self.now).0
    }

    fn follow_collection(&mut self, name: &str) -> watch::Receiver<Observation> {
        let collection = format!("backends/b/collections/{name}");
        let target = Target::Collection(CollectionName::parse(&collection, "parent").unwrap());
        self.schedule.follow(&key(name), &target, None, None, self.now).0
    }

    fn take(&mut self) -> Vec<String> {
        let due = self.schedule.take(self.now).unwrap_or_default();
        due.into_iter().map(|due| due.key.to_string()).collect()
    }

    fn plan(&mut self, name: &str, outcome: Outcome) {
        self.schedule.plan(&key(name), outcome, 0.0, self.now);
    }

    /// Seconds to the next reading.
    fn pause(&self) -> u64 {
        (self.schedule.next_due().unwrap() - self.now).as_secs()
    }

    /// Lets the next one come due, takes and plans it; after how many seconds.
    fn step(&mut self, name: &str, outcome: Outcome) -> u64 {
        let pause = self.pause();
        self.now = self.schedule.next_due().unwrap();
        assert_eq!(self.take(), [name]);
        self.plan(name, outcome);
        pause
    }
}

fn key(name: &str) -> Arc<str> {
    Arc::from(name)
}

const SAME: Outcome = Outcome::Read(Difference::None);
const FIGURES: Outcome = Outcome::Read(Difference::CopyFigures);
const CHANGE: Outcome = Outcome::Read(Difference::Change);

#[test]
fn quick_after_a_change_and_slower_in_silence() {
    let mut bench = Bench::new();
    let _watcher = bench.follow("p", None);
    let pauses: Vec<_> = [CHANGE, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, CHANGE, SAME]
        .map(|outcome| bench.step("p", outcome))
        .into();
    assert_eq!(pauses, [0, 5, 7, 11, 16, 25, 37, 56, 60, 60, 5]);
}

#[test]
fn progress_is_not_looked_for_before_it_can_move() {
    let mut bench = Bench::new();
    let _watcher = bench.follow("p", None);
    bench.step("p", CHANGE);
    for _ in 0..8 {
        bench.step("p", SAME);
    }
    // It has moved within the last minute, and moves again nine to ten minutes from now.
    assert_eq!(bench.step("p", FIGURES), 60);
    assert_eq!(bench.step("p", SAME), 540);
    assert_eq!(bench.step("p", SAME), 7);
}

#[test]
fn figures_that_the_vendor_moves_in_no_rhythm_delay_nothing() {
    let mut bench = Bench::new();
    bench.schedule.repace(Pace { progress: Duration::ZERO, ..PACE });
    let _watcher = bench.follow("p", None);
    let pauses = [CHANGE, FIGURES, FIGURES, SAME].map(|outcome| bench.step("p", outcome));
    assert_eq!((pauses, bench.pause()), ([0, 5, 5, 5], 7));
}

#[test]
fn a_copy_under_way_does_not_hide_what_else_happens_in_its_collection() {
    let mut bench = Bench::new();
    let _watcher = bench.follow_collection("c");
    let pauses = [CHANGE, FIGURES, FIGURES, CHANGE].map(|outcome| bench.step("c", outcome));
    assert_eq!((pauses, bench.pause()), ([0, 5, 7, 11], 5));
}

#[test]
fn another_pace_counts_from_the_next_plan_on() {
    let mut bench = Bench::new();
    let _watcher = bench.follow("p", None);
    bench.step("p", CHANGE);
    bench.schedule.repace(Pace { quickest: 20 * S, slowest: 30 * S, ..PACE });
    assert_eq!(bench.step("p", SAME), 5, "planned before");
    assert_eq!([bench.step("p", SAME), bench.step("p", SAME)], [20, 30]);
}

#[test]
fn the_next_reading_is_never_early_and_at_most_a_tenth_late() {
    for (outcome, pause) in [
        (CHANGE, 5 * S),
        (SAME, 7 * S + S / 2),
        (FIGURES, 595 * S),
        (Outcome::Failed(None), 7 * S + S / 2),
        (Outcome::Failed(Some(1200 * S)), 1200 * S),
    ] {
        for (spread, expected) in [(0.0, pause), (0.5, pause * 21 / 20), (1.0, pause * 11 / 10)] {
            let mut bench = Bench::new();
            let _watcher = bench.follow("p", None);
            assert_eq!(bench.take(), ["p"]);
            bench.schedule.plan(&key("p"), outcome, spread, bench.now);
            let planned = bench.schedule.next_due().unwrap() - bench.now;
            let rounding = planned.abs_diff(expected);
            assert!(
                rounding < S / 1_000_000 && planned >= pause,
                "{outcome:?} {spread} {planned:?}"
            );
        }
    }
}

#[test]
fn what_began_together_is_pulled_apart() {
    let mut bench = Bench::new();
    let spreads = [0.0, 0.25, 0.5, 0.75, 1.0];
    let names = ["a", "b", "c", "d", "e"];
    let _watchers = names.map(|name| bench.follow(name, None));
    let began = bench.now;
    let mut read = Vec::new();
    for _ in 0..4 {
        read.clear();
        // All wait at the first round, later ones come due by and by.
        for _ in names {
            bench.now = bench.schedule.next_due().unwrap().max(bench.now);
            let name = bench.take().remove(0);
            let spread = spreads[names.iter().position(|known| *known == name).unwrap()];
            bench.schedule.plan(&key(&name), CHANGE, spread, bench.now);
            read.push((bench.now - began).as_millis());
        }
    }
    // Three pauses of 5 s, and up to a tenth of each.
    assert_eq!(read, [15_000, 15_375, 15_750, 16_125, 16_500]);
}

#[test]
fn the_vendor_s_word_is_kept_even_for_newcomers() {
    let mut bench = Bench::new();
    let first = bench.follow("p", None);
    assert_eq!(bench.take(), ["p"]);
    bench.plan("p", Outcome::Failed(Some(1200 * S)));
    assert_eq!(bench.pause(), 1200);
    let second = bench.follow("p", None);
    assert_eq!(bench.pause(), 1200, "a storm of watchers is no storm for the vendor");
    bench.now += 1200 * S;
    assert_eq!(bench.take(), ["p"]);
    drop((first, second));
}

#[test]
fn a_newcomer_brings_a_reading_forward_but_not_beyond_the_quickest_pace() {
    let mut bench = Bench::new();
    let _first = bench.follow("p", None);
    for _ in 0..9 {
        bench.step("p", SAME);
    }
    assert_eq!(bench.pause(), 60);
    bench.now += 2 * S;
    let _second = bench.follow("p", None);
    assert_eq!(bench.pause(), 3);
    bench.now += 3 * S;
    assert_eq!(bench.take(), ["p"]);
    // One who comes while it is read may have seen something newer.
    let _third = bench.follow("p", None);
    bench.plan("p", SAME);
    assert_eq!(bench.pause(), 5);
}

#[test]
fn the_longest_waiting_goes_first() {
    let mut bench = Bench::new();
    let mut watchers = Vec::new();
    for name in ["a", "b", "c"] {
        watchers.push(bench.follow(name, None));
        bench.now += S;
    }
    assert_eq!(bench.take(), ["a"]);
    bench.plan("a", CHANGE);
    bench.now += 100 * S;
    assert_eq!([bench.take(), bench.take(), bench.take()], [["b"], ["c"], ["a"]]);
    assert!(bench.take().is_empty());
    assert_eq!(bench.schedule.longest_wait(bench.now), Duration::ZERO);
}

#[test]
fn what_one_call_answers_is_read_together() {
    let mut bench = Bench::new();
    let _watchers =
        [("a", Some("x")), ("b", None), ("c", Some("x")), ("d", Some("y"))].map(|(name, batch)| {
            bench.now += S;
            bench.follow(name, batch)
        });
    assert_eq!(bench.take(), ["a", "c"]);
    assert_eq!(bench.take(), ["b"]);
    bench.plan("c", CHANGE);
    bench.plan("a", CHANGE);
    assert_eq!(bench.take(), ["d"]);
    bench.now += 5 * S;
    let mut both = bench.take();
    both.sort();
    assert_eq!(both, ["a", "c"]);
}

#[test]
fn what_is_nearly_due_goes_along_unless_the_vendor_forbids_it() {
    let mut bench = Bench::new();
    let _watchers = ["a", "b", "c"].map(|name| bench.follow(name, Some("x")));
    assert_eq!(bench.take().len(), 3);
    bench.plan("a", CHANGE);
    bench.now += 2 * S;
    bench.plan("b", CHANGE);
    bench.plan("c", Outcome::Failed(Some(8 * S)));
    bench.now += 3 * S;
    assert_eq!(bench.take(), ["a", "b"]);
    bench.now += 3 * S;
    assert_eq!(bench.take(), ["c"]);
}

#[test]
fn without_watchers_a_target_is_kept_for_a_while_and_not_read() {
    let mut bench = Bench::new();
    let watcher = bench.follow("p", None);
    bench.step("p", CHANGE);
    drop(watcher);
    bench.schedule.left(&key("p"), bench.now);
    assert_eq!(bench.pause(), 10);
    let back = bench.follow("p", None);
    assert_eq!(bench.pause(), 5, "the one who comes right back finds it");
    drop(back);
    bench.schedule.left(&key("p"), bench.now);
    bench.now += 10 * S;
    assert!(bench.take().is_empty());
    assert_eq!(bench.schedule.len(), 0);
}

#[test]
fn the_vendor_s_word_outlives_the_watcher_to_whom_it_was_given() {
    let mut bench = Bench::new();
    let watcher = bench.follow("p", None);
    assert_eq!(bench.take(), ["p"]);
    bench.plan("p", Outcome::Failed(Some(1200 * S)));
    drop(watcher);
    bench.schedule.left(&key("p"), bench.now);
    bench.now += 100 * S;
    assert!(bench.take().is_empty());
    let back = bench.follow("p", None);
    assert_eq!(bench.pause(), 1100);
    drop(back);
    bench.schedule.left(&key("p"), bench.now);
    bench.now += 1100 * S;
    assert!(bench.take().is_empty());
    assert_eq!(bench.schedule.len(), 0);
}

#[test]
fn one_left_while_it_is_read_is_forgotten_too() {
    let mut bench = Bench::new();
    let watcher = bench.follow("p", None);
    assert_eq!(bench.take(), ["p"]);
    drop(watcher);
    bench.schedule.left(&key("p"), bench.now);
    bench.plan("p", CHANGE);
    bench.now += 10 * S;
    assert!(bench.take().is_empty());
    assert_eq!(bench.schedule.len(), 0);
}

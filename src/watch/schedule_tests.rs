#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::model::{CollectionName, PointRef};

const S: Duration = Duration::from_secs(1);
const POLICY: PollPolicy = PollPolicy {
    min_interval: S.saturating_mul(5),
    max_interval: S.saturating_mul(60),
    progress_interval: S.saturating_mul(600),
    idle_ttl: S.saturating_mul(10),
};

/// A schedule and the clock that a test moves.
struct Fixture {
    schedule: Schedule,
    now: Instant,
}

impl Fixture {
    fn new() -> Self {
        Self { schedule: Schedule::new(POLICY), now: Instant::now() }
    }

    fn subscribe(&mut self, name: &str, group: Option<&str>) -> watch::Receiver<Observation> {
        let point = format!("backends/b/collections/c/restorePoints/{name}");
        let target = Target::Point(PointRef::parse(&point, "name").unwrap());
        self.schedule.subscribe(&key(name), &target, group.map(Arc::from), None, self.now).0
    }

    fn subscribe_to_collection(&mut self, name: &str) -> watch::Receiver<Observation> {
        let collection = format!("backends/b/collections/{name}");
        let target = Target::Collection(CollectionName::parse(&collection, "parent").unwrap());
        self.schedule.subscribe(&key(name), &target, None, None, self.now).0
    }

    fn next_group(&mut self) -> Vec<String> {
        let due = self.schedule.next_group(self.now).unwrap_or_default();
        due.into_iter().map(|due| due.key.to_string()).collect()
    }

    fn reschedule(&mut self, name: &str, result: PollResult) {
        self.schedule.reschedule(&key(name), result, 0.0, self.now);
    }

    /// Seconds to the next poll.
    fn pause(&self) -> u64 {
        (self.schedule.next_due().unwrap() - self.now).as_secs()
    }

    /// Moves the clock to the next poll, polls and reschedules; returns the seconds that this took.
    fn step(&mut self, name: &str, result: PollResult) -> u64 {
        let pause = self.pause();
        self.now = self.schedule.next_due().unwrap();
        assert_eq!(self.next_group(), [name]);
        self.reschedule(name, result);
        pause
    }
}

fn key(name: &str) -> Arc<str> {
    Arc::from(name)
}

const SAME: PollResult = PollResult::Success(Change::None);
const PROGRESS: PollResult = PollResult::Success(Change::CopyProgress);
const CHANGE: PollResult = PollResult::Success(Change::Other);

#[test]
fn the_interval_is_short_after_a_change_and_grows_without_one() {
    let mut fixture = Fixture::new();
    let _subscriber = fixture.subscribe("p", None);
    let pauses: Vec<_> = [CHANGE, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, CHANGE, SAME]
        .map(|result| fixture.step("p", result))
        .into();
    assert_eq!(pauses, [0, 5, 7, 11, 16, 25, 37, 56, 60, 60, 5]);
}

#[test]
fn a_copy_is_not_polled_before_its_progress_can_change() {
    let mut fixture = Fixture::new();
    let _subscriber = fixture.subscribe("p", None);
    fixture.step("p", CHANGE);
    for _ in 0..8 {
        fixture.step("p", SAME);
    }
    // It has changed within the last minute, and changes again nine to ten minutes from now.
    assert_eq!(fixture.step("p", PROGRESS), 60);
    assert_eq!(fixture.step("p", SAME), 540);
    assert_eq!(fixture.step("p", SAME), 7);
}

#[test]
fn without_a_progress_interval_copy_progress_delays_nothing() {
    let mut fixture = Fixture::new();
    fixture.schedule.set_policy(PollPolicy { progress_interval: Duration::ZERO, ..POLICY });
    let _subscriber = fixture.subscribe("p", None);
    let pauses = [CHANGE, PROGRESS, PROGRESS, SAME].map(|result| fixture.step("p", result));
    assert_eq!((pauses, fixture.pause()), ([0, 5, 5, 5], 7));
}

#[test]
fn a_running_copy_does_not_delay_the_polls_of_its_collection() {
    let mut fixture = Fixture::new();
    let _subscriber = fixture.subscribe_to_collection("c");
    let pauses = [CHANGE, PROGRESS, PROGRESS, CHANGE].map(|result| fixture.step("c", result));
    assert_eq!((pauses, fixture.pause()), ([0, 5, 7, 11], 5));
}

#[test]
fn another_policy_applies_from_the_next_step_on() {
    let mut fixture = Fixture::new();
    let _subscriber = fixture.subscribe("p", None);
    fixture.step("p", CHANGE);
    fixture.schedule.set_policy(PollPolicy {
        min_interval: 20 * S,
        max_interval: 30 * S,
        ..POLICY
    });
    assert_eq!(fixture.step("p", SAME), 5, "scheduled before");
    assert_eq!([fixture.step("p", SAME), fixture.step("p", SAME)], [20, 30]);
}

#[test]
fn jitter_never_shortens_an_interval_and_adds_at_most_a_tenth() {
    for (result, pause) in [
        (CHANGE, 5 * S),
        (SAME, 7 * S + S / 2),
        (PROGRESS, 595 * S),
        (PollResult::Failure(None), 7 * S + S / 2),
        (PollResult::Failure(Some(1200 * S)), 1200 * S),
    ] {
        for (jitter, expected) in [(0.0, pause), (0.5, pause * 21 / 20), (1.0, pause * 11 / 10)] {
            let mut fixture = Fixture::new();
            let _subscriber = fixture.subscribe("p", None);
            assert_eq!(fixture.next_group(), ["p"]);
            fixture.schedule.reschedule(&key("p"), result, jitter, fixture.now);
            let planned = fixture.schedule.next_due().unwrap() - fixture.now;
            let rounding = planned.abs_diff(expected);
            assert!(
                rounding < S / 1_000_000 && planned >= pause,
                "{result:?} {jitter} {planned:?}"
            );
        }
    }
}

#[test]
fn jitter_pulls_apart_what_began_together() {
    let mut fixture = Fixture::new();
    let jitters = [0.0, 0.25, 0.5, 0.75, 1.0];
    let names = ["a", "b", "c", "d", "e"];
    let _subscribers = names.map(|name| fixture.subscribe(name, None));
    let began = fixture.now;
    let mut read = Vec::new();
    for _ in 0..4 {
        read.clear();
        // All are due in the first round; later they come due one after another.
        for _ in names {
            fixture.now = fixture.schedule.next_due().unwrap().max(fixture.now);
            let name = fixture.next_group().remove(0);
            let jitter = jitters[names.iter().position(|known| *known == name).unwrap()];
            fixture.schedule.reschedule(&key(&name), CHANGE, jitter, fixture.now);
            read.push((fixture.now - began).as_millis());
        }
    }
    // Three intervals of 5 s, and up to a tenth of each.
    assert_eq!(read, [15_000, 15_375, 15_750, 16_125, 16_500]);
}

#[test]
fn retry_after_holds_for_new_subscribers() {
    let mut fixture = Fixture::new();
    let first = fixture.subscribe("p", None);
    assert_eq!(fixture.next_group(), ["p"]);
    fixture.reschedule("p", PollResult::Failure(Some(1200 * S)));
    assert_eq!(fixture.pause(), 1200);
    let second = fixture.subscribe("p", None);
    assert_eq!(fixture.pause(), 1200, "many new subscribers do not poll the vendor earlier");
    fixture.now += 1200 * S;
    assert_eq!(fixture.next_group(), ["p"]);
    drop((first, second));
}

#[test]
fn a_new_subscriber_brings_the_poll_forward_up_to_the_shortest_interval() {
    let mut fixture = Fixture::new();
    let _first = fixture.subscribe("p", None);
    for _ in 0..9 {
        fixture.step("p", SAME);
    }
    assert_eq!(fixture.pause(), 60);
    fixture.now += 2 * S;
    let _second = fixture.subscribe("p", None);
    assert_eq!(fixture.pause(), 3);
    fixture.now += 3 * S;
    assert_eq!(fixture.next_group(), ["p"]);
    // A subscriber that comes during a poll may know of something newer.
    let _third = fixture.subscribe("p", None);
    fixture.reschedule("p", SAME);
    assert_eq!(fixture.pause(), 5);
}

#[test]
fn the_target_that_waited_longest_is_polled_first() {
    let mut fixture = Fixture::new();
    let mut subscribers = Vec::new();
    for name in ["a", "b", "c"] {
        subscribers.push(fixture.subscribe(name, None));
        fixture.now += S;
    }
    assert_eq!(fixture.next_group(), ["a"]);
    fixture.reschedule("a", CHANGE);
    fixture.now += 100 * S;
    assert_eq!(
        [fixture.next_group(), fixture.next_group(), fixture.next_group()],
        [["b"], ["c"], ["a"]]
    );
    assert!(fixture.next_group().is_empty());
    assert_eq!(fixture.schedule.poll_lag(fixture.now), Duration::ZERO);
}

#[test]
fn a_group_is_polled_together() {
    let mut fixture = Fixture::new();
    let _subscribers =
        [("a", Some("x")), ("b", None), ("c", Some("x")), ("d", Some("y"))].map(|(name, batch)| {
            fixture.now += S;
            fixture.subscribe(name, batch)
        });
    assert_eq!(fixture.next_group(), ["a", "c"]);
    assert_eq!(fixture.next_group(), ["b"]);
    fixture.reschedule("c", CHANGE);
    fixture.reschedule("a", CHANGE);
    assert_eq!(fixture.next_group(), ["d"]);
    fixture.now += 5 * S;
    let mut both = fixture.next_group();
    both.sort();
    assert_eq!(both, ["a", "c"]);
}

#[test]
fn a_nearly_due_target_joins_its_group_unless_retry_after_forbids_it() {
    let mut fixture = Fixture::new();
    let _subscribers = ["a", "b", "c"].map(|name| fixture.subscribe(name, Some("x")));
    assert_eq!(fixture.next_group().len(), 3);
    fixture.reschedule("a", CHANGE);
    fixture.now += 2 * S;
    fixture.reschedule("b", CHANGE);
    fixture.reschedule("c", PollResult::Failure(Some(8 * S)));
    fixture.now += 3 * S;
    assert_eq!(fixture.next_group(), ["a", "b"]);
    fixture.now += 3 * S;
    assert_eq!(fixture.next_group(), ["c"]);
}

#[test]
fn a_target_without_subscribers_is_kept_for_a_while_and_not_polled() {
    let mut fixture = Fixture::new();
    let subscriber = fixture.subscribe("p", None);
    fixture.step("p", CHANGE);
    drop(subscriber);
    fixture.schedule.unsubscribe(&key("p"), fixture.now);
    assert_eq!(fixture.pause(), 10);
    let back = fixture.subscribe("p", None);
    assert_eq!(fixture.pause(), 5, "a subscriber that reconnects finds it");
    drop(back);
    fixture.schedule.unsubscribe(&key("p"), fixture.now);
    fixture.now += 10 * S;
    assert!(fixture.next_group().is_empty());
    assert_eq!(fixture.schedule.len(), 0);
}

#[test]
fn retry_after_outlives_the_last_subscriber() {
    let mut fixture = Fixture::new();
    let subscriber = fixture.subscribe("p", None);
    assert_eq!(fixture.next_group(), ["p"]);
    fixture.reschedule("p", PollResult::Failure(Some(1200 * S)));
    drop(subscriber);
    fixture.schedule.unsubscribe(&key("p"), fixture.now);
    fixture.now += 100 * S;
    assert!(fixture.next_group().is_empty());
    let back = fixture.subscribe("p", None);
    assert_eq!(fixture.pause(), 1100);
    drop(back);
    fixture.schedule.unsubscribe(&key("p"), fixture.now);
    fixture.now += 1100 * S;
    assert!(fixture.next_group().is_empty());
    assert_eq!(fixture.schedule.len(), 0);
}

#[test]
fn a_target_whose_subscriber_leaves_during_a_poll_is_removed_too() {
    let mut fixture = Fixture::new();
    let subscriber = fixture.subscribe("p", None);
    assert_eq!(fixture.next_group(), ["p"]);
    drop(subscriber);
    fixture.schedule.unsubscribe(&key("p"), fixture.now);
    fixture.reschedule("p", CHANGE);
    fixture.now += 10 * S;
    assert!(fixture.next_group().is_empty());
    assert_eq!(fixture.schedule.len(), 0);
}

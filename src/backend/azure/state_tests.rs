//! The state table, row by row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn disk(name: &str, size: i64) -> Value {
    json!({ "name": name, "diskSizeGB": size, "diskRestorePoint": { "id": format!("/DRP/{name}") } })
}

fn entry(name: &str, code: &str, level: &str, percent: Option<i64>) -> Value {
    let status = json!({ "code": code, "level": level, "displayStatus": "Words" });
    json!({
        "id": format!("/drp/{name}"),
        "replicationStatus": { "status": status, "completionPercent": percent },
    })
}

fn point(provisioning: Value, copy: bool, view: Value) -> wire::Point {
    let source = copy.then(|| json!({ "id": "/somewhere" }));
    let storage = json!({ "osDisk": disk("os", 30), "dataDisks": [disk("d0", 90)] });
    serde_json::from_value(json!({
        "id": "i", "name": "n",
        "properties": {
            "provisioningState": provisioning, "sourceRestorePoint": source,
            "instanceView": view, "sourceMetadata": { "storageProfile": storage },
        },
    }))
    .unwrap()
}

fn view(entries: &[Value]) -> Value {
    json!({ "diskRestorePoints": entries, "statuses": [] })
}

const DONE: &str = "ReplicationState/succeeded";
const RUNS: &str = "ReplicationState/replicating";

#[test]
fn provisioning_comes_first() {
    let done = view(&[entry("os", DONE, "Info", None), entry("d0", DONE, "Info", None)]);
    for (text, state) in [
        (json!("Creating"), State::Creating),
        (json!("creating"), State::Creating),
        (json!("Failed"), State::Failed),
        (json!("DELETING"), State::Deleting),
        (json!("Updating"), State::Unknown),
        (json!("Canceled"), State::Unknown),
        (json!(""), State::Unknown),
        (json!("Succeeded"), State::Ready),
        (Value::Null, State::Ready),
    ] {
        for copy in [false, true] {
            let found = standing(&point(text.clone(), copy, done.clone()), Arrival::Told(&[]));
            assert_eq!(found.state, state, "{text} {copy}");
            assert_eq!(found.disks.len(), 2);
        }
    }
    let odd = standing(&point(json!("Frobbing"), false, Value::Null), Arrival::Seen(DONE));
    assert!(odd.reason.contains("`Frobbing`"), "{}", odd.reason);
}

#[test]
fn a_copy_is_ready_only_when_every_disk_says_so() {
    let os = |code, level, percent| entry("os", code, level, percent);
    let d0 = |code, level, percent| entry("d0", code, level, percent);
    for (what, view, state, percent) in [
        ("no view", Value::Null, State::Copying, None),
        ("an empty view", json!({}), State::Copying, None),
        ("no entries", view(&[]), State::Copying, Some(0)),
        (
            "both done",
            view(&[os(DONE, "Info", Some(100)), d0("replicationstate/SUCCEEDED", "Info", None)]),
            State::Ready,
            Some(100),
        ),
        ("one missing", view(&[os(DONE, "Info", None)]), State::Copying, Some(25)),
        (
            "one running",
            view(&[os(DONE, "Info", Some(100)), d0(RUNS, "Info", Some(50))]),
            State::Copying,
            Some(62),
        ),
        (
            "one without a figure",
            view(&[os(RUNS, "Info", Some(40)), d0(RUNS, "Info", None)]),
            State::Copying,
            Some(10),
        ),
        (
            "an unknown code",
            view(&[os(DONE, "Info", None), d0("ReplicationState/pondering", "Info", Some(100))]),
            State::Copying,
            Some(100),
        ),
        (
            "level Error",
            view(&[os(DONE, "Info", None), d0(RUNS, "error", Some(10))]),
            State::Failed,
            None,
        ),
        (
            "a failed code",
            view(&[os("ReplicationState/Failed", "Info", None), d0(RUNS, "Info", Some(10))]),
            State::Failed,
            None,
        ),
        (
            "a stranger still running",
            view(&[
                os(DONE, "Info", None),
                d0(DONE, "Info", None),
                entry("other", RUNS, "Info", None),
            ]),
            State::Copying,
            Some(100),
        ),
        (
            "the aggregate failed",
            json!({ "diskRestorePoints": [os(RUNS, "Info", None)],
                    "statuses": [{ "code": "ReplicationState/failed", "level": "Error" }] }),
            State::Failed,
            None,
        ),
    ] {
        let found = standing(&point(json!("Succeeded"), true, view), Arrival::Told(&[]));
        assert_eq!((found.state, found.percent), (state, percent), "{what}");
        assert_eq!(found.failure.is_some(), state == State::Failed, "{what}");
    }
}

#[test]
fn a_copy_without_disks_is_never_ready() {
    let mut bare = point(json!("Succeeded"), true, view(&[]));
    bare.properties.source_metadata = None;
    assert_eq!(standing(&bare, Arrival::Told(&[])).state, State::Copying);
}

/// A copy whose disk `d0` was excluded from its source: shown, without a disk restore point.
fn partial(view: Value) -> wire::Point {
    let mut point = point(json!("Succeeded"), true, view);
    let storage = point.properties.source_metadata.as_mut().unwrap().storage_profile.as_mut();
    storage.unwrap().data_disks.as_mut().unwrap()[0].disk_restore_point = None;
    point
}

fn provider(words: &[(&str, &str)]) -> Vec<wire::DiskPoint> {
    let disks = words.iter().map(|(name, word)| {
        json!({ "id": format!("/drp/{name}"),
                "properties": { "replicationState": word, "completionPercent": 50.5 } })
    });
    serde_json::from_value(disks.collect()).unwrap()
}

#[test]
fn an_excluded_disk_holds_nothing_up_and_lets_nothing_through() {
    let total = |code: &str, entries: &[Value]| json!({ "diskRestorePoints": entries, "statuses": [{ "code": code, "level": "Info" }] });
    let os = entry("os", DONE, "Info", None);
    let alone = std::slice::from_ref(&os);
    let none = provider(&[]);
    for (what, view, told, state, asks) in [
        ("all say so", total(DONE, alone), &none, State::Ready, false),
        ("the copy as a whole does not", total(RUNS, alone), &none, State::Copying, false),
        ("nothing is said of the whole", view(alone), &none, State::Copying, true),
        (
            "the list has no more",
            view(alone),
            &provider(&[("os", "Succeeded")]),
            State::Ready,
            true,
        ),
        (
            "the list has more",
            view(alone),
            &provider(&[("os", "Succeeded"), ("d0", "Pending")]),
            State::Copying,
            true,
        ),
        ("nothing is told", Value::Null, &none, State::Copying, true),
        ("the list alone", Value::Null, &provider(&[("OS", "succeeded")]), State::Ready, true),
    ] {
        let point = partial(view);
        assert_eq!(needs_disk_status(&point), asks, "{what}");
        let found = standing(&point, Arrival::Told(told));
        assert_eq!((found.state, found.disks.len()), (state, 1), "{what}");
    }
}

#[test]
fn the_disk_provider_is_heard_where_the_instance_view_is_silent() {
    let silent =
        json!({ "diskRestorePoints": [entry("os", DONE, "Info", None), { "id": "/drp/d0" }] });
    for (words, state, percent) in [
        (vec![], State::Copying, Some(25)),
        (vec![("d0", "Replicating")], State::Copying, Some(62)),
        (vec![("d0", "Succeeded"), ("os", "Replicating")], State::Ready, Some(100)),
        (vec![("d0", "Failed")], State::Failed, None),
        (vec![("d0", "")], State::Copying, Some(62)),
        (vec![("d0", "Succeeded"), ("stranger", "Replicating")], State::Copying, Some(100)),
    ] {
        let point = point(json!("Succeeded"), true, silent.clone());
        assert!(needs_disk_status(&point));
        let found = standing(&point, Arrival::Told(&provider(&words)));
        assert_eq!((found.state, found.percent), (state, percent), "{words:?}");
    }
}

#[test]
fn a_failed_copy_names_the_disk() {
    let view = view(&[entry("os", DONE, "Info", None), entry("d0", "X/failed", "Error", None)]);
    let found = standing(&point(json!("Succeeded"), true, view), Arrival::Told(&[]));
    let failure = found.failure.unwrap();
    assert_eq!(failure.code, "X/failed");
    assert!(failure.message.contains("of d0 failed (ARM: Words)"), "{}", failure.message);
    assert_eq!(found.disks[0].state, State::Ready);
    assert_eq!(found.disks[1], DiskStanding { state: State::Failed, percent: None });
}

#[test]
fn what_was_seen_to_arrive_stays() {
    let seen = standing(&point(json!("Succeeded"), true, Value::Null), Arrival::Seen(DONE));
    assert_eq!((seen.state, seen.percent), (State::Ready, Some(100)));
    let gone = standing(&point(json!("Deleting"), true, Value::Null), Arrival::Seen(DONE));
    assert_eq!(gone.state, State::Deleting);
}

proptest! {
    #[test]
    fn ready_means_succeeded_everywhere(codes in prop::collection::vec("[a-z]{0,3}|succeeded|Failed", 2), percent in any::<i64>()) {
        let entries: Vec<Value> = ["os", "d0"].iter().zip(&codes)
            .map(|(name, code)| entry(name, &format!("ReplicationState/{code}"), "Info", Some(percent)))
            .collect();
        let found = standing(&point(json!("Succeeded"), true, view(&entries)), Arrival::Told(&[]));
        prop_assert_eq!(found.state == State::Ready, codes.iter().all(|code| code == "succeeded"));
        prop_assert!(found.percent.is_none_or(|percent| (0..=100).contains(&percent)));
    }
}

//! The status of points and disks, row by row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Of the collection.
const REGION: &str = "eastus";
const SUCCEEDED: &str = "ReplicationState/succeeded";
const REPLICATING: &str = "ReplicationState/replicating";

fn disk(name: &str, size: i64) -> Value {
    json!({ "name": name, "diskSizeGB": size, "diskRestorePoint": { "id": format!("/DRP/{name}") } })
}

/// A disk in the instance view.
fn entry(name: &str, code: &str, level: &str, percent: Option<i64>) -> Value {
    let status = json!({ "code": code, "level": level, "displayStatus": "Words" });
    json!({
        "id": format!("/drp/{name}"),
        "replicationStatus": { "status": status, "completionPercent": percent },
    })
}

fn instance_view(entries: &[Value]) -> Value {
    json!({ "diskRestorePoints": entries, "statuses": [] })
}

fn instance_view_with_aggregate(entries: &[Value], code: &str) -> Value {
    json!({ "diskRestorePoints": entries, "statuses": [{ "code": code, "level": "Info" }] })
}

/// A point of the disks `os` and `d0`.
fn point(provisioning: &Value, copied_from: Option<&str>, view: &Value) -> dto::RestorePoint {
    let source = copied_from.map(|id| json!({ "id": id }));
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

/// A point of a virtual machine in another region.
fn remote(view: &Value) -> dto::RestorePoint {
    let mut point = point(&json!("Succeeded"), None, view);
    point.properties.source_metadata.as_mut().unwrap().location = Some("West US".to_owned());
    point
}

/// A copy that has begun.
fn copy(view: &Value) -> dto::RestorePoint {
    point(&json!("Succeeded"), Some("/somewhere"), view)
}

/// A copy whose disk `d0` is excluded: it is listed without a disk restore point.
fn partial_copy(view: &Value) -> dto::RestorePoint {
    let mut point = copy(view);
    let storage = point.properties.source_metadata.as_mut().unwrap().storage_profile.as_mut();
    storage.unwrap().data_disks.as_mut().unwrap()[0].disk_restore_point = None;
    point
}

/// The list of the disk provider.
fn provider(states: &[(&str, &str)]) -> Vec<dto::DiskRestorePoint> {
    let disks = states.iter().map(|(name, state)| {
        json!({ "id": format!("/drp/{name}"),
                "properties": { "replicationState": state, "completionPercent": 50.5 } })
    });
    serde_json::from_value(disks.collect()).unwrap()
}

/// The status by the instance view alone.
fn status(point: &dto::RestorePoint) -> PointStatus {
    point_status(point, REGION, DataEvidence::Reported(&[]))
}

fn status_if_cached(point: &dto::RestorePoint) -> PointStatus {
    let complete = CompletePoint { replication_code: SUCCEEDED.to_owned(), disks: [].into() };
    point_status(point, REGION, DataEvidence::Cached(&complete))
}

#[test]
fn the_provisioning_state_decides_first() {
    let view = instance_view(&[
        entry("os", SUCCEEDED, "Info", None),
        entry("d0", SUCCEEDED, "Info", None),
    ]);
    for (provisioning, state) in [
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
        for copied_from in [None, Some("/somewhere")] {
            let found = status(&point(&provisioning, copied_from, &view));
            assert_eq!(found.state, state, "{provisioning} {copied_from:?}");
            assert_eq!(found.disks.len(), 2);
        }
    }
    let unknown = status_if_cached(&point(&json!("Frobbing"), None, &Value::Null));
    assert!(unknown.reason.contains("`Frobbing`"), "{}", unknown.reason);
}

#[test]
fn a_copy_is_ready_only_when_every_disk_is_reported_as_succeeded() {
    let os = |code, level, percent| entry("os", code, level, percent);
    let d0 = |code, level, percent| entry("d0", code, level, percent);
    let info = |code| os(code, "Info", None);
    for (case, view, state, percent) in [
        ("no view", Value::Null, State::Copying, None),
        ("an empty view", json!({}), State::Copying, None),
        ("no entries", instance_view(&[]), State::Copying, None),
        (
            "no percentages",
            instance_view(&[os(REPLICATING, "Info", None), d0(REPLICATING, "Info", None)]),
            State::Copying,
            None,
        ),
        (
            "a percentage of 0",
            instance_view(&[os(REPLICATING, "Info", Some(0)), d0(REPLICATING, "Info", Some(0))]),
            State::Copying,
            Some(0),
        ),
        (
            "both succeeded",
            instance_view(&[
                os(SUCCEEDED, "Info", Some(100)),
                d0("replicationstate/SUCCEEDED", "Info", None),
            ]),
            State::Ready,
            Some(100),
        ),
        ("one missing", instance_view(&[info(SUCCEEDED)]), State::Copying, Some(25)),
        (
            "one replicating",
            instance_view(&[os(SUCCEEDED, "Info", Some(100)), d0(REPLICATING, "Info", Some(50))]),
            State::Copying,
            Some(62),
        ),
        (
            "one without a percentage",
            instance_view(&[os(REPLICATING, "Info", Some(40)), d0(REPLICATING, "Info", None)]),
            State::Copying,
            Some(10),
        ),
        (
            "an unknown code",
            instance_view(&[info(SUCCEEDED), d0("ReplicationState/pondering", "Info", Some(100))]),
            State::Copying,
            Some(100),
        ),
        (
            "level Error",
            instance_view(&[info(SUCCEEDED), d0(REPLICATING, "error", Some(10))]),
            State::Failed,
            None,
        ),
        (
            "a failed code",
            instance_view(&[info("ReplicationState/Failed"), d0(REPLICATING, "Info", Some(10))]),
            State::Failed,
            None,
        ),
        (
            "an unlisted disk that is replicating",
            instance_view(&[
                info(SUCCEEDED),
                d0(SUCCEEDED, "Info", None),
                entry("other", REPLICATING, "Info", None),
            ]),
            State::Copying,
            Some(100),
        ),
        (
            "a failed aggregate",
            json!({ "diskRestorePoints": [info(REPLICATING)],
                    "statuses": [{ "code": "ReplicationState/failed", "level": "Error" }] }),
            State::Failed,
            None,
        ),
    ] {
        let found = status(&copy(&view));
        assert_eq!((found.state, found.percent), (state, percent), "{case}");
        assert_eq!(found.failure.is_some(), state == State::Failed, "{case}");
    }
}

#[test]
fn a_copy_without_disks_is_never_ready() {
    let mut bare = copy(&instance_view(&[]));
    bare.properties.source_metadata = None;
    assert_eq!(status(&bare).state, State::Copying);
}

#[test]
fn a_copy_with_an_excluded_disk_is_ready_only_when_the_whole_is_covered() {
    let os = entry("os", SUCCEEDED, "Info", None);
    let entries = std::slice::from_ref(&os);
    let no_disks = provider(&[]);
    for (case, view, provided, state, needs_provider) in [
        (
            "the aggregate has succeeded",
            instance_view_with_aggregate(entries, SUCCEEDED),
            &no_disks,
            State::Ready,
            false,
        ),
        (
            "the aggregate is replicating",
            instance_view_with_aggregate(entries, REPLICATING),
            &no_disks,
            State::Copying,
            false,
        ),
        ("there is no aggregate", instance_view(entries), &no_disks, State::Copying, true),
        (
            "the disk provider lists no other disk",
            instance_view(entries),
            &provider(&[("os", "Succeeded")]),
            State::Ready,
            true,
        ),
        (
            "the disk provider lists another disk",
            instance_view(entries),
            &provider(&[("os", "Succeeded"), ("d0", "Pending")]),
            State::Copying,
            true,
        ),
        ("nothing is reported", Value::Null, &no_disks, State::Copying, true),
        (
            "only the disk provider reports",
            Value::Null,
            &provider(&[("OS", "succeeded")]),
            State::Ready,
            true,
        ),
    ] {
        let point = partial_copy(&view);
        assert_eq!(needed_disk_provider(&point, REGION).is_some(), needs_provider, "{case}");
        let found = point_status(&point, REGION, DataEvidence::Reported(provided));
        assert_eq!((found.state, found.disks.len()), (state, 1), "{case}");
    }
}

#[test]
fn the_disk_provider_counts_where_the_instance_view_has_no_status() {
    let view = json!({
        "diskRestorePoints": [entry("os", SUCCEEDED, "Info", None), { "id": "/drp/d0" }],
    });
    for (states, state, percent) in [
        (vec![], State::Copying, Some(25)),
        (vec![("d0", "Replicating")], State::Copying, Some(62)),
        (vec![("d0", "Succeeded"), ("os", "Replicating")], State::Ready, Some(100)),
        (vec![("d0", "Failed")], State::Failed, None),
        (vec![("d0", "")], State::Copying, Some(62)),
        (vec![("d0", "Succeeded"), ("other", "Replicating")], State::Copying, Some(100)),
    ] {
        let point = copy(&view);
        assert!(needed_disk_provider(&point, REGION).is_some());
        let found = point_status(&point, REGION, DataEvidence::Reported(&provider(&states)));
        assert_eq!((found.state, found.percent), (state, percent), "{states:?}");
    }
}

#[test]
fn a_point_that_is_no_copy_is_ready_only_when_its_replication_has_succeeded() {
    let both = |code, percent| {
        instance_view_with_aggregate(
            &[entry("os", code, "Info", percent), entry("d0", code, "Info", percent)],
            code,
        )
    };
    let local = |view: &Value| point(&json!("Succeeded"), None, view);
    for (case, point, state, percent) in [
        ("remote, nothing reported", remote(&Value::Null), State::Copying, None),
        ("remote, replicating", remote(&both(REPLICATING, Some(0))), State::Copying, Some(0)),
        ("remote, arrived", remote(&both(SUCCEEDED, None)), State::Ready, Some(100)),
        ("local, nothing reported", local(&Value::Null), State::Ready, None),
        ("local, replicating", local(&both(REPLICATING, Some(7))), State::Copying, Some(7)),
        (
            "local, only the aggregate",
            local(&instance_view_with_aggregate(&[], REPLICATING)),
            State::Copying,
            None,
        ),
        ("local, arrived", local(&both(SUCCEEDED, Some(100))), State::Ready, None),
    ] {
        let found = status(&point);
        assert_eq!((found.state, found.percent), (state, percent), "{case}");
    }
    let reason = status(&remote(&both(REPLICATING, Some(0)))).reason;
    assert_eq!(reason, "the replication is under way; 0 of 2 disks have arrived");
}

/// A local point whose disk `d0` is a Premium SSD v2.
fn premium_v2(view: &Value) -> dto::RestorePoint {
    let mut point = point(&json!("Succeeded"), None, view);
    let storage = point.properties.source_metadata.as_mut().unwrap().storage_profile.as_mut();
    let disk = &mut storage.unwrap().data_disks.as_mut().unwrap()[0];
    let managed = json!({ "id": "d", "storageAccountType": "PremiumV2_LRS" });
    disk.managed_disk = Some(serde_json::from_value(managed).unwrap());
    point
}

#[test]
fn a_disk_that_is_copied_in_the_background_is_usable_as_the_providers_report() {
    let viewed = |state: &str| {
        let d0 = json!({ "id": "/drp/d0", "snapshotAccessState": state });
        json!({ "diskRestorePoints": [d0], "statuses": [] })
    };
    let provided = |properties: Value| -> Vec<dto::DiskRestorePoint> {
        serde_json::from_value(json!([{ "id": "/drp/D0", "properties": properties }])).unwrap()
    };
    let access = |state: &str| provided(json!({ "snapshotAccessState": state }));
    let percent = |percent: f64| provided(json!({ "completionPercent": percent }));
    let (none, no_view) = (Vec::new(), Value::Null);
    let all = OtherUses { copy: true, export: true, pending: false };
    let nothing = OtherUses::default();
    let restore_only = OtherUses { pending: true, ..nothing };
    for (case, view, provider, state, uses) in [
        ("silent", &no_view, &none, State::Creating, nothing),
        ("pending", &viewed("Pending"), &none, State::Creating, nothing),
        ("instant", &viewed("instantaccess"), &none, State::Ready, restore_only),
        ("available", &viewed("Available"), &none, State::Ready, all),
        ("both", &viewed("AvailableWithInstantAccess"), &none, State::Ready, all),
        ("unknown text", &viewed("Frobbing"), &none, State::Creating, nothing),
        ("the default", &viewed("Unknown"), &none, State::Creating, nothing),
        ("the default", &viewed("Unknown"), &access("Available"), State::Ready, all),
        ("the view first", &viewed("Pending"), &access("Available"), State::Creating, nothing),
        ("provider, pending", &no_view, &access("Pending"), State::Creating, nothing),
        ("provider, silent", &no_view, &provided(json!({})), State::Creating, nothing),
        ("provider, 99 %", &no_view, &percent(99.9), State::Creating, nothing),
        ("provider, 100 %", &no_view, &percent(100.0), State::Ready, all),
    ] {
        let point = premium_v2(view);
        let found = point_status(&point, REGION, DataEvidence::Reported(provider));
        assert_eq!((found.state, found.other_uses), (state, uses), "{case}: {}", found.reason);
        assert_eq!(found.disks[0].state, State::Ready, "{case}");
        assert_eq!(found.disks[1].state, state, "{case}");
        assert_eq!(found.reason.contains("d0"), uses != all, "{case}: {}", found.reason);
        assert!(needs_instance_view(&point, REGION), "{case}");
    }
    let version = Some(DiskApiVersion::SnapshotAccess);
    assert_eq!(needed_disk_provider(&premium_v2(&no_view), REGION), version);
    assert_eq!(needed_disk_provider(&premium_v2(&viewed("Pending")), REGION), None);
    // A copy is accessible when it has arrived, whatever its disks were.
    let mut arrived = premium_v2(&instance_view(&[
        entry("os", SUCCEEDED, "Info", None),
        entry("d0", SUCCEEDED, "Info", None),
    ]));
    arrived.properties.source_restore_point = Some(dto::SubResource { id: "/s".to_owned() });
    assert_eq!(status(&arrived).state, State::Ready);
    assert_eq!(status(&arrived).other_uses, OtherUses { copy: false, ..all });
}

#[test]
fn the_failure_of_a_copy_names_the_disk() {
    let found = status(&copy(&instance_view(&[
        entry("os", SUCCEEDED, "Info", None),
        entry("d0", "X/failed", "Error", None),
    ])));
    let failure = found.failure.unwrap();
    assert_eq!(failure.code, "X/failed");
    assert!(failure.message.contains("of d0 failed (ARM: Words)"), "{}", failure.message);
    assert_eq!(found.disks[0].state, State::Ready);
    assert_eq!(found.disks[1], DiskStatus { state: State::Failed, percent: None });
}

#[test]
fn a_complete_copy_stays_complete_until_it_is_deleted() {
    let complete = status_if_cached(&copy(&Value::Null));
    assert_eq!((complete.state, complete.percent), (State::Ready, Some(100)));
    let deleting = status_if_cached(&point(&json!("Deleting"), Some("/somewhere"), &Value::Null));
    assert_eq!(deleting.state, State::Deleting);
}

proptest! {
    #[test]
    fn a_ready_copy_has_succeeded_on_every_disk(
        codes in prop::collection::vec("[a-z]{0,3}|succeeded|Failed", 2), percent in any::<i64>()
    ) {
        let entries: Vec<Value> = ["os", "d0"].iter().zip(&codes)
            .map(|(name, code)| entry(name, &format!("ReplicationState/{code}"), "Info", Some(percent)))
            .collect();
        let found = status(&copy(&instance_view(&entries)));
        prop_assert_eq!(found.state == State::Ready, codes.iter().all(|code| code == "succeeded"));
        prop_assert!(found.percent.is_none_or(|percent| (0..=100).contains(&percent)));
    }
}

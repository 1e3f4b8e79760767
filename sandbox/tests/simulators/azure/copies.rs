//! Copies: replication, failures, rules and quota.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::fixture::{Fixture, HOUR};

#[tokio::test]
async fn a_copy_succeeds_in_seconds_and_replicates_for_longer() {
    let fixture = Fixture::new();
    let target = fixture.new_target("rpc-copies", "northeurope").await;
    let source = fixture.get(fixture.point(3)).await.json();
    let started = fixture.copy(&target, "copy3", fixture.point(3)).await;
    assert_eq!(started.status, 201, "{}", started.text);
    assert_eq!(started.header("location"), None);
    assert!(started.header("x-ms-ratelimit-remaining-resource").unwrap().ends_with(
        "Restore\
        Point;2"
    ));
    assert!(started.header("azure-asyncoperation").unwrap().contains("/locations/northeurope/"));
    let creating = started.json();
    let known = &source["properties"];
    for inherited in ["timeCreated", "consistencyMode"] {
        assert_eq!(creating["properties"][inherited], known[inherited]);
    }
    assert_eq!(creating["properties"]["sourceMetadata"]["location"], "eastus");
    assert!(!started.text.contains("diskRestorePoint"));

    fixture.advance_seconds(6);
    assert_eq!(fixture.poll(&started).await.json()["status"], "Succeeded");
    let id = format!("{target}/restorePoints/copy3");
    let plain = fixture.get(&id).await;
    assert_eq!(plain.json()["properties"]["provisioningState"], "Succeeded");
    plain.assert_member_order(&["diskRestorePoint", "sourceDiskRestorePoint", "encryption", "id"]);
    plain.assert_member_order(&["consistencyMode", "sourceRestorePoint", "timeCreated"]);
    let disk = |body: &Value, index: usize| {
        body["properties"]["sourceMetadata"]["storageProfile"]["dataDisks"][index]
            ["diskRestorePoint"]
            .clone()
    };
    assert_eq!(disk(&plain.json(), 0)["sourceDiskRestorePoint"]["id"], disk(&source, 0)["id"]);

    let view = format!("{id}?$expand=instanceView");
    let percents = |body: &Value| -> Vec<Value> {
        let disks = body["properties"]["instanceView"]["diskRestorePoints"].as_array().unwrap();
        disks.iter().map(|disk| disk["replicationStatus"]["completionPercent"].clone()).collect()
    };
    let started_view = fixture.get(&view).await;
    started_view.assert_member_order(&[
        "sourceRestorePoint",
        "instanceView",
        "diskRestorePoints",
        "timeCreated",
    ]);
    started_view.assert_member_order(&[
        "replicationStatus",
        "status",
        "code",
        "level",
        "displayStatus",
    ]);
    started_view.assert_member_order(&[
        "displayStatus",
        "completionPercent",
        "statuses",
        "timeCreated",
    ]);
    assert_eq!(percents(&started_view.json()), [0, 0, 0]);
    fixture.advance_seconds(599);
    assert_eq!(percents(&fixture.get(&view).await.json()), [0, 0, 0], "before the first refresh");
    fixture.advance_seconds(1);
    let later = percents(&fixture.get(&view).await.json());
    assert_eq!(later[2], 33, "the largest disk takes the configured duration");
    assert!(later[0].as_u64() > later[1].as_u64() && later[1].as_u64() > Some(33), "{later:?}");
    fixture.advance_seconds(600);
    let status = &fixture.get(&view).await.json()["properties"]["instanceView"]["statuses"];
    assert_eq!(
        *status,
        json!([{
            "code": "ReplicationState/replicating", "level": "Info", "displayStatus": "Replicating"
        }])
    );
    fixture.advance_seconds(600);
    let done = fixture.get(&view).await.json();
    assert_eq!(percents(&done), [100, 100, 100]);
    let status = &done["properties"]["instanceView"]["statuses"][0];
    assert_eq!(status["code"], "ReplicationState/succeeded");
    assert_eq!(status["displayStatus"], "Replication succeeded");
}

#[tokio::test]
async fn one_failed_disk_fails_a_copy_without_a_reason() {
    let fixture = Fixture::new();
    let seeded = fixture.azure.seeded();
    let view = format!("{}?$expand=instanceView", seeded.failed_copy);
    let response = fixture.get(&view).await.json();
    let view = &response["properties"]["instanceView"];
    assert_eq!(view["statuses"][0]["level"], "Error");
    let failed = &view["diskRestorePoints"][2];
    assert!(failed["id"].as_str().unwrap().contains(&seeded.failed_disk));
    assert_eq!(failed["replicationStatus"]["status"]["code"], "ReplicationState/failed");
    assert!(failed["replicationStatus"].get("completionPercent").is_none());
    assert_eq!(view["diskRestorePoints"][0]["replicationStatus"]["completionPercent"], 100);

    let disks = &response["properties"]["sourceMetadata"]["storageProfile"];
    let name = disks["osDisk"]["name"].as_str().unwrap();
    assert!(fixture.azure.fail_replication(&seeded.running_copy, name));
    assert!(!fixture.azure.fail_replication(fixture.point(1), name), "not a copy");
    let response =
        fixture.get(&format!("{}?$expand=instanceView", seeded.running_copy)).await.json();
    assert_eq!(
        response["properties"]["instanceView"]["statuses"][0]["code"],
        "ReplicationState/failed"
    );
    assert_eq!(response["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn copies_that_violate_a_rule_are_rejected() {
    let fixture = Fixture::new();
    let seeded = fixture.azure.seeded();
    let assert_rejected = async |target: &str, source: &str, because: &str| {
        let response = fixture.copy(target, "no", source).await;
        response.assert_error(409, "OperationNotAllowed");
        response.assert_from_provider();
        assert!(response.text.contains(because), "{}", response.text);
    };
    assert_rejected(&seeded.target, fixture.point(3), "still in progress").await;
    assert_rejected(&seeded.target, fixture.point(2), "already copied").await;
    assert_rejected(&seeded.empty_collection, fixture.point(3), "is the source").await;
    let copies_of_copies = fixture.collection("rpc-second");
    let body = json!({"location": "westeurope", "properties": {"source": {"id": seeded.target}}});
    fixture.put(&copies_of_copies, body).await;
    assert_rejected(&copies_of_copies, &seeded.finished_copy, "itself a copy").await;
    let same_region = fixture.new_target("rpc-here", "eastus").await;
    assert_rejected(&same_region, fixture.point(1), "own region").await;
    let second = fixture.new_target("rpc-db01-westus2nd", "westus").await;
    assert_rejected(&second, fixture.point(1), "already copied to the target region").await;

    let target = fixture.new_target("rpc-north", "northeurope").await;
    let fresh = format!("{}/restorePoints/fresh", seeded.collection);
    fixture.put(&fresh, json!({})).await;
    assert_rejected(&target, &fresh, "'Succeeded'").await;
    let excluding = json!({"properties": {
        "sourceRestorePoint": {"id": fixture.point(1)}, "excludeDisks": [{"id": "x"}]
    }});
    let excluding = fixture.put(&format!("{target}/restorePoints/x"), excluding).await;
    excluding.assert_error(400, "InvalidParameter");
    let local = fixture.put(&format!("{target}/restorePoints/x"), json!({})).await;
    local.assert_error(400, "InvalidParameter");
    assert_eq!(fixture.copy(&target, "three", fixture.point(3)).await.status, 201);
    fixture.clock.advance(HOUR);
    assert_rejected(&target, fixture.point(2), "later restore point").await;
    let missing = format!("{}x", fixture.point(1));
    fixture.copy(&target, "gone", &missing).await.assert_error(404, "NotFound");
}

#[tokio::test]
async fn the_quota_allows_three_copies_an_hour() {
    let fixture = Fixture::with(|settings| settings.replication = SignedDuration::from_mins(1));
    let target = fixture.new_target("rpc-quota", "northeurope").await;
    for day in 1..=3 {
        let copy = fixture.copy(&target, &format!("copy{day}"), fixture.point(day)).await;
        assert_eq!(copy.status, 201, "{}", copy.text);
        fixture.advance_seconds(606);
    }
    let throttled = fixture.copy(&target, "copy4", fixture.point(4)).await;
    assert_eq!(throttled.status, 429);
    throttled.assert_from_provider();
    let wait: i64 = throttled.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(wait, 3600 - 3 * 606 + 1);
    let body = throttled.json();
    assert_eq!(body["code"], "OperationNotAllowed", "a flat body");
    assert_eq!(body["details"][0]["code"], "TooManyRequests");
    let inner: Value =
        serde_json::from_str(body["details"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!(inner["operationGroup"], "CopyRestorePoint");
    fixture.advance_seconds(wait);
    assert_eq!(fixture.copy(&target, "copy4", fixture.point(4)).await.status, 201);
}

#[tokio::test]
async fn a_copy_fails_after_two_weeks() {
    let fixture = Fixture::with(|settings| settings.replication = HOUR * (20 * 24));
    let target = fixture.new_target("rpc-slow", "northeurope").await;
    fixture.copy(&target, "slow", fixture.point(1)).await;
    let view = format!("{target}/restorePoints/slow?$expand=instanceView");
    let code = async || {
        let response = fixture.get(&view).await.json();
        response["properties"]["instanceView"]["statuses"][0]["code"].clone()
    };
    fixture.clock.advance(HOUR * (14 * 24));
    assert_eq!(code().await, "ReplicationState/replicating");
    fixture.advance_seconds(6);
    assert_eq!(code().await, "ReplicationState/failed");
}

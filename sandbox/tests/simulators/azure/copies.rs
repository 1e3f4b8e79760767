//! Copies: their long way, their failures, and the rules they must keep.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::fixture::{Bench, HOUR};

#[tokio::test]
async fn a_copy_is_started_in_seconds_and_replicates_for_long() {
    let bench = Bench::new();
    let target = bench.target("rpc-copies", "northeurope").await;
    let source = bench.get(bench.day(3)).await.json();
    let started = bench.copy(&target, "copy3", bench.day(3)).await;
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

    bench.wait(6);
    assert_eq!(bench.poll(&started).await.json()["status"], "Succeeded");
    let id = format!("{target}/restorePoints/copy3");
    let plain = bench.get(&id).await;
    assert_eq!(plain.json()["properties"]["provisioningState"], "Succeeded");
    plain.ordered(&["diskRestorePoint", "sourceDiskRestorePoint", "encryption", "id"]);
    plain.ordered(&["consistencyMode", "sourceRestorePoint", "timeCreated"]);
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
    let began = bench.get(&view).await;
    began.ordered(&["sourceRestorePoint", "instanceView", "diskRestorePoints", "timeCreated"]);
    began.ordered(&["replicationStatus", "status", "code", "level", "displayStatus"]);
    began.ordered(&["displayStatus", "completionPercent", "statuses", "timeCreated"]);
    assert_eq!(percents(&began.json()), [0, 0, 0]);
    bench.wait(599);
    assert_eq!(percents(&bench.get(&view).await.json()), [0, 0, 0], "before the first refresh");
    bench.wait(1);
    let later = percents(&bench.get(&view).await.json());
    assert_eq!(later[2], 33, "the largest disk takes the whole time");
    assert!(later[0].as_u64() > later[1].as_u64() && later[1].as_u64() > Some(33), "{later:?}");
    bench.wait(600);
    let status = &bench.get(&view).await.json()["properties"]["instanceView"]["statuses"];
    assert_eq!(
        *status,
        json!([{
            "code": "ReplicationState/replicating", "level": "Info", "displayStatus": "Replicating"
        }])
    );
    bench.wait(600);
    let done = bench.get(&view).await.json();
    assert_eq!(percents(&done), [100, 100, 100]);
    let status = &done["properties"]["instanceView"]["statuses"][0];
    assert_eq!(status["code"], "ReplicationState/succeeded");
    assert_eq!(status["displayStatus"], "Replication succeeded");
}

#[tokio::test]
async fn one_failed_disk_fails_a_copy_without_saying_why() {
    let bench = Bench::new();
    let seeded = bench.azure.seeded();
    let view = format!("{}?$expand=instanceView", seeded.failed_copy);
    let seen = bench.get(&view).await.json();
    let view = &seen["properties"]["instanceView"];
    assert_eq!(view["statuses"][0]["level"], "Error");
    let failed = &view["diskRestorePoints"][2];
    assert!(failed["id"].as_str().unwrap().contains(&seeded.failed_disk));
    assert_eq!(failed["replicationStatus"]["status"]["code"], "ReplicationState/failed");
    assert!(failed["replicationStatus"].get("completionPercent").is_none());
    assert_eq!(view["diskRestorePoints"][0]["replicationStatus"]["completionPercent"], 100);

    let disks = &seen["properties"]["sourceMetadata"]["storageProfile"];
    let name = disks["osDisk"]["name"].as_str().unwrap();
    assert!(bench.azure.fail_replication(&seeded.running_copy, name));
    assert!(!bench.azure.fail_replication(bench.day(1), name), "not a copy");
    let seen = bench.get(&format!("{}?$expand=instanceView", seeded.running_copy)).await.json();
    assert_eq!(
        seen["properties"]["instanceView"]["statuses"][0]["code"],
        "ReplicationState/failed"
    );
    assert_eq!(seen["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn copies_that_break_a_rule_are_refused() {
    let bench = Bench::new();
    let seeded = bench.azure.seeded();
    let refused = async |target: &str, source: &str, because: &str| {
        let seen = bench.copy(target, "no", source).await;
        seen.refused(409, "OperationNotAllowed");
        seen.by_provider();
        assert!(seen.text.contains(because), "{}", seen.text);
    };
    refused(&seeded.target, bench.day(3), "still in progress").await;
    refused(&seeded.target, bench.day(2), "already copied").await;
    refused(&seeded.empty_collection, bench.day(3), "is the source").await;
    let copies_of_copies = bench.collection("rpc-second");
    let body = json!({"location": "westeurope", "properties": {"source": {"id": seeded.target}}});
    bench.put(&copies_of_copies, body).await;
    refused(&copies_of_copies, &seeded.finished_copy, "itself a copy").await;
    let here = bench.target("rpc-here", "eastus").await;
    refused(&here, bench.day(1), "own region").await;
    let second = bench.target("rpc-db01-westus2nd", "westus").await;
    refused(&second, bench.day(1), "already copied to the target region").await;

    let target = bench.target("rpc-north", "northeurope").await;
    let fresh = format!("{}/restorePoints/fresh", seeded.collection);
    bench.put(&fresh, json!({})).await;
    refused(&target, &fresh, "'Succeeded'").await;
    let excluding = json!({"properties": {
        "sourceRestorePoint": {"id": bench.day(1)}, "excludeDisks": [{"id": "x"}]
    }});
    let excluding = bench.put(&format!("{target}/restorePoints/x"), excluding).await;
    excluding.refused(400, "InvalidParameter");
    let local = bench.put(&format!("{target}/restorePoints/x"), json!({})).await;
    local.refused(400, "InvalidParameter");
    assert_eq!(bench.copy(&target, "three", bench.day(3)).await.status, 201);
    bench.clock.advance(HOUR);
    refused(&target, bench.day(2), "later restore point").await;
    let missing = format!("{}x", bench.day(1));
    bench.copy(&target, "gone", &missing).await.refused(404, "NotFound");
}

#[tokio::test]
async fn three_copies_an_hour_and_no_more() {
    let bench = Bench::with(|settings| settings.replication = SignedDuration::from_mins(1));
    let target = bench.target("rpc-quota", "northeurope").await;
    for day in 1..=3 {
        let copy = bench.copy(&target, &format!("copy{day}"), bench.day(day)).await;
        assert_eq!(copy.status, 201, "{}", copy.text);
        bench.wait(606);
    }
    let throttled = bench.copy(&target, "copy4", bench.day(4)).await;
    assert_eq!(throttled.status, 429);
    throttled.by_provider();
    let wait: i64 = throttled.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(wait, 3600 - 3 * 606 + 1);
    let body = throttled.json();
    assert_eq!(body["code"], "OperationNotAllowed", "flat");
    assert_eq!(body["details"][0]["code"], "TooManyRequests");
    let inner: Value =
        serde_json::from_str(body["details"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!(inner["operationGroup"], "CopyRestorePoint");
    bench.wait(wait);
    assert_eq!(bench.copy(&target, "copy4", bench.day(4)).await.status, 201);
}

#[tokio::test]
async fn a_copy_that_takes_longer_than_two_weeks_is_cut_off() {
    let bench = Bench::with(|settings| settings.replication = HOUR * (20 * 24));
    let target = bench.target("rpc-slow", "northeurope").await;
    bench.copy(&target, "slow", bench.day(1)).await;
    let view = format!("{target}/restorePoints/slow?$expand=instanceView");
    let code = async || {
        let seen = bench.get(&view).await.json();
        seen["properties"]["instanceView"]["statuses"][0]["code"].clone()
    };
    bench.clock.advance(HOUR * (14 * 24));
    assert_eq!(code().await, "ReplicationState/replicating");
    bench.wait(6);
    assert_eq!(code().await, "ReplicationState/failed");
}

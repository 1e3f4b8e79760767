//! Instant access, from the collection that allows it to the state of each disk.

use http::Method;
use serde_json::{Value, json};

use super::fixture::{Bench, INSTANT, Seen};

async fn put(bench: &Bench, id: &str, body: Value) -> Seen {
    bench.at(INSTANT, Method::PUT, id, Some(body)).await
}

async fn view(bench: &Bench, id: &str) -> Seen {
    bench.at(INSTANT, Method::GET, &format!("{id}?$expand=instanceView"), None).await
}

/// A collection with instant access of the machine that needs it.
async fn collection(bench: &Bench, name: &str) -> String {
    let id = bench.collection(name);
    let vm = &bench.azure.seeded().instant_vm;
    let properties = json!({"source": {"id": vm}, "instantAccess": true});
    let made = put(bench, &id, json!({"location": "eastus", "properties": properties})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.ordered(&["restorePointCollectionId", "provisioningState", "instantAccess"]);
    id
}

fn lasting(minutes: i64) -> Value {
    json!({"properties": {"instantAccessDurationMinutes": minutes}})
}

#[tokio::test]
async fn instant_access_begins_at_once_and_ends_with_its_time() {
    let bench = Bench::with(|settings| {
        settings.replication = jiff::SignedDuration::from_mins(90);
    });
    let home = collection(&bench, "rpc-instant").await;
    let id = format!("{home}/restorePoints/fast");
    let started = put(&bench, &id, lasting(120)).await;
    assert_eq!(started.status, 201, "{}", started.text);
    started.ordered(&["provisioningState", "timeCreated", "instantAccessDurationMinutes"]);
    assert!(view(&bench, &id).await.json()["properties"].get("instanceView").is_none());
    bench.wait(299);
    assert_eq!(bench.poll(&started).await.json()["status"], "InProgress");
    bench.wait(1);
    assert_eq!(bench.poll(&started).await.json()["status"], "Succeeded");

    let seen = view(&bench, &id).await;
    seen.ordered(&["instanceView", "id", "snapshotAccessState", "replicationStatus", "statuses"]);
    let body = seen.json();
    let disks = body["properties"]["instanceView"]["diskRestorePoints"].as_array().unwrap();
    assert_eq!(disks.len(), 1, "the ordinary disk is missing");
    assert!(disks[0]["id"].as_str().unwrap().contains("_DataDisk_0_"));
    let state = async || {
        let seen = view(&bench, &id).await.json();
        let disk = &seen["properties"]["instanceView"]["diskRestorePoints"][0];
        disk["snapshotAccessState"].as_str().unwrap().to_owned()
    };
    assert_eq!(state().await, "InstantAccess");
    bench.wait(90 * 60);
    assert_eq!(state().await, "AvailableWithInstantAccess");
    bench.wait(30 * 60);
    assert_eq!(state().await, "Available");
    let disks = format!("{id}/diskRestorePoints");
    let disks = bench.at("2026-03-02", Method::GET, &disks, None).await.json();
    assert_eq!(disks["value"][0]["properties"]["logicalSectorSize"], 512);
    let second = &disks["value"][1]["properties"];
    assert_eq!(
        (&second["snapshotAccessState"], &second["logicalSectorSize"]),
        (&json!("Available"), &json!(4096))
    );
}

#[tokio::test]
async fn the_duration_has_bounds_and_a_default() {
    let bench = Bench::new();
    let home = collection(&bench, "rpc-bounds").await;
    for wrong in [59, 301, -1, i64::MAX] {
        let seen = put(&bench, &format!("{home}/restorePoints/x"), lasting(wrong)).await;
        seen.refused(400, "InvalidParameter");
        assert_eq!(seen.json()["error"]["target"], "instantAccessDurationMinutes");
    }
    let id = format!("{home}/restorePoints/plain");
    let shown = put(&bench, &id, json!({})).await.json();
    assert_eq!(shown["properties"]["instantAccessDurationMinutes"], 300);

    assert_eq!(put(&bench, &id, lasting(300)).await.status, 200, "the same again");
    for other in [120, i64::MAX] {
        put(&bench, &id, lasting(other)).await.refused(409, "OperationNotAllowed");
    }

    let plain = bench.home("rpc-plain", &bench.azure.seeded().instant_vm).await;
    let needs = put(&bench, &format!("{plain}/restorePoints/x"), json!({})).await;
    needs.refused(409, "OperationNotAllowed");
    bench.wait(300);
    let storage = &bench.get(&id).await.json()["properties"]["sourceMetadata"]["storageProfile"];
    let disk = storage["dataDisks"][0]["managedDisk"]["id"].clone();
    let without = json!({"properties": {"excludeDisks": [{"id": disk}]}});
    let without = put(&bench, &format!("{plain}/restorePoints/x"), without).await;
    assert_eq!(without.status, 201, "the disk that needs it is left out");
    let collection = &bench.azure.seeded().collection;
    let seen = put(&bench, &format!("{collection}/restorePoints/x"), lasting(60)).await;
    seen.refused(400, "InvalidParameter");
}

#[tokio::test]
async fn earlier_api_versions_neither_hear_nor_speak_of_it() {
    let bench = Bench::new();
    let home = collection(&bench, "rpc-versions").await;
    let shown = bench.get(&home).await.json();
    assert!(shown["properties"].get("instantAccess").is_none());
    let id = format!("{home}/restorePoints/old");
    let old = bench.put(&id, lasting(1)).await;
    assert_eq!(old.status, 201, "{}", old.text);
    assert!(!old.text.contains("instantAccess"));
    bench.wait(300);
    let seen = bench.get(&format!("{id}?$expand=instanceView")).await;
    assert!(!seen.text.contains("snapshotAccessState") && !seen.text.contains("instanceView"));
    let seen = view(&bench, &id).await.json();
    assert_eq!(seen["properties"]["instantAccessDurationMinutes"], 300);

    let ignored = json!({"properties": {"instantAccess": false}});
    bench.call(Method::PATCH, &bench.url(&home), Some(ignored.clone())).await;
    let shown = bench.at(INSTANT, Method::GET, &home, None).await.json();
    assert_eq!(shown["properties"]["instantAccess"], true);
    let off = bench.at(INSTANT, Method::PATCH, &home, Some(ignored)).await.json();
    assert_eq!(off["properties"]["instantAccess"], false);
}

#[tokio::test]
async fn fifty_at_a_time_and_no_more() {
    let bench = Bench::with(|settings| settings.points = 51 * 50);
    let fleet = |number: usize| {
        bench.path(&format!(
            "/resourceGroups/rg-fleet/providers/Microsoft.Compute/restorePointCollections/\
             rpc-fleet-{number:05}"
        ))
    };
    for number in 0..51 {
        let on = json!({"properties": {"instantAccess": true}});
        let seen = bench.at(INSTANT, Method::PATCH, &fleet(number), Some(on)).await;
        assert_eq!(seen.status, 200, "{}", seen.text);
        let seen = put(&bench, &format!("{}/restorePoints/fast", fleet(number)), json!({})).await;
        if number < 50 {
            assert_eq!(seen.status, 201, "{}", seen.text);
        } else {
            seen.refused(409, "OperationNotAllowed");
            assert!(seen.text.contains("50"));
        }
    }
    bench.wait(300);
    let seen = put(&bench, &format!("{}/restorePoints/fast", fleet(50)), json!({})).await;
    assert_eq!(seen.status, 201, "{}", seen.text);
}

//! Instant access: collections that allow it, durations, and the state of each disk.

use http::Method;
use serde_json::{Value, json};

use super::fixture::{CapturedResponse, Fixture, INSTANT};

async fn put(fixture: &Fixture, id: &str, body: Value) -> CapturedResponse {
    fixture.call_with_version(INSTANT, Method::PUT, id, Some(body)).await
}

async fn view(fixture: &Fixture, id: &str) -> CapturedResponse {
    fixture
        .call_with_version(INSTANT, Method::GET, &format!("{id}?$expand=instanceView"), None)
        .await
}

/// A collection with instant access of a machine that needs it.
async fn collection(fixture: &Fixture, name: &str) -> String {
    let id = fixture.collection(name);
    let vm = &fixture.azure.seeded().instant_vm;
    let properties = json!({"source": {"id": vm}, "instantAccess": true});
    let created = put(fixture, &id, json!({"location": "eastus", "properties": properties})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.assert_member_order(&[
        "restorePointCollectionId",
        "provisioningState",
        "instantAccess",
    ]);
    id
}

fn with_duration(minutes: i64) -> Value {
    json!({"properties": {"instantAccessDurationMinutes": minutes}})
}

#[tokio::test]
async fn instant_access_starts_after_the_creation_and_expires() {
    let fixture = Fixture::with(|settings| {
        settings.replication = jiff::SignedDuration::from_mins(90);
    });
    let collection_id = collection(&fixture, "rpc-instant").await;
    let id = format!("{collection_id}/restorePoints/fast");
    let started = put(&fixture, &id, with_duration(120)).await;
    assert_eq!(started.status, 201, "{}", started.text);
    started.assert_member_order(&[
        "provisioningState",
        "timeCreated",
        "instantAccessDurationMinutes",
    ]);
    assert!(view(&fixture, &id).await.json()["properties"].get("instanceView").is_none());
    fixture.advance_seconds(299);
    assert_eq!(fixture.poll(&started).await.json()["status"], "InProgress");
    fixture.advance_seconds(1);
    assert_eq!(fixture.poll(&started).await.json()["status"], "Succeeded");

    let response = view(&fixture, &id).await;
    response.assert_member_order(&[
        "instanceView",
        "id",
        "snapshotAccessState",
        "replicationStatus",
        "statuses",
    ]);
    let body = response.json();
    let disks = body["properties"]["instanceView"]["diskRestorePoints"].as_array().unwrap();
    assert_eq!(disks.len(), 1, "only the disk with instant access is listed");
    assert!(disks[0]["id"].as_str().unwrap().contains("_DataDisk_0_"));
    let state = async || {
        let response = view(&fixture, &id).await.json();
        let disk = &response["properties"]["instanceView"]["diskRestorePoints"][0];
        disk["snapshotAccessState"].as_str().unwrap().to_owned()
    };
    assert_eq!(state().await, "InstantAccess");
    fixture.advance_seconds(90 * 60);
    assert_eq!(state().await, "AvailableWithInstantAccess");
    fixture.advance_seconds(30 * 60);
    assert_eq!(state().await, "Available");
    let disks = format!("{id}/diskRestorePoints");
    let disks = fixture.call_with_version("2026-03-02", Method::GET, &disks, None).await.json();
    assert_eq!(disks["value"][0]["properties"]["logicalSectorSize"], 512);
    let second = &disks["value"][1]["properties"];
    assert_eq!(
        (&second["snapshotAccessState"], &second["logicalSectorSize"]),
        (&json!("Available"), &json!(4096))
    );
}

#[tokio::test]
async fn the_duration_has_bounds_and_a_default() {
    let fixture = Fixture::new();
    let collection_id = collection(&fixture, "rpc-bounds").await;
    for wrong in [59, 301, -1, i64::MAX] {
        let response =
            put(&fixture, &format!("{collection_id}/restorePoints/x"), with_duration(wrong)).await;
        response.assert_error(400, "InvalidParameter");
        assert_eq!(response.json()["error"]["target"], "instantAccessDurationMinutes");
    }
    let id = format!("{collection_id}/restorePoints/plain");
    let body = put(&fixture, &id, json!({})).await.json();
    assert_eq!(body["properties"]["instantAccessDurationMinutes"], 300);

    assert_eq!(put(&fixture, &id, with_duration(300)).await.status, 200, "the same request again");
    for other in [120, i64::MAX] {
        put(&fixture, &id, with_duration(other)).await.assert_error(409, "OperationNotAllowed");
    }

    let plain = fixture.new_collection("rpc-plain", &fixture.azure.seeded().instant_vm).await;
    let needs = put(&fixture, &format!("{plain}/restorePoints/x"), json!({})).await;
    needs.assert_error(409, "OperationNotAllowed");
    fixture.advance_seconds(300);
    let storage = &fixture.get(&id).await.json()["properties"]["sourceMetadata"]["storageProfile"];
    let disk = storage["dataDisks"][0]["managedDisk"]["id"].clone();
    let without = json!({"properties": {"excludeDisks": [{"id": disk}]}});
    let without = put(&fixture, &format!("{plain}/restorePoints/x"), without).await;
    assert_eq!(without.status, 201, "the disk that needs instant access is excluded");
    let collection = &fixture.azure.seeded().collection;
    let response = put(&fixture, &format!("{collection}/restorePoints/x"), with_duration(60)).await;
    response.assert_error(400, "InvalidParameter");
}

#[tokio::test]
async fn earlier_api_versions_ignore_and_omit_instant_access() {
    let fixture = Fixture::new();
    let collection_id = collection(&fixture, "rpc-versions").await;
    let body = fixture.get(&collection_id).await.json();
    assert!(body["properties"].get("instantAccess").is_none());
    let id = format!("{collection_id}/restorePoints/old");
    let old = fixture.put(&id, with_duration(1)).await;
    assert_eq!(old.status, 201, "{}", old.text);
    assert!(!old.text.contains("instantAccess"));
    fixture.advance_seconds(300);
    let response = fixture.get(&format!("{id}?$expand=instanceView")).await;
    assert!(
        !response.text.contains("snapshotAccessState") && !response.text.contains("instanceView")
    );
    let response = view(&fixture, &id).await.json();
    assert_eq!(response["properties"]["instantAccessDurationMinutes"], 300);

    let ignored = json!({"properties": {"instantAccess": false}});
    fixture.call(Method::PATCH, &fixture.url(&collection_id), Some(ignored.clone())).await;
    let body = fixture.call_with_version(INSTANT, Method::GET, &collection_id, None).await.json();
    assert_eq!(body["properties"]["instantAccess"], true);
    let off = fixture
        .call_with_version(INSTANT, Method::PATCH, &collection_id, Some(ignored))
        .await
        .json();
    assert_eq!(off["properties"]["instantAccess"], false);
}

#[tokio::test]
async fn at_most_fifty_creations_with_instant_access_run_concurrently() {
    let fixture = Fixture::with(|settings| settings.points = 51 * 50);
    let fleet = |number: usize| {
        fixture.path(&format!(
            "/resourceGroups/rg-fleet/providers/Microsoft.Compute/restorePointCollections/\
             rpc-fleet-{number:05}"
        ))
    };
    for number in 0..51 {
        let on = json!({"properties": {"instantAccess": true}});
        let response =
            fixture.call_with_version(INSTANT, Method::PATCH, &fleet(number), Some(on)).await;
        assert_eq!(response.status, 200, "{}", response.text);
        let response =
            put(&fixture, &format!("{}/restorePoints/fast", fleet(number)), json!({})).await;
        if number < 50 {
            assert_eq!(response.status, 201, "{}", response.text);
        } else {
            response.assert_error(409, "OperationNotAllowed");
            assert!(response.text.contains("50"));
        }
    }
    fixture.advance_seconds(300);
    let response = put(&fixture, &format!("{}/restorePoints/fast", fleet(50)), json!({})).await;
    assert_eq!(response.status, 201, "{}", response.text);
}

//! What came with which api-version.

use http::Method;
use serde_json::json;

use super::fixture::Bench;

#[tokio::test]
async fn features_need_their_api_version() {
    let bench = Bench::new();
    let id = format!("{}/restorePoints/x", bench.azure.seeded().collection);
    let crash = Some(json!({"properties": {"consistencyMode": "CrashConsistent"}}));
    let early = bench.at("2021-04-01", Method::PUT, &id, crash.clone()).await;
    early.refused(400, "BadRequest");
    early.by_provider();
    assert!(early.text.contains("This request can be made with api-version '2021-07-01' or newer"));
    assert_eq!(bench.at("2021-07-01", Method::PUT, &id, crash).await.status, 201);

    let view = format!("{}?$expand=instanceView", bench.azure.seeded().running_copy);
    bench.at("2021-07-01", Method::GET, &view, None).await.refused(400, "BadRequest");
    assert_eq!(bench.at("2021-11-01", Method::GET, &view, None).await.status, 200);

    let controller = async |version| {
        let seen = bench.at(version, Method::GET, bench.day(1), None).await.json();
        seen["properties"]["sourceMetadata"]["storageProfile"]["diskControllerType"].clone()
    };
    assert!(controller("2023-07-01").await.is_null());
    assert_eq!(controller("2023-09-01").await, "SCSI");

    let disks = format!("{}/diskRestorePoints", bench.azure.seeded().running_copy);
    let disk = async |version| {
        bench.at(version, Method::GET, &disks, None).await.json()["value"][0]["properties"].clone()
    };
    let first = disk("2020-09-30").await;
    for later in ["completionPercent", "replicationState", "networkAccessPolicy"] {
        assert!(first.get(later).is_none(), "{later}");
    }
    assert!(first["familyId"].is_string() && first["sourceUniqueId"].is_string());
    let last = disk("2026-03-02").await;
    assert_eq!(last["sourceResourceLocation"], "eastus");
    assert_eq!(last["snapshotAccessState"], "Pending");
}

#[tokio::test]
async fn a_creation_without_its_question_mark_gets_what_the_gateway_says_to_that() {
    let bench = Bench::new();
    let id = format!("{}/restorePoints/slip", bench.azure.seeded().collection);
    let url = format!("{}{id}&api-version=2024-07-01", bench.azure.endpoint());
    let seen = bench.call(Method::PUT, &url, Some(json!({}))).await;
    seen.refused(400, "MissingApiVersionParameter");
    seen.by_gateway();
    bench.get(&id).await.refused(404, "NotFound");
}

//! Features by api-version.

use http::Method;
use serde_json::json;

use super::fixture::Fixture;

#[tokio::test]
async fn features_need_their_api_version() {
    let fixture = Fixture::new();
    let id = format!("{}/restorePoints/x", fixture.azure.seeded().collection);
    let crash = Some(json!({"properties": {"consistencyMode": "CrashConsistent"}}));
    let early = fixture.call_with_version("2021-04-01", Method::PUT, &id, crash.clone()).await;
    early.assert_error(400, "BadRequest");
    early.assert_from_provider();
    assert!(early.text.contains("This request can be made with api-version '2021-07-01' or newer"));
    assert_eq!(fixture.call_with_version("2021-07-01", Method::PUT, &id, crash).await.status, 201);

    let view = format!("{}?$expand=instanceView", fixture.azure.seeded().running_copy);
    fixture
        .call_with_version("2021-07-01", Method::GET, &view, None)
        .await
        .assert_error(400, "BadRequest");
    assert_eq!(fixture.call_with_version("2021-11-01", Method::GET, &view, None).await.status, 200);

    let controller = async |version| {
        let response =
            fixture.call_with_version(version, Method::GET, fixture.point(1), None).await.json();
        response["properties"]["sourceMetadata"]["storageProfile"]["diskControllerType"].clone()
    };
    assert!(controller("2023-07-01").await.is_null());
    assert_eq!(controller("2023-09-01").await, "SCSI");

    let disks = format!("{}/diskRestorePoints", fixture.azure.seeded().running_copy);
    let disk = async |version| {
        fixture.call_with_version(version, Method::GET, &disks, None).await.json()["value"][0]["properties"].clone()
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
async fn a_url_without_a_question_mark_has_no_api_version() {
    let fixture = Fixture::new();
    let id = format!("{}/restorePoints/slip", fixture.azure.seeded().collection);
    let url = format!("{}{id}&api-version=2024-07-01", fixture.azure.endpoint());
    let response = fixture.call(Method::PUT, &url, Some(json!({}))).await;
    response.assert_error(400, "MissingApiVersionParameter");
    response.assert_from_gateway();
    fixture.get(&id).await.assert_error(404, "NotFound");
}

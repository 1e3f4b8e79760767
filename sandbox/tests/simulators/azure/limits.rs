//! Limits: points of a machine, collections of a region, bytes of a response.

use reqwest::Client;
use serde_json::json;

use super::fixture::{CapturedResponse, Fixture};

#[tokio::test]
async fn the_number_of_points_of_a_machine_is_limited() {
    let fixture = Fixture::with(|settings| settings.points_per_machine = 8);
    // It has six points in its own collection, and one in that of Azure Backup.
    let other = fixture.new_collection("rpc-other", &fixture.azure.seeded().vm).await;
    for (name, status) in [("eighth", "Succeeded"), ("ninth", "Failed")] {
        let started = fixture.put(&format!("{other}/restorePoints/{name}"), json!({})).await;
        assert_eq!(started.status, 201, "{}", started.text);
        fixture.advance_seconds(40);
        let ended = fixture.poll(&started).await;
        assert_eq!(ended.json()["status"], status, "{}", ended.text);
        if status == "Failed" {
            assert_eq!(ended.json()["error"]["code"], "VMRestorePointClientError");
            assert!(ended.text.contains("snapshot limit"), "{}", ended.text);
        }
    }
}

#[tokio::test]
async fn the_number_of_collections_in_a_region_is_limited() {
    let fixture = Fixture::with(|settings| settings.collections_per_region = 4);
    // The seed has three collections in eastus.
    let vm = &fixture.azure.seeded().vm;
    fixture.new_collection("rpc-fourth", vm).await;
    let body = json!({"location": "eastus", "properties": {"source": {"id": vm}}});
    let fifth = fixture.put(&fixture.collection("rpc-fifth"), body.clone()).await;
    fifth.assert_error(409, "OperationNotAllowed");
    fifth.assert_from_provider();
    assert_eq!(fixture.put(&fixture.collection("rpc-fourth"), body).await.status, 200, "an update");
    fixture.new_target("rpc-elsewhere", "northeurope").await;
}

#[tokio::test]
async fn a_response_that_is_too_large_becomes_a_500_of_the_gateway() {
    let fixture = Fixture::with(|settings| settings.quirks.max_response_bytes = Some(12_000));
    let id = format!("{}?$expand=restorePoints", fixture.azure.seeded().collection);
    assert_eq!(fixture.get(&fixture.azure.seeded().collection).await.status, 200);
    let http = fixture.client(Client::builder().http1_only());
    let request = http.get(fixture.url(&id)).bearer_auth(fixture.azure.static_token());
    let too_large = CapturedResponse::read(request.send().await.unwrap()).await;
    too_large.assert_error(500, "InternalServerError");
    too_large.assert_from_gateway();
    assert_eq!(too_large.header("connection"), Some("close"));
    assert!(too_large.text.contains("Encountered internal server error. Diagnostic information:"));

    let default_limit = Fixture::new().get(&id).await;
    assert_eq!(default_limit.status, 200);
    assert!(default_limit.text.len() > 12_000);
}

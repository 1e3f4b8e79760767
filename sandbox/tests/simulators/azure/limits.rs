//! What there can be at most: points of a machine, collections of a region, bytes of an answer.

use reqwest::Client;
use serde_json::json;

use super::fixture::{Bench, Seen};

#[tokio::test]
async fn a_machine_has_so_many_points_in_all_its_collections() {
    let bench = Bench::with(|settings| settings.points_per_machine = 8);
    // Six in its own collection, and one of Azure Backup.
    let other = bench.home("rpc-other", &bench.azure.seeded().vm).await;
    for (name, status) in [("eighth", "Succeeded"), ("ninth", "Failed")] {
        let started = bench.put(&format!("{other}/restorePoints/{name}"), json!({})).await;
        assert_eq!(started.status, 201, "{}", started.text);
        bench.wait(40);
        let ended = bench.poll(&started).await;
        assert_eq!(ended.json()["status"], status, "{}", ended.text);
        if status == "Failed" {
            assert_eq!(ended.json()["error"]["code"], "VMRestorePointClientError");
            assert!(ended.text.contains("snapshot limit"), "{}", ended.text);
        }
    }
}

#[tokio::test]
async fn a_region_has_so_many_collections() {
    let bench = Bench::with(|settings| settings.collections_per_region = 4);
    // In eastus there are three of the story.
    let vm = &bench.azure.seeded().vm;
    bench.home("rpc-fourth", vm).await;
    let body = json!({"location": "eastus", "properties": {"source": {"id": vm}}});
    let fifth = bench.put(&bench.collection("rpc-fifth"), body.clone()).await;
    fifth.refused(409, "OperationNotAllowed");
    fifth.by_provider();
    assert_eq!(bench.put(&bench.collection("rpc-fourth"), body).await.status, 200, "an update");
    bench.target("rpc-elsewhere", "northeurope").await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_becomes_the_gateways_failure() {
    let bench = Bench::with(|settings| settings.quirks.answer_limit = Some(12_000));
    let id = format!("{}?$expand=restorePoints", bench.azure.seeded().collection);
    assert_eq!(bench.get(&bench.azure.seeded().collection).await.status, 200);
    let http = bench.client(Client::builder().http1_only());
    let request = http.get(bench.url(&id)).bearer_auth(bench.azure.static_token());
    let large = Seen::of(request.send().await.unwrap()).await;
    large.refused(500, "InternalServerError");
    large.by_gateway();
    assert_eq!(large.header("connection"), Some("close"));
    assert!(large.text.contains("Encountered internal server error. Diagnostic information:"));

    let real = Bench::new().get(&id).await;
    assert_eq!(real.status, 200);
    assert!(real.text.len() > 12_000);
}

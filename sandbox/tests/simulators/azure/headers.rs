//! The headers of a response: exactly the recorded ones.

use std::collections::BTreeSet;

use http::Method;
use reqwest::Client;
use serde_json::json;

use super::fixture::{CapturedResponse, Fixture};

const EVERYWHERE: &str = "cache-control content-length date expires pragma \
     strict-transport-security x-cache x-content-type-options x-ms-correlation-request-id \
     x-ms-request-id x-ms-routing-request-id x-ms-throttling-version x-msedge-ref";

/// Over HTTP/1.1, which transmits all headers.
async fn call(fixture: &Fixture, method: Method, id: &str) -> CapturedResponse {
    let http = fixture.client(Client::builder().http1_only());
    let mut request = http.request(method.clone(), fixture.url(id));
    if method == Method::PUT {
        request = request.json(&json!({}));
    }
    let request = request.bearer_auth(fixture.azure.static_token());
    CapturedResponse::read(request.send().await.unwrap()).await
}

fn assert_headers(response: &CapturedResponse, additional: &[&str]) {
    let names: BTreeSet<&str> = response.headers.keys().map(http::HeaderName::as_str).collect();
    let mut expected: BTreeSet<&str> = EVERYWHERE.split_whitespace().collect();
    expected.extend(additional.iter().flat_map(|group| group.split_whitespace()));
    assert_eq!(names, expected);
}

const JSON: &str = "content-type";
const PROVIDER: &str = "x-ms-operation-identifier x-ms-ratelimit-remaining-resource";
const GATEWAY: &str = "x-ms-failure-cause";
const OPERATION: &str = "azure-asyncoperation azure-asyncnotification";

fn remaining_headers(kind: &str) -> String {
    let start = "x-ms-ratelimit-remaining-subscription";
    format!("{start}-{kind} {start}-global-{kind}")
}

#[tokio::test]
async fn each_response_has_exactly_the_recorded_headers() {
    let fixture = Fixture::new();
    let collection = &fixture.azure.seeded().collection;
    let created = call(&fixture, Method::PUT, &format!("{collection}/restorePoints/fresh")).await;
    assert_eq!(created.status, 201);
    assert_headers(&created, &[JSON, PROVIDER, OPERATION, &remaining_headers("writes")]);
    let read = call(&fixture, Method::GET, fixture.point(1)).await;
    assert_headers(&read, &[JSON, PROVIDER, &remaining_headers("reads")]);
    let list = fixture.path("/providers/Microsoft.Compute/restorePointCollections");
    let listed = call(&fixture, Method::GET, &list).await;
    let fanned_out = "x-ms-operation-identifier x-ms-original-request-ids";
    assert_headers(&listed, &[JSON, fanned_out, &remaining_headers("reads")]);
    for id in [fixture.point(1), collection] {
        let deleted = call(&fixture, Method::DELETE, id).await;
        assert_eq!(deleted.status, 202);
        assert_headers(&deleted, &[PROVIDER, OPERATION, "location", &remaining_headers("deletes")]);
    }
    assert_headers(&call(&fixture, Method::GET, &fixture.collection("no")).await, &[JSON, GATEWAY]);
    let missing = format!("{}/restorePoints/no", fixture.azure.seeded().target);
    assert_headers(
        &call(&fixture, Method::GET, &missing).await,
        &[JSON, PROVIDER, &remaining_headers("reads")],
    );
}

#[tokio::test]
async fn the_status_of_an_operation_matches_the_recording_byte_for_byte() {
    let fixture = Fixture::new();
    let deleted = fixture.delete(fixture.point(1)).await;
    let name = deleted.header("x-ms-request-id").unwrap();
    let start = "  \"startTime\": \"2026-04-24T10:48:18.6995494+00:00\",\r\n";
    let running = fixture.poll(&deleted).await;
    let expected =
        format!("{{\r\n{start}  \"status\": \"InProgress\",\r\n  \"name\": \"{name}\"\r\n}}");
    assert_eq!(running.text, expected);
    fixture.advance_seconds(8);
    let end = "  \"endTime\": \"2026-04-24T10:48:26.6995494+00:00\",\r\n";
    let expected =
        format!("{{\r\n{start}{end}  \"status\": \"Succeeded\",\r\n  \"name\": \"{name}\"\r\n}}");
    assert_eq!(fixture.poll(&deleted).await.text, expected);
}

//! Which headers an answer has: no more and no fewer than were seen.

use std::collections::BTreeSet;

use http::Method;
use reqwest::Client;
use serde_json::json;

use super::fixture::{Bench, Seen};

const EVERYWHERE: &str = "cache-control content-length date expires pragma \
     strict-transport-security x-cache x-content-type-options x-ms-correlation-request-id \
     x-ms-request-id x-ms-routing-request-id x-ms-throttling-version x-msedge-ref";

/// Over HTTP/1.1, where nothing is left out.
async fn call(bench: &Bench, method: Method, id: &str) -> Seen {
    let http = bench.client(Client::builder().http1_only());
    let mut request = http.request(method.clone(), bench.url(id));
    if method == Method::PUT {
        request = request.json(&json!({}));
    }
    let request = request.bearer_auth(bench.azure.static_token());
    Seen::of(request.send().await.unwrap()).await
}

fn has(seen: &Seen, besides: &[&str]) {
    let names: BTreeSet<&str> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    let mut expected: BTreeSet<&str> = EVERYWHERE.split_whitespace().collect();
    expected.extend(besides.iter().flat_map(|group| group.split_whitespace()));
    assert_eq!(names, expected);
}

const JSON: &str = "content-type";
const PROVIDER: &str = "x-ms-operation-identifier x-ms-ratelimit-remaining-resource";
const GATEWAY: &str = "x-ms-failure-cause";
const OPERATION: &str = "azure-asyncoperation azure-asyncnotification";

fn left(kind: &str) -> String {
    let start = "x-ms-ratelimit-remaining-subscription";
    format!("{start}-{kind} {start}-global-{kind}")
}

#[tokio::test]
async fn each_answer_has_the_headers_that_were_seen() {
    let bench = Bench::new();
    let home = &bench.azure.seeded().collection;
    let made = call(&bench, Method::PUT, &format!("{home}/restorePoints/fresh")).await;
    assert_eq!(made.status, 201);
    has(&made, &[JSON, PROVIDER, OPERATION, &left("writes")]);
    let read = call(&bench, Method::GET, bench.day(1)).await;
    has(&read, &[JSON, PROVIDER, &left("reads")]);
    let list = bench.path("/providers/Microsoft.Compute/restorePointCollections");
    let listed = call(&bench, Method::GET, &list).await;
    let fanned_out = "x-ms-operation-identifier x-ms-original-request-ids";
    has(&listed, &[JSON, fanned_out, &left("reads")]);
    for id in [bench.day(1), home] {
        let deleted = call(&bench, Method::DELETE, id).await;
        assert_eq!(deleted.status, 202);
        has(&deleted, &[PROVIDER, OPERATION, "location", &left("deletes")]);
    }
    has(&call(&bench, Method::GET, &bench.collection("no")).await, &[JSON, GATEWAY]);
    let missing = format!("{}/restorePoints/no", bench.azure.seeded().target);
    has(&call(&bench, Method::GET, &missing).await, &[JSON, PROVIDER, &left("reads")]);
}

#[tokio::test]
async fn the_status_of_an_operation_is_printed_to_the_byte() {
    let bench = Bench::new();
    let deleted = bench.delete(bench.day(1)).await;
    let name = deleted.header("x-ms-request-id").unwrap();
    let start = "  \"startTime\": \"2026-04-24T10:48:18.6995494+00:00\",\r\n";
    let running = bench.poll(&deleted).await;
    let expected =
        format!("{{\r\n{start}  \"status\": \"InProgress\",\r\n  \"name\": \"{name}\"\r\n}}");
    assert_eq!(running.text, expected);
    bench.wait(8);
    let end = "  \"endTime\": \"2026-04-24T10:48:26.6995494+00:00\",\r\n";
    let expected =
        format!("{{\r\n{start}{end}  \"status\": \"Succeeded\",\r\n  \"name\": \"{name}\"\r\n}}");
    assert_eq!(bench.poll(&deleted).await.text, expected);
}

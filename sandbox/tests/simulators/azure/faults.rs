//! Faults that a test prepares.

use http::{Method, StatusCode};
use reqwest::Client;
use restore_point_sandbox::azure::{Canned, Fault, Matching, Own};
use serde_json::json;

use super::fixture::Bench;

#[tokio::test]
async fn scripted_faults_hit_what_they_were_meant_for() {
    let bench = Bench::new();
    let day = bench.day(1);
    let script = |fault| bench.azure.script(Matching::new(Method::GET, "/DB01-day1"), 1, fault);
    script(Fault::answer(Canned {
        status: 503,
        headers: vec![("retry-after".into(), "7".into())],
        body: "<html>".into(),
    }));
    let canned = bench.get(day).await;
    assert_eq!((canned.status, canned.text.as_str()), (503, "<html>"));
    assert_eq!(canned.header("retry-after"), Some("7"));
    script(Fault::refuse(StatusCode::FORBIDDEN));
    let forbidden = bench.get(day).await;
    forbidden.refused(403, "AuthorizationFailed");
    assert!(
        forbidden.text.contains("Microsoft.Compute/restorePointCollections/restorePoints/read")
    );
    script(Fault::refuse(StatusCode::BAD_GATEWAY));
    let unreachable = bench.get(day).await;
    unreachable.refused(502, "BadGatewayConnection");
    assert_eq!(unreachable.header("x-ms-failure-cause"), Some("service"));
    script(Fault::refuse(StatusCode::GATEWAY_TIMEOUT));
    bench.get(day).await.refused(504, "GatewayTimeout");
    script(Fault::refuse_for(StatusCode::TOO_MANY_REQUESTS, 6));
    let throttled = bench.get(day).await;
    throttled.refused(429, "ResourceRequestsThrottled");
    assert_eq!(throttled.header("retry-after"), Some("6"));
    assert_eq!(bench.get(day).await.status, 200, "all used up");

    for (name, http) in
        [("lost-1", bench.client(Client::builder().http1_only())), ("lost-2", bench.http.clone())]
    {
        let id = format!("{}/restorePoints/{name}", bench.azure.seeded().collection);
        bench.azure.script(Matching::path(name), 1, Fault::lose_reply());
        let request = http.put(bench.url(&id)).bearer_auth(bench.azure.static_token());
        request.json(&json!({})).send().await.unwrap_err();
        let found = bench.get(&id).await;
        assert_eq!(found.json()["properties"]["provisioningState"], "Creating", "it took effect");
        bench.wait(40);
    }

    bench.wait(60);
    let id = format!("{}/restorePoints/doomed", bench.azure.seeded().collection);
    let (code, message) = ("VMAgentStatusCommunicationError", "VM has not reported status.");
    let fault = Fault::own(Own::FailCreation { code: code.into(), message: message.into() });
    bench.azure.script(Matching::new(Method::PUT, "/doomed"), 1, fault);
    let started = bench.put(&id, json!({})).await;
    assert_eq!(started.status, 201);
    assert_eq!(bench.poll(&started).await.json()["status"], "InProgress");
    bench.wait(40);
    assert_eq!(bench.poll(&started).await.json()["error"]["message"], message);
    assert_eq!(bench.get(&id).await.json()["properties"]["provisioningState"], "Failed");
}

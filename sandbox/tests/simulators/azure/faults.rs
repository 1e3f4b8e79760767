//! Faults that a test injects without the admin API.

use http::{Method, StatusCode};
use reqwest::Client;
use restore_point_sandbox::azure::{Canned, Fault, Matching, VendorFault};
use serde_json::json;

use super::fixture::Fixture;

#[tokio::test]
async fn injected_faults_apply_to_matching_requests() {
    let fixture = Fixture::new();
    let day = fixture.point(1);
    let script = |fault| fixture.azure.inject(Matching::new(Method::GET, "/DB01-day1"), 1, fault);
    script(Fault::canned(Canned {
        status: 503,
        headers: vec![("retry-after".into(), "7".into())],
        body: "<html>".into(),
    }));
    let canned = fixture.get(day).await;
    assert_eq!((canned.status, canned.text.as_str()), (503, "<html>"));
    assert_eq!(canned.header("retry-after"), Some("7"));
    script(Fault::error(StatusCode::FORBIDDEN));
    let forbidden = fixture.get(day).await;
    forbidden.assert_error(403, "AuthorizationFailed");
    assert!(
        forbidden.text.contains("Microsoft.Compute/restorePointCollections/restorePoints/read")
    );
    script(Fault::error(StatusCode::BAD_GATEWAY));
    let unreachable = fixture.get(day).await;
    unreachable.assert_error(502, "BadGatewayConnection");
    assert_eq!(unreachable.header("x-ms-failure-cause"), Some("service"));
    script(Fault::error(StatusCode::GATEWAY_TIMEOUT));
    fixture.get(day).await.assert_error(504, "GatewayTimeout");
    script(Fault::error_with_retry_after(StatusCode::TOO_MANY_REQUESTS, 6));
    let throttled = fixture.get(day).await;
    throttled.assert_error(429, "ResourceRequestsThrottled");
    assert_eq!(throttled.header("retry-after"), Some("6"));
    assert_eq!(fixture.get(day).await.status, 200, "all used up");

    for (name, http) in [
        ("lost-1", fixture.client(Client::builder().http1_only())),
        ("lost-2", fixture.http.clone()),
    ] {
        let id = format!("{}/restorePoints/{name}", fixture.azure.seeded().collection);
        fixture.azure.inject(Matching::path(name), 1, Fault::lose_reply());
        let request = http.put(fixture.url(&id)).bearer_auth(fixture.azure.static_token());
        request.json(&json!({})).send().await.unwrap_err();
        let found = fixture.get(&id).await;
        assert_eq!(
            found.json()["properties"]["provisioningState"],
            "Creating",
            "the request was executed"
        );
        fixture.advance_seconds(40);
    }

    fixture.advance_seconds(60);
    let id = format!("{}/restorePoints/doomed", fixture.azure.seeded().collection);
    let (code, message) = ("VMAgentStatusCommunicationError", "VM has not reported status.");
    let fault =
        Fault::vendor(VendorFault::FailCreation { code: code.into(), message: message.into() });
    fixture.azure.inject(Matching::new(Method::PUT, "/doomed"), 1, fault);
    let started = fixture.put(&id, json!({})).await;
    assert_eq!(started.status, 201);
    assert_eq!(fixture.poll(&started).await.json()["status"], "InProgress");
    fixture.advance_seconds(40);
    assert_eq!(fixture.poll(&started).await.json()["error"]["message"], message);
    assert_eq!(fixture.get(&id).await.json()["properties"]["provisioningState"], "Failed");
}

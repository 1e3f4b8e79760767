//! Token buckets, the headers that report them, and the throttling errors of gateway and provider.

use http::Method;
use reqwest::Client;
use restore_point_sandbox::azure::Throttling;
use serde_json::{Value, json};

use super::fixture::{CapturedResponse, Fixture};

const LEFT: &str = "x-ms-ratelimit-remaining-resource";
const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";
const GLOBAL_READS: &str = "x-ms-ratelimit-remaining-subscription-global-reads";

fn remaining(response: &CapturedResponse, policy: &str) -> u32 {
    let header = response.header(LEFT).unwrap();
    let named = format!("Microsoft.Compute/{policy};");
    let found = header.split(',').find_map(|one| one.strip_prefix(&named));
    found.unwrap_or_else(|| panic!("{policy} is not in {header}")).parse().unwrap()
}

#[tokio::test]
async fn the_headers_report_the_remaining_requests_and_the_refill() {
    let fixture = Fixture::new();
    let policy = "LowCostGetRestorePointSubscriptionMaximum";
    assert_eq!(remaining(&fixture.get(fixture.point(1)).await, policy), 599);
    assert_eq!(
        remaining(&fixture.get(fixture.point(2)).await, policy),
        598,
        "the bucket is per subscription"
    );
    fixture.advance_seconds(1);
    assert_eq!(
        remaining(&fixture.get(fixture.point(2)).await, policy),
        599,
        "ten a second are refilled"
    );

    let body =
        json!({"location": "eastus", "properties": {"source": {"id": fixture.azure.seeded().vm}}});
    let (resource, subscription) =
        ("PutRestorePointCollectionResource", "PutRestorePointCollectionSubscriptionMaximum");
    let first = fixture.put(&fixture.collection("rpc-1"), body.clone()).await;
    assert_eq!((remaining(&first, resource), remaining(&first, subscription)), (14, 149));
    let second = fixture.put(&fixture.collection("RPC-1"), body.clone()).await;
    assert_eq!((remaining(&second, resource), remaining(&second, subscription)), (13, 148));
    let other = fixture.put(&fixture.collection("rpc-2"), body).await;
    assert_eq!((remaining(&other, resource), remaining(&other, subscription)), (14, 147));

    let other_region = fixture.collection("rpc-far");
    let source = json!({"source": {"id": fixture.azure.seeded().collection}});
    let body = json!({"location": "North Europe", "properties": source});
    assert_eq!(
        remaining(&fixture.put(&other_region, body).await, subscription),
        149,
        "another region has its own bucket"
    );

    let tags = Some(json!({"tags": {}}));
    let patched =
        fixture.call(Method::PATCH, &fixture.url(&fixture.collection("rpc-1")), tags).await;
    assert_eq!(remaining(&patched, "UpdateRestorePointCollectionResource"), 14);
    assert_eq!(remaining(&patched, "UpdateRestorePointCollectionSubscriptionMaximum"), 149);
    let list = "/resourceGroups/RG-Prod/providers/Microsoft.Compute/restorePointCollections";
    let listed = fixture.get(&fixture.path(list)).await;
    assert_eq!(remaining(&listed, "HighCostGetRestorePointSubscriptionMaximum"), 149);
    let deleted = fixture.delete(fixture.point(1)).await;
    assert_eq!(remaining(&deleted, "DeleteRestorePointSubscriptionMaximum"), 359);
    let polled = fixture.poll(&deleted).await;
    assert_eq!(remaining(&polled, "GetOperationResource"), 44);
    assert_eq!(remaining(&polled, "GetOperationSubscriptionMaximum"), 14_999);
}

#[tokio::test]
async fn a_throttling_error_of_the_provider_has_a_flat_body() {
    let fixture = Fixture::new();
    let id = format!("{}/restorePoints/again", fixture.azure.seeded().collection);
    for expected in (0..6).rev() {
        let response = fixture.put(&id, json!({})).await;
        assert_eq!(remaining(&response, "PutRestorePointResource"), expected, "{}", response.text);
    }
    let refused = fixture.put(&id, json!({})).await;
    assert_eq!(refused.status, 429);
    refused.assert_from_provider();
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert!(refused.header("x-ms-request-charge").is_some());
    refused.assert_member_order(&["code", "message", "details", "code", "message", "target"]);
    let body = refused.json();
    assert_eq!(body["code"], "OperationNotAllowed");
    assert_eq!(body["details"][0]["target"], "PutRestorePointResource");
    let inner: Value =
        serde_json::from_str(body["details"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!(inner["allowedRequestCount"], 6);
    assert_eq!(inner["measuredRequestCount"], 7);
    assert_eq!(inner["endTime"], "2026-04-24T10:48:18.6995494+00:00");
    assert_eq!(remaining(&refused, "PutRestorePointResource"), 0);
    fixture.advance_seconds(9);
    assert_eq!(fixture.put(&id, json!({})).await.status, 429);
    fixture.advance_seconds(1);
    assert_eq!(fixture.put(&id, json!({})).await.status, 200);
    let other = format!("{}/restorePoints/other", fixture.azure.seeded().collection);
    assert_eq!(
        fixture.put(&other, json!({})).await.status,
        201,
        "another resource has its own bucket"
    );
}

#[tokio::test]
async fn polling_one_operation_too_often_is_throttled() {
    let fixture = Fixture::new();
    let started = fixture.delete(fixture.point(1)).await;
    for _ in 0..45 {
        assert_eq!(fixture.poll(&started).await.status, 200);
    }
    let refused = fixture.poll(&started).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["details"][0]["target"], "GetOperationResource");
    assert_eq!(refused.header("retry-after"), Some("2"));
    fixture.advance_seconds(2);
    assert_eq!(fixture.poll(&started).await.status, 200);
}

#[tokio::test]
async fn the_gateway_throttles_before_the_provider() {
    let fixture = Fixture::with(|settings| {
        settings.bucket_percent = 2;
        settings.quirks.throttling = Throttling::Buckets;
    });
    for expected in (0..5).rev() {
        let response = fixture.get(fixture.point(1)).await;
        assert_eq!(response.header(READS), Some(expected.to_string().as_str()));
        assert_eq!(response.header(GLOBAL_READS), Some((70 + expected).to_string().as_str()));
        assert_eq!(response.header("x-ms-throttling-version"), None);
    }
    let http = fixture.client(Client::builder().http1_only());
    let request = http.get(fixture.url(fixture.point(1))).bearer_auth(fixture.azure.static_token());
    let refused = CapturedResponse::read(request.send().await.unwrap()).await;
    refused.assert_error(429, "SubscriptionRequestsThrottled");
    refused.assert_from_gateway();
    assert_eq!(refused.header("connection"), Some("close"));
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(refused.header(READS), None);
    assert!(refused.text.contains("Please try again after '2' seconds."));
    let id = format!("{}/restorePoints/x", fixture.azure.seeded().collection);
    assert_eq!(fixture.put(&id, json!({})).await.status, 201, "writes have their own bucket");
    assert_eq!(fixture.delete(fixture.point(2)).await.status, 202, "deletions too");
    fixture.advance_seconds(2);
    assert_eq!(fixture.get(fixture.point(1)).await.status, 200);
}

#[tokio::test]
async fn by_default_the_gateway_throttles_without_reporting_what_remains() {
    let fixture = Fixture::new();
    for _ in 0..250 {
        let response = fixture.get(fixture.point(1)).await;
        assert_eq!((response.status, response.header(READS)), (200, Some("0")));
        assert_eq!(response.header("x-ms-throttling-version"), Some("v2"));
    }
    let refused = fixture.get(fixture.point(1)).await;
    refused.assert_error(429, "SubscriptionRequestsThrottled");
    assert_eq!(refused.header("retry-after"), Some("1"));
    fixture.advance_seconds(1);
    for _ in 0..25 {
        assert_eq!(fixture.get(fixture.point(1)).await.status, 200);
    }
    assert_eq!(fixture.get(fixture.point(1)).await.status, 429, "25 a second came back");
}

#[tokio::test]
async fn the_policies_until_2023_are_windows_with_reported_counts() {
    let fixture = Fixture::with(|settings| settings.quirks.throttling = Throttling::Windows);
    let response = fixture.get(fixture.point(1)).await;
    assert_eq!(response.header(READS), Some("11999"));
    assert_eq!(response.header(GLOBAL_READS), None);
    assert_eq!(response.header("x-ms-throttling-version"), None);
    assert_eq!(
        response.header(LEFT),
        Some(
            "Microsoft.Compute/LowCostGetRestorePoint3Min;499,\
             Microsoft.Compute/LowCostGetRestorePoint30Min;2499"
        )
    );
    assert_eq!(fixture.get(fixture.point(1)).await.header(READS), Some("11998"));
    let id = format!("{}/restorePoints/x", fixture.azure.seeded().collection);
    let created = fixture.put(&id, json!({})).await;
    assert_eq!(created.header("x-ms-ratelimit-remaining-subscription-writes"), Some("1199"));
    assert_eq!(
        created.header(LEFT),
        Some(
            "Microsoft.Compute/CreateRestorePoints3Min;119,\
             Microsoft.Compute/CreateRestorePoints30Min;599"
        )
    );
    let deleted = fixture.delete(fixture.point(1)).await;
    assert_eq!(deleted.header("x-ms-ratelimit-remaining-subscription-deletes"), Some("14999"));
    assert_eq!(remaining(&deleted, "DeleteRestorePoints3Min"), 349);
    assert_eq!(remaining(&deleted, "DeleteRestorePoints30Min"), 999);
    assert_eq!(remaining(&fixture.poll(&deleted).await, "GetOperation3Min"), 14_999);
}

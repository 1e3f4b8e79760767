//! Buckets that run out and refill, the headers that say so, and both ways to be refused.

use http::Method;
use reqwest::Client;
use restore_point_sandbox::azure::Throttling;
use serde_json::{Value, json};

use super::fixture::{Bench, Seen};

const LEFT: &str = "x-ms-ratelimit-remaining-resource";
const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";
const GLOBAL_READS: &str = "x-ms-ratelimit-remaining-subscription-global-reads";

fn left(seen: &Seen, policy: &str) -> u32 {
    let header = seen.header(LEFT).unwrap();
    let named = format!("Microsoft.Compute/{policy};");
    let found = header.split(',').find_map(|one| one.strip_prefix(&named));
    found.unwrap_or_else(|| panic!("{policy} is not in {header}")).parse().unwrap()
}

#[tokio::test]
async fn what_is_left_is_really_left_and_comes_back() {
    let bench = Bench::new();
    let policy = "LowCostGetRestorePointSubscriptionMaximum";
    assert_eq!(left(&bench.get(bench.day(1)).await, policy), 599);
    assert_eq!(left(&bench.get(bench.day(2)).await, policy), 598, "of the subscription");
    bench.wait(1);
    assert_eq!(left(&bench.get(bench.day(2)).await, policy), 599, "ten a second come back");

    let body =
        json!({"location": "eastus", "properties": {"source": {"id": bench.azure.seeded().vm}}});
    let (resource, subscription) =
        ("PutRestorePointCollectionResource", "PutRestorePointCollectionSubscriptionMaximum");
    let first = bench.put(&bench.collection("rpc-1"), body.clone()).await;
    assert_eq!((left(&first, resource), left(&first, subscription)), (14, 149));
    let second = bench.put(&bench.collection("RPC-1"), body.clone()).await;
    assert_eq!((left(&second, resource), left(&second, subscription)), (13, 148));
    let other = bench.put(&bench.collection("rpc-2"), body).await;
    assert_eq!((left(&other, resource), left(&other, subscription)), (14, 147));

    let far = bench.collection("rpc-far");
    let source = json!({"source": {"id": bench.azure.seeded().collection}});
    let body = json!({"location": "North Europe", "properties": source});
    assert_eq!(left(&bench.put(&far, body).await, subscription), 149, "another region");

    let tags = Some(json!({"tags": {}}));
    let patched = bench.call(Method::PATCH, &bench.url(&bench.collection("rpc-1")), tags).await;
    assert_eq!(left(&patched, "UpdateRestorePointCollectionResource"), 14);
    assert_eq!(left(&patched, "UpdateRestorePointCollectionSubscriptionMaximum"), 149);
    let list = "/resourceGroups/RG-Prod/providers/Microsoft.Compute/restorePointCollections";
    let listed = bench.get(&bench.path(list)).await;
    assert_eq!(left(&listed, "HighCostGetRestorePointSubscriptionMaximum"), 149);
    let deleted = bench.delete(bench.day(1)).await;
    assert_eq!(left(&deleted, "DeleteRestorePointSubscriptionMaximum"), 359);
    let polled = bench.poll(&deleted).await;
    assert_eq!(left(&polled, "GetOperationResource"), 44);
    assert_eq!(left(&polled, "GetOperationSubscriptionMaximum"), 14_999);
}

#[tokio::test]
async fn the_provider_refuses_in_its_flat_form() {
    let bench = Bench::new();
    let id = format!("{}/restorePoints/again", bench.azure.seeded().collection);
    for expected in (0..6).rev() {
        let seen = bench.put(&id, json!({})).await;
        assert_eq!(left(&seen, "PutRestorePointResource"), expected, "{}", seen.text);
    }
    let refused = bench.put(&id, json!({})).await;
    assert_eq!(refused.status, 429);
    refused.by_provider();
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert!(refused.header("x-ms-request-charge").is_some());
    refused.ordered(&["code", "message", "details", "code", "message", "target"]);
    let body = refused.json();
    assert_eq!(body["code"], "OperationNotAllowed");
    assert_eq!(body["details"][0]["target"], "PutRestorePointResource");
    let inner: Value =
        serde_json::from_str(body["details"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!(inner["allowedRequestCount"], 6);
    assert_eq!(inner["measuredRequestCount"], 7);
    assert_eq!(inner["endTime"], "2026-04-24T10:48:18.6995494+00:00");
    assert_eq!(left(&refused, "PutRestorePointResource"), 0);
    bench.wait(9);
    assert_eq!(bench.put(&id, json!({})).await.status, 429);
    bench.wait(1);
    assert_eq!(bench.put(&id, json!({})).await.status, 200);
    let other = format!("{}/restorePoints/other", bench.azure.seeded().collection);
    assert_eq!(bench.put(&other, json!({})).await.status, 201, "another resource");
}

#[tokio::test]
async fn polling_one_operation_too_often_is_refused() {
    let bench = Bench::new();
    let started = bench.delete(bench.day(1)).await;
    for _ in 0..45 {
        assert_eq!(bench.poll(&started).await.status, 200);
    }
    let refused = bench.poll(&started).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["details"][0]["target"], "GetOperationResource");
    assert_eq!(refused.header("retry-after"), Some("2"));
    bench.wait(2);
    assert_eq!(bench.poll(&started).await.status, 200);
}

#[tokio::test]
async fn the_gateway_refuses_before_anybody_is_asked() {
    let bench = Bench::with(|settings| {
        settings.bucket_percent = 2;
        settings.quirks.throttling = Throttling::Buckets;
    });
    for expected in (0..5).rev() {
        let seen = bench.get(bench.day(1)).await;
        assert_eq!(seen.header(READS), Some(expected.to_string().as_str()));
        assert_eq!(seen.header(GLOBAL_READS), Some((70 + expected).to_string().as_str()));
        assert_eq!(seen.header("x-ms-throttling-version"), None);
    }
    let http = bench.client(Client::builder().http1_only());
    let request = http.get(bench.url(bench.day(1))).bearer_auth(bench.azure.static_token());
    let refused = Seen::of(request.send().await.unwrap()).await;
    refused.refused(429, "SubscriptionRequestsThrottled");
    refused.by_gateway();
    assert_eq!(refused.header("connection"), Some("close"));
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(refused.header(READS), None);
    assert!(refused.text.contains("Please try again after '2' seconds."));
    let id = format!("{}/restorePoints/x", bench.azure.seeded().collection);
    assert_eq!(bench.put(&id, json!({})).await.status, 201, "writes are counted apart");
    assert_eq!(bench.delete(bench.day(2)).await.status, 202, "deletions too");
    bench.wait(2);
    assert_eq!(bench.get(bench.day(1)).await.status, 200);
}

#[tokio::test]
async fn by_default_the_gateway_counts_and_tells_nothing() {
    let bench = Bench::new();
    for _ in 0..250 {
        let seen = bench.get(bench.day(1)).await;
        assert_eq!((seen.status, seen.header(READS)), (200, Some("0")));
        assert_eq!(seen.header("x-ms-throttling-version"), Some("v2"));
    }
    let refused = bench.get(bench.day(1)).await;
    refused.refused(429, "SubscriptionRequestsThrottled");
    assert_eq!(refused.header("retry-after"), Some("1"));
    bench.wait(1);
    for _ in 0..25 {
        assert_eq!(bench.get(bench.day(1)).await.status, 200);
    }
    assert_eq!(bench.get(bench.day(1)).await.status, 429, "25 a second came back");
}

#[tokio::test]
async fn until_2023_windows_were_counted_and_told() {
    let bench = Bench::with(|settings| settings.quirks.throttling = Throttling::Windows);
    let seen = bench.get(bench.day(1)).await;
    assert_eq!(seen.header(READS), Some("11999"));
    assert_eq!(seen.header(GLOBAL_READS), None);
    assert_eq!(seen.header("x-ms-throttling-version"), None);
    assert_eq!(
        seen.header(LEFT),
        Some(
            "Microsoft.Compute/LowCostGetRestorePoint3Min;499,\
             Microsoft.Compute/LowCostGetRestorePoint30Min;2499"
        )
    );
    assert_eq!(bench.get(bench.day(1)).await.header(READS), Some("11998"));
    let id = format!("{}/restorePoints/x", bench.azure.seeded().collection);
    let made = bench.put(&id, json!({})).await;
    assert_eq!(made.header("x-ms-ratelimit-remaining-subscription-writes"), Some("1199"));
    assert_eq!(
        made.header(LEFT),
        Some(
            "Microsoft.Compute/CreateRestorePoints3Min;119,\
             Microsoft.Compute/CreateRestorePoints30Min;599"
        )
    );
    let deleted = bench.delete(bench.day(1)).await;
    assert_eq!(deleted.header("x-ms-ratelimit-remaining-subscription-deletes"), Some("14999"));
    assert_eq!(left(&deleted, "DeleteRestorePoints3Min"), 349);
    assert_eq!(left(&deleted, "DeleteRestorePoints30Min"), 999);
    assert_eq!(left(&bench.poll(&deleted).await, "GetOperation3Min"), 14_999);
}

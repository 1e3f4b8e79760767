//! Writes whose answer is lost, clocks that are wrong, and what fails inside a vendor.

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Bench, End};

const V: &str = "?api-version=2024-07-01";
const EMPTY: &str = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const CRM: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

#[tokio::test]
async fn only_a_lost_reply_leaves_an_effect() {
    let bench = Bench::new().await;
    let azure = bench.azure();
    let point = |name: &str| format!("{}/restorePoints/{name}", bench.azure.seeded().collection);
    for (words, end, status) in [
        ("lose_reply", End::Reset, 200),
        ("reset=before", End::Reset, 404),
        ("hang_up", End::Closed, 404),
    ] {
        azure.order(&format!("PUT times=1 {words}")).await;
        let name = point(words.split('=').next().unwrap());
        let seen = azure.ask("PUT", &format!("{name}{V}"), EMPTY).await;
        assert!(seen.is_nothing(), "{seen:?}");
        assert_eq!(seen.end, end, "{words}");
        let found = azure.ask("GET", &format!("{name}{V}"), "Connection: close\r\n").await;
        assert_eq!(found.status(), status, "{words}");
        let (moved, _) = bench.admin(Method::POST, "/clock", "advance_seconds=60").await;
        assert_eq!(moved, 200);
    }

    let veeam = bench.veeam();
    for (words, sessions) in [("lose_reply", 2), ("reset=before", 2), ("hang_up", 2)] {
        veeam.order(&format!("POST times=1 {words}")).await;
        let logon = bench.http.post(format!("{}/sessionMngr/?v=latest", bench.veeam.url()));
        let logon = logon.basic_auth(bench.veeam.username(), Some(bench.veeam.password()));
        logon.header("content-length", "0").send().await.unwrap_err();
        assert_eq!(bench.veeam.sessions(), sessions, "{words}");
    }
}

#[tokio::test]
async fn an_operation_that_fails_after_it_was_accepted() {
    let bench = Bench::new().await;
    let azure = bench.azure();
    azure
        .order(r#"PUT times=1 fail_creation=VMRestorePointClientError message="No network.""#)
        .await;
    let point = format!("{}/restorePoints/doomed{V}", bench.azure.seeded().collection);
    let extra = format!("Connection: close\r\n{EMPTY}");
    assert_eq!(azure.ask("PUT", &point, &extra).await.status(), 201);
    bench.admin(Method::POST, "/clock", r#"{"advance_seconds": 60}"#).await;
    let found = azure.ask("GET", &point, "Connection: close\r\n").await;
    let found: Value = serde_json::from_str(found.text()).unwrap();
    assert_eq!(found["properties"]["provisioningState"], "Failed");
}

#[tokio::test]
async fn a_vendors_clock_that_is_wrong() {
    let bench = Bench::new().await;
    let date = async |name: &str| {
        let [azure, veeam] = bench.both();
        let vendor = if name == "azure" { azure } else { veeam };
        vendor.read_last().await.header("date").unwrap().to_owned()
    };
    let right = "Sun, 01 Mar 2026 12:00:00 GMT";
    for (name, other) in [("azure", "veeam"), ("veeam", "azure")] {
        assert_eq!(date(name).await, right);
        let path = format!("/{name}/clock");
        let (status, face) = bench.admin(Method::POST, &path, "skew_seconds=-300").await;
        assert_eq!(status, 200);
        assert_eq!(face[name]["now"], "2026-03-01T11:55:00Z");
        assert_eq!(date(name).await, "Sun, 01 Mar 2026 11:55:00 GMT");
        assert_eq!(date(other).await, right);
        bench.admin(Method::POST, &path, "skew_seconds=0").await;
    }
    // What it stamps is off as well.
    bench.admin(Method::POST, "/veeam/clock", "skew_seconds=300").await;
    let words = format!("replica={CRM} vm=srv40");
    let (status, point) = bench.admin(Method::POST, "/veeam/points", &words).await;
    assert_eq!(status, 201);
    let veeam = bench.veeam();
    let seen = veeam.read_last().await;
    assert!(seen.text().contains("srv40@2026-03-01 12:05:00"), "{}", seen.text());
    assert!(seen.text().contains(point["id"].as_str().unwrap()));
}

#[tokio::test]
async fn what_fails_inside_a_vendor() {
    let bench = Bench::new().await;
    let path = format!("/veeam/points/{SRV39}");
    let (status, _) = bench.admin(Method::POST, &path, r#"{"state": "Failover"}"#).await;
    assert_eq!(status, 200);
    let entity = format!("/api/cloud/vmReplicaPoints/{SRV39}?format=Entity");
    let veeam = bench.veeam();
    let last = "Connection: close\r\n";
    assert!(veeam.ask("GET", &entity, last).await.text().contains("<State>Failover</State>"));
    assert_eq!(bench.admin(Method::DELETE, &path, "").await.0, 200);
    assert_eq!(veeam.ask("GET", &entity, last).await.status(), 404);
    assert_eq!(bench.admin(Method::DELETE, &path, "").await.0, 404);
    let ended = bench.admin(Method::DELETE, "/veeam/sessions", "").await;
    assert_eq!(ended, (200, json!({ "ended": 1 })));
    assert_eq!(veeam.read_last().await.status(), 401);

    let azure = bench.azure();
    let seeded = bench.azure.seeded();
    let copy = format!("{}/restorePoints/db01-day2-copy", seeded.target);
    let seen = azure.ask("GET", &format!("{copy}{V}"), last).await;
    let seen: Value = serde_json::from_str(seen.text()).unwrap();
    let disk = &seen["properties"]["sourceMetadata"]["storageProfile"]["osDisk"]["name"];
    let order = json!({"point": copy, "disk": disk}).to_string();
    let failed = bench.admin(Method::POST, "/azure/failed_replications", &order).await;
    assert_eq!(failed.0, 200, "{failed:?}");
    let seen = azure.ask("GET", &format!("{copy}{V}&$expand=instanceView"), last).await;
    assert!(seen.text().contains("\"level\": \"Error\""), "{}", seen.text());
}

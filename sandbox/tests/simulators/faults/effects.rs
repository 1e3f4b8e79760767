//! Lost replies, skewed clocks, failing operations, and the admin routes of each vendor.

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{End, Fixture};

const V: &str = "?api-version=2024-07-01";
const EMPTY: &str = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const CRM: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

#[tokio::test]
async fn only_lose_reply_executes_the_request() {
    let fixture = Fixture::new().await;
    let azure = fixture.azure();
    let point = |name: &str| format!("{}/restorePoints/{name}", fixture.azure.seeded().collection);
    for (words, end, status) in [
        ("lose_reply", End::Reset, 200),
        ("reset=before", End::Reset, 404),
        ("hang_up", End::Closed, 404),
    ] {
        azure.inject(&format!("PUT times=1 {words}")).await;
        let name = point(words.split('=').next().unwrap());
        let response = azure.request("PUT", &format!("{name}{V}"), EMPTY).await;
        assert!(response.is_empty(), "{response:?}");
        assert_eq!(response.end, end, "{words}");
        let found = azure.request("GET", &format!("{name}{V}"), "Connection: close\r\n").await;
        assert_eq!(found.status(), status, "{words}");
        let (moved, _) = fixture.admin(Method::POST, "/clock", "advance_seconds=60").await;
        assert_eq!(moved, 200);
    }

    let veeam = fixture.veeam();
    for (words, sessions) in [("lose_reply", 2), ("reset=before", 2), ("hang_up", 2)] {
        veeam.inject(&format!("POST times=1 {words}")).await;
        let logon = fixture.http.post(format!("{}/sessionMngr/?v=latest", fixture.veeam.url()));
        let logon = logon.basic_auth(fixture.veeam.username(), Some(fixture.veeam.password()));
        logon.header("content-length", "0").send().await.unwrap_err();
        assert_eq!(fixture.veeam.sessions(), sessions, "{words}");
    }
}

#[tokio::test]
async fn fail_creation_fails_the_operation_after_it_was_accepted() {
    let fixture = Fixture::new().await;
    let azure = fixture.azure();
    azure
        .inject(r#"PUT times=1 fail_creation=VMRestorePointClientError message="No network.""#)
        .await;
    let point = format!("{}/restorePoints/doomed{V}", fixture.azure.seeded().collection);
    let extra = format!("Connection: close\r\n{EMPTY}");
    assert_eq!(azure.request("PUT", &point, &extra).await.status(), 201);
    fixture.admin(Method::POST, "/clock", r#"{"advance_seconds": 60}"#).await;
    let found = azure.request("GET", &point, "Connection: close\r\n").await;
    let found: Value = serde_json::from_str(found.text()).unwrap();
    assert_eq!(found["properties"]["provisioningState"], "Failed");
}

#[tokio::test]
async fn a_skewed_clock_changes_dates_and_timestamps_of_one_vendor() {
    let fixture = Fixture::new().await;
    let date = async |name: &str| {
        let [azure, veeam] = fixture.vendors();
        let vendor = if name == "azure" { azure } else { veeam };
        vendor.get_and_close().await.header("date").unwrap().to_owned()
    };
    let real_date = "Sun, 01 Mar 2026 12:00:00 GMT";
    for (name, other) in [("azure", "veeam"), ("veeam", "azure")] {
        assert_eq!(date(name).await, real_date);
        let path = format!("/{name}/clock");
        let (status, face) = fixture.admin(Method::POST, &path, "skew_seconds=-300").await;
        assert_eq!(status, 200);
        assert_eq!(face[name]["now"], "2026-03-01T11:55:00Z");
        assert_eq!(date(name).await, "Sun, 01 Mar 2026 11:55:00 GMT");
        assert_eq!(date(other).await, real_date);
        fixture.admin(Method::POST, &path, "skew_seconds=0").await;
    }
    // Timestamps of new points are skewed too.
    fixture.admin(Method::POST, "/veeam/clock", "skew_seconds=300").await;
    let words = format!("replica={CRM} vm=srv40");
    let (status, point) = fixture.admin(Method::POST, "/veeam/points", &words).await;
    assert_eq!(status, 201);
    let veeam = fixture.veeam();
    let response = veeam.get_and_close().await;
    assert!(response.text().contains("srv40@2026-03-01 12:05:00"), "{}", response.text());
    assert!(response.text().contains(point["id"].as_str().unwrap()));
}

#[tokio::test]
async fn admin_routes_change_points_sessions_and_replications() {
    let fixture = Fixture::new().await;
    let path = format!("/veeam/points/{SRV39}");
    let (status, _) = fixture.admin(Method::POST, &path, r#"{"state": "Failover"}"#).await;
    assert_eq!(status, 200);
    let entity = format!("/api/cloud/vmReplicaPoints/{SRV39}?format=Entity");
    let veeam = fixture.veeam();
    let last = "Connection: close\r\n";
    assert!(veeam.request("GET", &entity, last).await.text().contains("<State>Failover</State>"));
    assert_eq!(fixture.admin(Method::DELETE, &path, "").await.0, 200);
    assert_eq!(veeam.request("GET", &entity, last).await.status(), 404);
    assert_eq!(fixture.admin(Method::DELETE, &path, "").await.0, 404);
    let ended = fixture.admin(Method::DELETE, "/veeam/sessions", "").await;
    assert_eq!(ended, (200, json!({ "ended": 1 })));
    assert_eq!(veeam.get_and_close().await.status(), 401);

    let azure = fixture.azure();
    let seeded = fixture.azure.seeded();
    let copy = format!("{}/restorePoints/db01-day2-copy", seeded.target);
    let response = azure.request("GET", &format!("{copy}{V}"), last).await;
    let response: Value = serde_json::from_str(response.text()).unwrap();
    let disk = &response["properties"]["sourceMetadata"]["storageProfile"]["osDisk"]["name"];
    let members = json!({"point": copy, "disk": disk}).to_string();
    let failed = fixture.admin(Method::POST, "/azure/failed_replications", &members).await;
    assert_eq!(failed.0, 200, "{failed:?}");
    let response = azure.request("GET", &format!("{copy}{V}&$expand=instanceView"), last).await;
    assert!(response.text().contains("\"level\": \"Error\""), "{}", response.text());
}

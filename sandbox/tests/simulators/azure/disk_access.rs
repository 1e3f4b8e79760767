//! Signed access to disk restore points: beginGetAccess, endGetAccess, and the deletions they prevent.

use http::Method;
use serde_json::{Value, json};

use super::fixture::{CapturedResponse, DISK, Fixture};

async fn post(fixture: &Fixture, disk: &str, verb: &str, body: Value) -> CapturedResponse {
    fixture.call_with_version(DISK, Method::POST, &format!("{disk}/{verb}"), Some(body)).await
}

fn read(seconds: i64) -> Value {
    json!({"access": "Read", "durationInSeconds": seconds})
}

async fn first_disk(fixture: &Fixture) -> String {
    fixture.disks(fixture.point(1)).await[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn access_is_granted_by_an_operation_of_the_disk_provider() {
    let fixture = Fixture::new();
    let disk = first_disk(&fixture).await;
    let started = post(&fixture, &disk, "beginGetAccess", read(3600)).await;
    assert_eq!((started.status, started.text.as_str()), (202, ""));
    assert_eq!(started.header("azure-asyncnotification"), None);
    assert_eq!(started.header("retry-after"), None);
    let status = started.header("azure-asyncoperation").unwrap();
    let monitor = started.header("location").unwrap().to_owned();
    let id = started.header("x-ms-request-id").unwrap();
    for url in [status, &monitor] {
        let path = format!("/locations/eastus/DiskOperations/{id}?p=");
        assert!(url.contains(&path), "{url}");
        assert!(url.contains(&format!("&api-version={DISK}&t=")), "{url}");
    }
    assert!(monitor.contains("&monitor=true&"));
    let local = format!("{}/restorePoints/x", fixture.azure.seeded().collection);
    let local = fixture.put(&local, json!({})).await;
    let part = |url: &str| url.split(['?', '&']).nth(1).unwrap().to_owned();
    assert_ne!(part(status), part(local.header("azure-asyncoperation").unwrap()));

    let running = fixture.poll(&started).await;
    running.assert_member_order(&["startTime", "status", "name"]);
    assert_eq!(running.json()["status"], "InProgress");
    assert!(!running.text.contains("accessSAS"));
    assert_eq!(fixture.call(Method::GET, &monitor, None).await.status, 202);
    fixture.advance_seconds(1);
    let over = fixture.poll(&started).await;
    over.assert_from_provider();
    over.assert_member_order(&[
        "startTime",
        "endTime",
        "status",
        "properties",
        "output",
        "accessSAS",
        "name",
    ]);
    let sas = over.json()["properties"]["output"]["accessSAS"].as_str().unwrap().to_owned();
    assert!(sas.starts_with("https://md-SENSITIVE") && sas.contains("sig=SENSITIVE"), "{sas}");
    assert!(sas.contains("se=2026-04-24T11%3A48%3A18Z"), "{sas}");
    let monitored = fixture.call(Method::GET, &monitor, None).await;
    assert_eq!((monitored.status, monitored.json()), (200, json!({"accessSAS": sas})));

    // The other provider does not know the operation.
    let wrong = status.replace("/DiskOperations/", "/operations/").replace(DISK, "2024-07-01");
    fixture.call(Method::GET, &wrong, None).await.assert_error(404, "NotFound");
}

#[tokio::test]
async fn each_grant_is_new_and_the_guest_state_url_is_optional() {
    let fixture = Fixture::new();
    let disk = first_disk(&fixture).await;
    let mut response = Vec::new();
    for guest in [json!(null), json!(false), json!(true)] {
        let mut body = read(60);
        body["getSecureVMGuestStateSAS"] = guest;
        body["fileFormat"] = json!("VHD");
        let started = post(&fixture, &disk, "beginGetAccess", body).await;
        fixture.advance_seconds(1);
        response.push(fixture.poll(&started).await.json()["properties"]["output"].clone());
    }
    let signature = |grant: &Value| {
        let url = grant["accessSAS"].as_str().unwrap();
        url.split_once("&sig=").unwrap().1.to_owned()
    };
    assert_ne!(signature(&response[0]), signature(&response[1]));
    assert!(response[1].get("securityDataAccessSAS").is_none());
    assert!(response[2]["securityDataAccessSAS"].as_str().unwrap().contains("SENSITIVE"));
}

#[tokio::test]
async fn active_access_prevents_the_deletion_of_its_point() {
    let fixture = Fixture::new();
    let disk = first_disk(&fixture).await;
    let home = fixture.azure.seeded().collection.clone();
    let refused = async |id: &str| {
        let response = fixture.delete(id).await;
        response.assert_error(409, "DiskRestorePointUsedByCustomer");
        response.assert_from_provider();
        assert!(response.text.contains("endGetAccess"));
    };
    assert_eq!(post(&fixture, &disk, "beginGetAccess", read(3600)).await.status, 202);
    refused(fixture.point(1)).await;
    refused(&home).await;
    assert_eq!(
        fixture.get(fixture.point(1)).await.json()["properties"]["provisioningState"],
        "Succeeded"
    );

    let ended = post(&fixture, &disk, "endGetAccess", Value::Null).await;
    assert_eq!((ended.status, ended.text.as_str()), (202, ""));
    assert_eq!(
        fixture.call(Method::GET, ended.header("location").unwrap(), None).await.status,
        202
    );
    fixture.advance_seconds(1);
    let over = fixture.call(Method::GET, ended.header("location").unwrap(), None).await;
    assert_eq!((over.status, over.text.as_str()), (200, ""));
    assert!(fixture.poll(&ended).await.json().get("properties").is_none());

    // Access also expires.
    assert_eq!(post(&fixture, &disk, "beginGetAccess", read(10)).await.status, 202);
    refused(fixture.point(1)).await;
    fixture.advance_seconds(11);
    assert_eq!(fixture.delete(fixture.point(1)).await.status, 202);
}

#[tokio::test]
async fn invalid_access_requests_are_rejected() {
    let fixture = Fixture::new();
    let disk = first_disk(&fixture).await;
    let max_seconds = 60 * 24 * 3600;
    for (wrong, target) in [
        (json!({"access": "Read"}), "durationInSeconds"),
        (read(0), "durationInSeconds"),
        (read(max_seconds + 1), "durationInSeconds"),
        (json!({"access": "Borrow", "durationInSeconds": 60}), "access"),
        (json!({"durationInSeconds": 60}), "access"),
        (json!({"access": "Read", "durationInSeconds": 60, "fileFormat": "ISO"}), "fileFormat"),
    ] {
        let response = post(&fixture, &disk, "beginGetAccess", wrong).await;
        response.assert_error(400, "InvalidParameter");
        assert_eq!(response.json()["error"]["target"], target);
    }
    let garbage = post(&fixture, &disk, "beginGetAccess", json!([])).await;
    garbage.assert_error(400, "InvalidRequestContent");
    assert_eq!(post(&fixture, &disk, "beginGetAccess", read(max_seconds)).await.status, 202);
    let missing = post(&fixture, &format!("{disk}x"), "beginGetAccess", read(60)).await;
    missing.assert_error(404, "NotFound");
    post(&fixture, &format!("{disk}x"), "endGetAccess", Value::Null)
        .await
        .assert_error(404, "NotFound");

    let missing_collection = disk.replace("/rpc-db01/", "/rpc-none/");
    let response = post(&fixture, &missing_collection, "beginGetAccess", read(60)).await;
    response.assert_error(404, "ParentResourceNotFound");
    response.assert_from_gateway();
    let response = fixture.call_with_version(DISK, Method::GET, &missing_collection, None).await;
    response.assert_error(404, "ParentResourceNotFound");

    let begin = format!("{disk}/beginGetAccess");
    let old_version =
        fixture.call_with_version("2020-09-30", Method::POST, &begin, Some(read(60))).await;
    old_version.assert_error(400, "BadRequest");
    assert!(old_version.text.contains("api-version '2020-12-01' or newer"));
    let compute_version =
        fixture.call_with_version("2024-07-01", Method::POST, &begin, Some(read(60))).await;
    compute_version.assert_error(404, "InvalidResourceType");
    let read = fixture.call_with_version(DISK, Method::GET, &begin, None).await;
    assert_eq!(read.status, 405);
}

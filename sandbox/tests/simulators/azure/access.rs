//! Signed access to disk restore points: beginGetAccess, endGetAccess, and what they forbid.

use http::Method;
use serde_json::{Value, json};

use super::fixture::{Bench, DISK, Seen};

async fn post(bench: &Bench, disk: &str, verb: &str, body: Value) -> Seen {
    bench.at(DISK, Method::POST, &format!("{disk}/{verb}"), Some(body)).await
}

fn read(seconds: i64) -> Value {
    json!({"access": "Read", "durationInSeconds": seconds})
}

async fn first_disk(bench: &Bench) -> String {
    bench.disks(bench.day(1)).await[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn access_is_granted_by_an_operation_of_the_disk_provider() {
    let bench = Bench::new();
    let disk = first_disk(&bench).await;
    let started = post(&bench, &disk, "beginGetAccess", read(3600)).await;
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
    let local = format!("{}/restorePoints/x", bench.azure.seeded().collection);
    let local = bench.put(&local, json!({})).await;
    let part = |url: &str| url.split(['?', '&']).nth(1).unwrap().to_owned();
    assert_ne!(part(status), part(local.header("azure-asyncoperation").unwrap()));

    let running = bench.poll(&started).await;
    running.ordered(&["startTime", "status", "name"]);
    assert_eq!(running.json()["status"], "InProgress");
    assert!(!running.text.contains("accessSAS"));
    assert_eq!(bench.call(Method::GET, &monitor, None).await.status, 202);
    bench.wait(1);
    let over = bench.poll(&started).await;
    over.by_provider();
    over.ordered(&["startTime", "endTime", "status", "properties", "output", "accessSAS", "name"]);
    let sas = over.json()["properties"]["output"]["accessSAS"].as_str().unwrap().to_owned();
    assert!(sas.starts_with("https://md-SENSITIVE") && sas.contains("sig=SENSITIVE"), "{sas}");
    assert!(sas.contains("se=2026-04-24T11%3A48%3A18Z"), "{sas}");
    let monitored = bench.call(Method::GET, &monitor, None).await;
    assert_eq!((monitored.status, monitored.json()), (200, json!({"accessSAS": sas})));

    // The same operation under the other provider's path is not known there.
    let wrong = status.replace("/DiskOperations/", "/operations/").replace(DISK, "2024-07-01");
    bench.call(Method::GET, &wrong, None).await.refused(404, "NotFound");
}

#[tokio::test]
async fn each_grant_is_new_and_a_guest_state_comes_only_when_asked_for() {
    let bench = Bench::new();
    let disk = first_disk(&bench).await;
    let mut seen = Vec::new();
    for guest in [json!(null), json!(false), json!(true)] {
        let mut body = read(60);
        body["getSecureVMGuestStateSAS"] = guest;
        body["fileFormat"] = json!("VHD");
        let started = post(&bench, &disk, "beginGetAccess", body).await;
        bench.wait(1);
        seen.push(bench.poll(&started).await.json()["properties"]["output"].clone());
    }
    let signature = |grant: &Value| {
        let url = grant["accessSAS"].as_str().unwrap();
        url.split_once("&sig=").unwrap().1.to_owned()
    };
    assert_ne!(signature(&seen[0]), signature(&seen[1]));
    assert!(seen[1].get("securityDataAccessSAS").is_none());
    assert!(seen[2]["securityDataAccessSAS"].as_str().unwrap().contains("SENSITIVE"));
}

#[tokio::test]
async fn a_live_signature_protects_its_point_until_it_ends() {
    let bench = Bench::new();
    let disk = first_disk(&bench).await;
    let home = bench.azure.seeded().collection.clone();
    let refused = async |id: &str| {
        let seen = bench.delete(id).await;
        seen.refused(409, "DiskRestorePointUsedByCustomer");
        seen.by_provider();
        assert!(seen.text.contains("endGetAccess"));
    };
    assert_eq!(post(&bench, &disk, "beginGetAccess", read(3600)).await.status, 202);
    refused(bench.day(1)).await;
    refused(&home).await;
    assert_eq!(
        bench.get(bench.day(1)).await.json()["properties"]["provisioningState"],
        "Succeeded"
    );

    let ended = post(&bench, &disk, "endGetAccess", Value::Null).await;
    assert_eq!((ended.status, ended.text.as_str()), (202, ""));
    assert_eq!(bench.call(Method::GET, ended.header("location").unwrap(), None).await.status, 202);
    bench.wait(1);
    let over = bench.call(Method::GET, ended.header("location").unwrap(), None).await;
    assert_eq!((over.status, over.text.as_str()), (200, ""));
    assert!(bench.poll(&ended).await.json().get("properties").is_none());

    // By time it ends as well.
    assert_eq!(post(&bench, &disk, "beginGetAccess", read(10)).await.status, 202);
    refused(bench.day(1)).await;
    bench.wait(11);
    assert_eq!(bench.delete(bench.day(1)).await.status, 202);
}

#[tokio::test]
async fn access_is_refused_where_the_request_makes_no_sense() {
    let bench = Bench::new();
    let disk = first_disk(&bench).await;
    let longest = 60 * 24 * 3600;
    for (wrong, target) in [
        (json!({"access": "Read"}), "durationInSeconds"),
        (read(0), "durationInSeconds"),
        (read(longest + 1), "durationInSeconds"),
        (json!({"access": "Borrow", "durationInSeconds": 60}), "access"),
        (json!({"durationInSeconds": 60}), "access"),
        (json!({"access": "Read", "durationInSeconds": 60, "fileFormat": "ISO"}), "fileFormat"),
    ] {
        let seen = post(&bench, &disk, "beginGetAccess", wrong).await;
        seen.refused(400, "InvalidParameter");
        assert_eq!(seen.json()["error"]["target"], target);
    }
    let garbage = post(&bench, &disk, "beginGetAccess", json!([])).await;
    garbage.refused(400, "InvalidRequestContent");
    assert_eq!(post(&bench, &disk, "beginGetAccess", read(longest)).await.status, 202);
    let missing = post(&bench, &format!("{disk}x"), "beginGetAccess", read(60)).await;
    missing.refused(404, "NotFound");
    post(&bench, &format!("{disk}x"), "endGetAccess", Value::Null).await.refused(404, "NotFound");

    let orphan = disk.replace("/rpc-db01/", "/rpc-none/");
    let seen = post(&bench, &orphan, "beginGetAccess", read(60)).await;
    seen.refused(404, "ParentResourceNotFound");
    seen.by_gateway();
    let seen = bench.at(DISK, Method::GET, &orphan, None).await;
    seen.refused(404, "ParentResourceNotFound");

    let begin = format!("{disk}/beginGetAccess");
    let early = bench.at("2020-09-30", Method::POST, &begin, Some(read(60))).await;
    early.refused(400, "BadRequest");
    assert!(early.text.contains("api-version '2020-12-01' or newer"));
    let other = bench.at("2024-07-01", Method::POST, &begin, Some(read(60))).await;
    other.refused(404, "InvalidResourceType");
    let read = bench.at(DISK, Method::GET, &begin, None).await;
    assert_eq!(read.status, 405);
}

//! Collections and local points from creation to deletion.

use http::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, HOUR};

#[tokio::test]
async fn a_collection_is_created_synchronously_updated_and_deleted() {
    let fixture = Fixture::new();
    let id = fixture.collection("Rpc-New");
    let vm = &fixture.azure.seeded().vm;
    let body = json!({
        "name": "tolerated", "location": "East US", "tags": {"department": "finance"},
        "properties": {"source": {"id": vm}}
    });
    let created = fixture.put(&id, body.clone()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.assert_from_provider();
    created.assert_member_order(&[
        "name",
        "id",
        "type",
        "location",
        "tags",
        "properties",
        "source",
        "location",
    ]);
    created.assert_member_order(&[
        "source",
        "location",
        "id",
        "restorePointCollectionId",
        "provisioningState",
    ]);
    assert_eq!(created.header("azure-asyncoperation"), None);
    let response_body = created.json();
    assert_eq!(response_body["location"], "eastus");
    assert_eq!(response_body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(response_body["properties"]["source"]["id"], vm.as_str());
    assert!(response_body["properties"].get("restorePoints").is_none());

    assert_eq!(fixture.put(&id, body).await.status, 200);
    let tags = json!({"tags": {"a": "b"}});
    let patched = fixture.call(Method::PATCH, &fixture.url(&id), Some(tags)).await;
    assert_eq!((patched.status, &patched.json()["tags"]["a"]), (200, &json!("b")));

    let found = fixture.get(&format!("{}?$expand=restorePoints", id.to_uppercase())).await;
    assert_eq!(found.json()["id"], id.as_str(), "found in any casing, shown in its own");
    assert_eq!(found.json()["properties"]["restorePoints"], json!([]));
    let wrong = fixture.get(&format!("{id}?$expand=instanceView")).await;
    wrong.assert_error(400, "InvalidParameter");

    let other = json!({"location": "westus", "properties": {"source": {"id": vm}}});
    fixture.put(&id, other).await.assert_error(409, "InvalidResourceLocation");
    let agentless = &fixture.azure.seeded().agentless_vm;
    let other = json!({"location": "eastus", "properties": {"source": {"id": agentless}}});
    fixture.put(&id, other.clone()).await.assert_error(409, "PropertyChangeNotAllowed");
    let patched = fixture.call(Method::PATCH, &fixture.url(&id), Some(other)).await;
    patched.assert_error(409, "PropertyChangeNotAllowed");

    let deleted = fixture.delete(&id).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (202, ""));
    assert_eq!(deleted.header("azure-asyncnotification"), Some("Enabled"));
    let monitor = deleted.header("location").unwrap();
    assert!(monitor.contains("&monitor=true&api-version="), "{monitor}");
    assert_eq!(fixture.call(Method::GET, monitor, None).await.status, 202);
    fixture.advance_seconds(1);
    let over = fixture.call(Method::GET, monitor, None).await;
    assert_eq!((over.status, over.header("content-length")), (200, Some("0")));
    assert_eq!(fixture.poll(&deleted).await.json()["status"], "Succeeded");
    fixture.get(&id).await.assert_error(404, "ResourceNotFound");
    assert_eq!(fixture.delete(&id).await.status, 204);
}

#[tokio::test]
async fn regions_keep_the_providers_casing_only_for_machine_sources() {
    let fixture = Fixture::new();
    let id = fixture.collection("rpc-canary");
    let source = json!({"source": {"id": fixture.azure.seeded().agentless_vm}});
    let created = fixture.put(&id, json!({"location": "EastUS2EUAP", "properties": source})).await;
    assert_eq!(created.json()["location"], "eastus2euap");
    assert_eq!(created.json()["properties"]["source"]["location"], "EastUS2EUAP");
    assert!(created.json().get("tags").is_none());
    // Without an agent the point is crash consistent, although that was not requested.
    let point = format!("{id}/restorePoints/one");
    let started = fixture.put(&point, json!({})).await;
    assert!(started.json()["properties"].get("consistencyMode").is_none());
    let operation = started.header("azure-asyncoperation").unwrap();
    assert!(operation.contains("/locations/EastUS2EUAP/operations/"), "{operation}");
    fixture.advance_seconds(40);
    assert_eq!(
        fixture.get(&point).await.json()["properties"]["consistencyMode"],
        "CrashConsistent"
    );

    let copies = json!({"location": "westus", "properties": {"source": {"id": id}}});
    let target = fixture.put(&fixture.collection("rpc-canary-west"), copies).await;
    assert_eq!(target.json()["properties"]["source"]["location"], "eastus2euap");
}

#[tokio::test]
async fn a_local_point_is_created_by_an_operation_with_a_signed_url() {
    let fixture = Fixture::new();
    let id = format!("{}/restorePoints/Fresh", fixture.azure.seeded().collection);
    let started = fixture.put(&id, json!({})).await;
    assert_eq!(started.status, 201, "{}", started.text);
    started.assert_from_provider();
    assert_eq!(started.header("location"), None);
    assert_eq!(started.header("retry-after"), None);
    assert_eq!(started.header("azure-asyncnotification"), Some("Enabled"));
    assert_eq!(started.header("x-ms-throttling-version"), Some("v2"));
    assert_eq!(started.header("x-ms-ratelimit-remaining-subscription-writes"), Some("0"));
    assert_eq!(
        started.header("x-ms-ratelimit-remaining-resource"),
        Some(
            "Microsoft.Compute/PutRestorePointResource;5,\
             Microsoft.Compute/PutRestorePointSubscriptionMaximum;149,\
             Microsoft.Compute/CreateApplicationConsistentRestorePoint;2"
        )
    );
    started.assert_member_order(&[
        "name",
        "id",
        "properties",
        "sourceMetadata",
        "vmId",
        "location",
    ]);
    started.assert_member_order(&[
        "storageProfile",
        "osDisk",
        "dataDisks",
        "osProfile",
        "provisioningState",
    ]);
    started.assert_member_order(&["provisioningState", "timeCreated"]);
    let body = started.json();
    assert!(body.get("type").is_none());
    assert_eq!(body["properties"]["provisioningState"], "Creating");
    assert_eq!(body["properties"]["timeCreated"], "2026-04-24T10:48:18.6995494+00:00");
    assert!(body["properties"].get("consistencyMode").is_none());
    assert!(!started.text.contains("diskRestorePoint"));
    assert!(started.text.contains("SENSITIVE"));

    let url = started.header("azure-asyncoperation").unwrap().to_owned();
    assert!((3_000..4_000).contains(&url.len()), "{}", url.len());
    assert!(url.contains(&format!("operations/{}?p=", started.header("x-ms-request-id").unwrap())));
    let running = fixture.poll(&started).await;
    assert_eq!((running.status, running.text.len()), (200, 134), "{}", running.text);
    running.assert_member_order(&["startTime", "status", "name"]);
    assert_eq!(running.json()["status"], "InProgress");
    let truncated = fixture.call(Method::GET, &url[..url.len() - 1], None).await;
    truncated.assert_error(400, "InvalidOperationSignature");
    let reencoded = url.replace("&c=", "&%63=");
    let reencoded = fixture.call(Method::GET, &reencoded, None).await;
    reencoded.assert_error(400, "InvalidOperationSignature");

    fixture.advance_seconds(40);
    let over = fixture.poll(&started).await;
    assert_eq!(over.text.len(), 184, "{}", over.text);
    over.assert_member_order(&["startTime", "endTime", "status", "name"]);
    let ready = fixture.get(&id).await;
    ready.assert_from_provider();
    ready.assert_member_order(&[
        "sourceMetadata",
        "provisioningState",
        "consistencyMode",
        "timeCreated",
    ]);
    let properties = &ready.json()["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["consistencyMode"], "FileSystemConsistent");
    let disk = &properties["sourceMetadata"]["storageProfile"]["osDisk"];
    let disk_point = disk["diskRestorePoint"]["id"].as_str().unwrap();
    let start = format!("{id}/diskRestorePoints/{}_", disk["name"].as_str().unwrap());
    assert!(disk_point.starts_with(&start), "{disk_point}");
    let expanded = fixture.get(&format!("{id}?$expand=instanceView")).await;
    assert!(expanded.json()["properties"].get("instanceView").is_none(), "nothing to replicate");

    assert_eq!(fixture.put(&id, json!({})).await.status, 200, "the same request again");
    let crash = json!({"properties": {"consistencyMode": "CrashConsistent"}});
    fixture.put(&id, crash).await.assert_error(409, "OperationNotAllowed");

    fixture.clock.advance(HOUR * 25);
    fixture.poll(&started).await.assert_error(404, "NotFound");
    let deleted = fixture.delete(&id).await;
    assert_eq!(deleted.status, 202);
    assert!(deleted.header("location").is_some());
    assert_eq!(fixture.get(&id).await.json()["properties"]["provisioningState"], "Deleting");
    fixture.advance_seconds(8);
    fixture.get(&id).await.assert_error(404, "NotFound");
}

#[tokio::test]
async fn creation_validates_its_members_and_a_concurrent_one_fails() {
    let fixture = Fixture::new();
    let home = &fixture.azure.seeded().collection;
    let point = |name: &str| format!("{home}/restorePoints/{name}");
    let with = |member: &str, value: Value| json!({"properties": {member: value}});
    let application = with("consistencyMode", json!("ApplicationConsistent"));
    fixture.put(&point("a"), application).await.assert_error(400, "InvalidParameter");
    let none = with("excludeDisks", json!([]));
    fixture.put(&point("a"), none).await.assert_error(400, "InvalidParameter");
    let garbage = fixture.call(Method::PUT, &fixture.url(&point("a")), Some(json!([]))).await;
    garbage.assert_error(400, "InvalidRequestContent");
    garbage.assert_from_gateway();

    let response = fixture.get(fixture.point(1)).await.json();
    let storage = &response["properties"]["sourceMetadata"]["storageProfile"];
    let disk = &storage["dataDisks"][0]["managedDisk"]["id"];
    let body = json!({"properties": {
        "consistencyMode": "CrashConsistent", "excludeDisks": [{"id": disk}]
    }});
    let first = fixture.put(&point("a"), body.clone()).await;
    assert_eq!(first.json()["properties"]["consistencyMode"], "CrashConsistent");
    assert_eq!(fixture.put(&point("A"), body).await.status, 200, "the same request again");
    let second = fixture.put(&point("b"), json!({})).await;
    assert_eq!(second.status, 201);
    fixture.advance_seconds(40);
    assert_eq!(fixture.poll(&first).await.json()["status"], "Succeeded");
    let failed = fixture.poll(&second).await;
    assert_eq!(failed.status, 200);
    failed.assert_member_order(&[
        "startTime",
        "endTime",
        "status",
        "error",
        "code",
        "message",
        "name",
    ]);
    assert_eq!(failed.json()["error"]["code"], "VMRestorePointClientError");
    let failed_point = fixture.get(&point("b")).await.json();
    assert_eq!(failed_point["properties"]["provisioningState"], "Failed");
    let storage =
        &fixture.get(&point("a")).await.json()["properties"]["sourceMetadata"]["storageProfile"];
    assert!(storage["dataDisks"][0].get("diskRestorePoint").is_none());
    assert!(storage["dataDisks"][1].get("diskRestorePoint").is_some());
}

//! Collections and local points from creation to deletion.

use http::Method;
use serde_json::{Value, json};

use super::fixture::{Bench, HOUR};

#[tokio::test]
async fn a_collection_is_made_at_once_changed_in_its_tags_and_deleted() {
    let bench = Bench::new();
    let id = bench.collection("Rpc-New");
    let vm = &bench.azure.seeded().vm;
    let body = json!({
        "name": "tolerated", "location": "East US", "tags": {"department": "finance"},
        "properties": {"source": {"id": vm}}
    });
    let made = bench.put(&id, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.by_provider();
    made.ordered(&["name", "id", "type", "location", "tags", "properties", "source", "location"]);
    made.ordered(&["source", "location", "id", "restorePointCollectionId", "provisioningState"]);
    assert_eq!(made.header("azure-asyncoperation"), None);
    let shown = made.json();
    assert_eq!(shown["location"], "eastus");
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
    assert_eq!(shown["properties"]["source"]["id"], vm.as_str());
    assert!(shown["properties"].get("restorePoints").is_none());

    assert_eq!(bench.put(&id, body).await.status, 200);
    let tags = json!({"tags": {"a": "b"}});
    let patched = bench.call(Method::PATCH, &bench.url(&id), Some(tags)).await;
    assert_eq!((patched.status, &patched.json()["tags"]["a"]), (200, &json!("b")));

    let found = bench.get(&format!("{}?$expand=restorePoints", id.to_uppercase())).await;
    assert_eq!(found.json()["id"], id.as_str(), "found in any case, shown in its own");
    assert_eq!(found.json()["properties"]["restorePoints"], json!([]));
    let wrong = bench.get(&format!("{id}?$expand=instanceView")).await;
    wrong.refused(400, "InvalidParameter");

    let other = json!({"location": "westus", "properties": {"source": {"id": vm}}});
    bench.put(&id, other).await.refused(409, "InvalidResourceLocation");
    let mute = &bench.azure.seeded().mute_vm;
    let other = json!({"location": "eastus", "properties": {"source": {"id": mute}}});
    bench.put(&id, other.clone()).await.refused(409, "PropertyChangeNotAllowed");
    let patched = bench.call(Method::PATCH, &bench.url(&id), Some(other)).await;
    patched.refused(409, "PropertyChangeNotAllowed");

    let deleted = bench.delete(&id).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (202, ""));
    assert_eq!(deleted.header("azure-asyncnotification"), Some("Enabled"));
    let monitor = deleted.header("location").unwrap();
    assert!(monitor.contains("&monitor=true&api-version="), "{monitor}");
    assert_eq!(bench.call(Method::GET, monitor, None).await.status, 202);
    bench.wait(1);
    let over = bench.call(Method::GET, monitor, None).await;
    assert_eq!((over.status, over.header("content-length")), (200, Some("0")));
    assert_eq!(bench.poll(&deleted).await.json()["status"], "Succeeded");
    bench.get(&id).await.refused(404, "ResourceNotFound");
    assert_eq!(bench.delete(&id).await.status, 204);
}

#[tokio::test]
async fn regions_keep_the_casing_of_the_provider_only_below_machines() {
    let bench = Bench::new();
    let id = bench.collection("rpc-canary");
    let source = json!({"source": {"id": bench.azure.seeded().mute_vm}});
    let made = bench.put(&id, json!({"location": "EastUS2EUAP", "properties": source})).await;
    assert_eq!(made.json()["location"], "eastus2euap");
    assert_eq!(made.json()["properties"]["source"]["location"], "EastUS2EUAP");
    assert!(made.json().get("tags").is_none());
    // Its agent says nothing: crash consistent, though nobody asked for it.
    let point = format!("{id}/restorePoints/one");
    let started = bench.put(&point, json!({})).await;
    assert!(started.json()["properties"].get("consistencyMode").is_none());
    let operation = started.header("azure-asyncoperation").unwrap();
    assert!(operation.contains("/locations/EastUS2EUAP/operations/"), "{operation}");
    bench.wait(40);
    assert_eq!(bench.get(&point).await.json()["properties"]["consistencyMode"], "CrashConsistent");

    let copies = json!({"location": "westus", "properties": {"source": {"id": id}}});
    let target = bench.put(&bench.collection("rpc-canary-west"), copies).await;
    assert_eq!(target.json()["properties"]["source"]["location"], "eastus2euap");
}

#[tokio::test]
async fn a_local_point_is_created_by_an_operation_with_a_signed_url() {
    let bench = Bench::new();
    let id = format!("{}/restorePoints/Fresh", bench.azure.seeded().collection);
    let started = bench.put(&id, json!({})).await;
    assert_eq!(started.status, 201, "{}", started.text);
    started.by_provider();
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
    started.ordered(&["name", "id", "properties", "sourceMetadata", "vmId", "location"]);
    started.ordered(&["storageProfile", "osDisk", "dataDisks", "osProfile", "provisioningState"]);
    started.ordered(&["provisioningState", "timeCreated"]);
    let shown = started.json();
    assert!(shown.get("type").is_none());
    assert_eq!(shown["properties"]["provisioningState"], "Creating");
    assert_eq!(shown["properties"]["timeCreated"], "2026-04-24T10:48:18.6995494+00:00");
    assert!(shown["properties"].get("consistencyMode").is_none());
    assert!(!started.text.contains("diskRestorePoint"));
    assert!(started.text.contains("SENSITIVE"));

    let url = started.header("azure-asyncoperation").unwrap().to_owned();
    assert!((3_000..4_000).contains(&url.len()), "{}", url.len());
    assert!(url.contains(&format!("operations/{}?p=", started.header("x-ms-request-id").unwrap())));
    let running = bench.poll(&started).await;
    assert_eq!((running.status, running.text.len()), (200, 134), "{}", running.text);
    running.ordered(&["startTime", "status", "name"]);
    assert_eq!(running.json()["status"], "InProgress");
    let cut = bench.call(Method::GET, &url[..url.len() - 1], None).await;
    cut.refused(400, "InvalidOperationSignature");
    let respelled = url.replace("&c=", "&%63=");
    let respelled = bench.call(Method::GET, &respelled, None).await;
    respelled.refused(400, "InvalidOperationSignature");

    bench.wait(40);
    let over = bench.poll(&started).await;
    assert_eq!(over.text.len(), 184, "{}", over.text);
    over.ordered(&["startTime", "endTime", "status", "name"]);
    let ready = bench.get(&id).await;
    ready.by_provider();
    ready.ordered(&["sourceMetadata", "provisioningState", "consistencyMode", "timeCreated"]);
    let properties = &ready.json()["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["consistencyMode"], "FileSystemConsistent");
    let disk = &properties["sourceMetadata"]["storageProfile"]["osDisk"];
    let disk_point = disk["diskRestorePoint"]["id"].as_str().unwrap();
    let start = format!("{id}/diskRestorePoints/{}_", disk["name"].as_str().unwrap());
    assert!(disk_point.starts_with(&start), "{disk_point}");
    let expanded = bench.get(&format!("{id}?$expand=instanceView")).await;
    assert!(expanded.json()["properties"].get("instanceView").is_none(), "nothing to replicate");

    assert_eq!(bench.put(&id, json!({})).await.status, 200, "the same again");
    let crash = json!({"properties": {"consistencyMode": "CrashConsistent"}});
    bench.put(&id, crash).await.refused(409, "OperationNotAllowed");

    bench.clock.advance(HOUR * 25);
    bench.poll(&started).await.refused(404, "NotFound");
    let deleted = bench.delete(&id).await;
    assert_eq!(deleted.status, 202);
    assert!(deleted.header("location").is_some());
    assert_eq!(bench.get(&id).await.json()["properties"]["provisioningState"], "Deleting");
    bench.wait(8);
    bench.get(&id).await.refused(404, "NotFound");
}

#[tokio::test]
async fn creation_takes_few_members_and_two_at_once_do_not_work() {
    let bench = Bench::new();
    let home = &bench.azure.seeded().collection;
    let point = |name: &str| format!("{home}/restorePoints/{name}");
    let with = |member: &str, value: Value| json!({"properties": {member: value}});
    let application = with("consistencyMode", json!("ApplicationConsistent"));
    bench.put(&point("a"), application).await.refused(400, "InvalidParameter");
    let none = with("excludeDisks", json!([]));
    bench.put(&point("a"), none).await.refused(400, "InvalidParameter");
    let garbage = bench.call(Method::PUT, &bench.url(&point("a")), Some(json!([]))).await;
    garbage.refused(400, "InvalidRequestContent");
    garbage.by_gateway();

    let seen = bench.get(bench.day(1)).await.json();
    let storage = &seen["properties"]["sourceMetadata"]["storageProfile"];
    let disk = &storage["dataDisks"][0]["managedDisk"]["id"];
    let body = json!({"properties": {
        "consistencyMode": "CrashConsistent", "excludeDisks": [{"id": disk}]
    }});
    let first = bench.put(&point("a"), body.clone()).await;
    assert_eq!(first.json()["properties"]["consistencyMode"], "CrashConsistent");
    assert_eq!(bench.put(&point("A"), body).await.status, 200, "the same again");
    let second = bench.put(&point("b"), json!({})).await;
    assert_eq!(second.status, 201);
    bench.wait(40);
    assert_eq!(bench.poll(&first).await.json()["status"], "Succeeded");
    let failed = bench.poll(&second).await;
    assert_eq!(failed.status, 200);
    failed.ordered(&["startTime", "endTime", "status", "error", "code", "message", "name"]);
    assert_eq!(failed.json()["error"]["code"], "VMRestorePointClientError");
    let dead = bench.get(&point("b")).await.json();
    assert_eq!(dead["properties"]["provisioningState"], "Failed");
    let storage =
        &bench.get(&point("a")).await.json()["properties"]["sourceMetadata"]["storageProfile"];
    assert!(storage["dataDisks"][0].get("diskRestorePoint").is_none());
    assert!(storage["dataDisks"][1].get("diskRestorePoint").is_some());
}

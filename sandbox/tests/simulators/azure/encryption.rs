//! Disk encryption sets in creations and copies.

use http::Method;
use serde_json::{Value, json};

use super::fixture::Bench;

async fn storage(bench: &Bench, point: &str) -> Value {
    let shown = bench.get(point).await.json();
    shown["properties"]["sourceMetadata"]["storageProfile"].clone()
}

fn with_os_disk(disk: Value) -> Value {
    json!({"properties": {"sourceMetadata": {"storageProfile": {"osDisk": disk}}}})
}

#[tokio::test]
async fn a_creation_chooses_encryption_disk_by_disk() {
    let bench = Bench::new();
    let seeded = bench.azure.seeded();
    let set = &seeded.encryption_set;
    let disks = storage(&bench, bench.day(1)).await;
    let id = format!("{}/restorePoints/locked", seeded.collection);
    let entry = |disk: &Value, encryption: Value| {
        json!({
            "managedDisk": disk["managedDisk"],
            "diskRestorePoint": {"encryption": encryption}
        })
    };
    let both = "EncryptionAtRestWithPlatformAndCustomerKeys";
    let body = json!({"properties": {"sourceMetadata": {"storageProfile": {
        "osDisk": entry(&disks["osDisk"], json!({"diskEncryptionSet": {"id": set}})),
        "dataDisks": [entry(
            &disks["dataDisks"][1], json!({"type": both, "diskEncryptionSet": {"id": set}})
        )],
    }}}});
    let started = bench.put(&id, body.clone()).await;
    assert_eq!(started.status, 201, "{}", started.text);
    bench.wait(40);
    let shown = bench.get(&id).await;
    shown.ordered(&["diskRestorePoint", "encryption", "type", "diskEncryptionSet", "id"]);
    let disks = storage(&bench, &id).await;
    let encryption = |disk: &Value| disk["diskRestorePoint"]["encryption"].clone();
    let shouted = set.replace("/resourceGroups/RG-Keys/", "/resourceGroups/RG-KEYS/");
    assert_eq!(
        encryption(&disks["osDisk"]),
        json!({
            "type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSet": {"id": shouted}
        })
    );
    assert_eq!(encryption(&disks["dataDisks"][1])["type"], both);
    let platform = json!({"type": "EncryptionAtRestWithPlatformKey"});
    assert_eq!(encryption(&disks["dataDisks"][0]), platform);
    let by_disk = &bench.disks(&id).await[0]["properties"]["encryption"];
    assert_eq!(by_disk["diskEncryptionSetId"], shouted.as_str());

    assert_eq!(bench.put(&id, body).await.status, 200, "the same again");
    bench.put(&id, json!({})).await.refused(409, "OperationNotAllowed");
}

#[tokio::test]
async fn a_copy_chooses_a_set_of_its_own_region() {
    let bench = Bench::new();
    let seeded = bench.azure.seeded();
    let target = bench.target("rpc-locked", "northeurope").await;
    let id = format!("{target}/restorePoints/copy");
    let source = &storage(&bench, bench.day(1)).await["osDisk"]["diskRestorePoint"]["id"];
    let body = |set: &str, source: &Value| {
        let mut body = with_os_disk(json!({"diskRestorePoint": {
            "sourceDiskRestorePoint": {"id": source},
            "encryption": {
                "type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSet": {"id": set}
            }
        }}));
        body["properties"]["sourceRestorePoint"] = json!({"id": bench.day(1)});
        body
    };
    let near = bench.put(&id, body(&seeded.encryption_set, source)).await;
    near.refused(400, "InvalidParameter");
    near.by_provider();
    assert!(near.text.contains("'eastus'") && near.text.contains("'northeurope'"));
    let absent = bench.put(&id, body(&format!("{}x", seeded.far_encryption_set), source)).await;
    absent.refused(404, "ResourceNotFound");
    bench.put(&id, body("nonsense", source)).await.refused(400, "InvalidParameter");
    let other = bench.put(&id, body(&seeded.far_encryption_set, &json!("x"))).await;
    other.refused(400, "InvalidParameter");
    let good = body(&seeded.far_encryption_set, source);
    assert_eq!(bench.put(&id, good.clone()).await.status, 201);
    bench.wait(6);
    let disks = storage(&bench, &id).await;
    let encryption = &disks["osDisk"]["diskRestorePoint"]["encryption"];
    let set = encryption["diskEncryptionSet"]["id"].as_str().unwrap();
    assert!(set.contains("/RG-KEYS/") && set.ends_with("/des-north"), "{set}");
    bench.wait(60);
    assert_eq!(bench.put(&id, good).await.status, 200, "the same again");
    bench.copy(&target, "copy", bench.day(1)).await.refused(409, "OperationNotAllowed");
}

#[tokio::test]
async fn a_key_vault_that_is_gone_fails_the_operation() {
    let bench = Bench::new();
    let seeded = bench.azure.seeded();
    let disk = &storage(&bench, bench.day(1)).await["osDisk"]["managedDisk"];
    let id = format!("{}/restorePoints/orphan", seeded.collection);
    let body = with_os_disk(json!({"managedDisk": disk, "diskRestorePoint": {"encryption": {
        "diskEncryptionSet": {"id": seeded.orphan_encryption_set}
    }}}));
    let started = bench.put(&id, body).await;
    assert_eq!(started.status, 201, "{}", started.text);
    assert_eq!(bench.poll(&started).await.json()["status"], "InProgress");
    bench.wait(40);
    let failed = bench.poll(&started).await.json();
    assert_eq!(failed["error"]["code"], "DiskRestorePointClientError");
    assert_eq!(bench.get(&id).await.json()["properties"]["provisioningState"], "Failed");
}

#[tokio::test]
async fn type_and_set_must_go_together_and_early_versions_know_neither() {
    let bench = Bench::new();
    let seeded = bench.azure.seeded();
    let disk = &storage(&bench, bench.day(1)).await["osDisk"]["managedDisk"];
    let id = format!("{}/restorePoints/odd", seeded.collection);
    let set = json!({"id": seeded.encryption_set});
    let body = |encryption: Value| {
        with_os_disk(json!({
            "managedDisk": disk, "diskRestorePoint": {"encryption": encryption}
        }))
    };
    for wrong in [
        json!({"type": "EncryptionAtRestWithPlatformKey", "diskEncryptionSet": set}),
        json!({"type": "EncryptionAtRestWithCustomerKey"}),
        json!({"type": "Rot13"}),
        json!({"type": "Rot13", "diskEncryptionSet": set}),
    ] {
        bench.put(&id, body(wrong)).await.refused(400, "InvalidParameter");
    }
    let ignored = Some(body(json!({"type": "Rot13"})));
    let ignored = bench.at("2022-11-01", Method::PUT, &id, ignored).await;
    assert_eq!(ignored.status, 201, "{}", ignored.text);

    let bench = Bench::with(|settings| settings.quirks.upper_case_encryption_sets = false);
    let set = bench.azure.seeded().encryption_set.clone();
    let disk = &storage(&bench, bench.day(1)).await["osDisk"]["managedDisk"];
    let body = with_os_disk(json!({"managedDisk": disk, "diskRestorePoint": {"encryption": {
        "diskEncryptionSet": {"id": set.to_uppercase()}
    }}}));
    bench.put(&id, body).await;
    bench.wait(40);
    assert!(bench.get(&id).await.text.contains(&set), "as the set itself is written");
}

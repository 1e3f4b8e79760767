//! Disk encryption sets in creations and copies.

use http::Method;
use serde_json::{Value, json};

use super::fixture::Fixture;

async fn storage(fixture: &Fixture, point: &str) -> Value {
    let body = fixture.get(point).await.json();
    body["properties"]["sourceMetadata"]["storageProfile"].clone()
}

fn with_os_disk(disk: Value) -> Value {
    json!({"properties": {"sourceMetadata": {"storageProfile": {"osDisk": disk}}}})
}

#[tokio::test]
async fn a_creation_chooses_encryption_disk_by_disk() {
    let fixture = Fixture::new();
    let seeded = fixture.azure.seeded();
    let set = &seeded.encryption_set;
    let disks = storage(&fixture, fixture.point(1)).await;
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
    let started = fixture.put(&id, body.clone()).await;
    assert_eq!(started.status, 201, "{}", started.text);
    fixture.advance_seconds(40);
    let response = fixture.get(&id).await;
    response.assert_member_order(&[
        "diskRestorePoint",
        "encryption",
        "type",
        "diskEncryptionSet",
        "id",
    ]);
    let disks = storage(&fixture, &id).await;
    let encryption = |disk: &Value| disk["diskRestorePoint"]["encryption"].clone();
    let upper_case = set.replace("/resourceGroups/RG-Keys/", "/resourceGroups/RG-KEYS/");
    assert_eq!(
        encryption(&disks["osDisk"]),
        json!({
            "type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSet": {"id": upper_case}
        })
    );
    assert_eq!(encryption(&disks["dataDisks"][1])["type"], both);
    let platform = json!({"type": "EncryptionAtRestWithPlatformKey"});
    assert_eq!(encryption(&disks["dataDisks"][0]), platform);
    let by_disk = &fixture.disks(&id).await[0]["properties"]["encryption"];
    assert_eq!(by_disk["diskEncryptionSetId"], upper_case.as_str());

    assert_eq!(fixture.put(&id, body).await.status, 200, "the same request again");
    fixture.put(&id, json!({})).await.assert_error(409, "OperationNotAllowed");
}

#[tokio::test]
async fn a_copy_chooses_a_set_of_its_own_region() {
    let fixture = Fixture::new();
    let seeded = fixture.azure.seeded();
    let target = fixture.new_target("rpc-locked", "northeurope").await;
    let id = format!("{target}/restorePoints/copy");
    let source = &storage(&fixture, fixture.point(1)).await["osDisk"]["diskRestorePoint"]["id"];
    let body = |set: &str, source: &Value| {
        let mut body = with_os_disk(json!({"diskRestorePoint": {
            "sourceDiskRestorePoint": {"id": source},
            "encryption": {
                "type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSet": {"id": set}
            }
        }}));
        body["properties"]["sourceRestorePoint"] = json!({"id": fixture.point(1)});
        body
    };
    let same_region = fixture.put(&id, body(&seeded.encryption_set, source)).await;
    same_region.assert_error(400, "InvalidParameter");
    same_region.assert_from_provider();
    assert!(same_region.text.contains("'eastus'") && same_region.text.contains("'northeurope'"));
    let unknown_set =
        fixture.put(&id, body(&format!("{}x", seeded.far_encryption_set), source)).await;
    unknown_set.assert_error(404, "ResourceNotFound");
    fixture.put(&id, body("nonsense", source)).await.assert_error(400, "InvalidParameter");
    let other = fixture.put(&id, body(&seeded.far_encryption_set, &json!("x"))).await;
    other.assert_error(400, "InvalidParameter");
    let valid = body(&seeded.far_encryption_set, source);
    assert_eq!(fixture.put(&id, valid.clone()).await.status, 201);
    fixture.advance_seconds(6);
    let disks = storage(&fixture, &id).await;
    let encryption = &disks["osDisk"]["diskRestorePoint"]["encryption"];
    let set = encryption["diskEncryptionSet"]["id"].as_str().unwrap();
    assert!(set.contains("/RG-KEYS/") && set.ends_with("/des-north"), "{set}");
    fixture.advance_seconds(60);
    assert_eq!(fixture.put(&id, valid).await.status, 200, "the same request again");
    fixture.copy(&target, "copy", fixture.point(1)).await.assert_error(409, "OperationNotAllowed");
}

#[tokio::test]
async fn a_deleted_key_vault_fails_the_operation() {
    let fixture = Fixture::new();
    let seeded = fixture.azure.seeded();
    let disk = &storage(&fixture, fixture.point(1)).await["osDisk"]["managedDisk"];
    let id = format!("{}/restorePoints/orphan", seeded.collection);
    let body = with_os_disk(json!({"managedDisk": disk, "diskRestorePoint": {"encryption": {
        "diskEncryptionSet": {"id": seeded.orphan_encryption_set}
    }}}));
    let started = fixture.put(&id, body).await;
    assert_eq!(started.status, 201, "{}", started.text);
    assert_eq!(fixture.poll(&started).await.json()["status"], "InProgress");
    fixture.advance_seconds(40);
    let failed = fixture.poll(&started).await.json();
    assert_eq!(failed["error"]["code"], "DiskRestorePointClientError");
    assert_eq!(fixture.get(&id).await.json()["properties"]["provisioningState"], "Failed");
}

#[tokio::test]
async fn type_and_set_must_match_and_early_versions_ignore_both() {
    let fixture = Fixture::new();
    let seeded = fixture.azure.seeded();
    let disk = &storage(&fixture, fixture.point(1)).await["osDisk"]["managedDisk"];
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
        fixture.put(&id, body(wrong)).await.assert_error(400, "InvalidParameter");
    }
    let ignored = Some(body(json!({"type": "Rot13"})));
    let ignored = fixture.call_with_version("2022-11-01", Method::PUT, &id, ignored).await;
    assert_eq!(ignored.status, 201, "{}", ignored.text);

    let fixture = Fixture::with(|settings| settings.quirks.upper_case_encryption_sets = false);
    let set = fixture.azure.seeded().encryption_set.clone();
    let disk = &storage(&fixture, fixture.point(1)).await["osDisk"]["managedDisk"];
    let body = with_os_disk(json!({"managedDisk": disk, "diskRestorePoint": {"encryption": {
        "diskEncryptionSet": {"id": set.to_uppercase()}
    }}}));
    fixture.put(&id, body).await;
    fixture.advance_seconds(40);
    assert!(fixture.get(&id).await.text.contains(&set), "in the casing of the set itself");
}

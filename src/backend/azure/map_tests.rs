//! The documented body of a copy, completed, and the edge cases of the mapping.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;
use crate::model::BackendId;

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-00000000000a";

/// ARM id of a collection.
fn collection_id(name: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-1/providers/microsoft.compute/restorePointCollections/{name}"
    )
}

fn scope() -> Scope {
    Scope { backend: BackendId::new("az").unwrap(), subscription: SUBSCRIPTION.to_owned() }
}

/// A collection of copies in westus.
fn west() -> CollectionIdentity {
    CollectionIdentity {
        id: CollectionId::new("rg-1", "West"),
        region: "westus".to_owned(),
        source: collection_id("Home"),
        vm_name: String::new(),
    }
}

fn mapped(
    collection: &CollectionIdentity,
    body: &Value,
    view: View,
) -> Result<RestorePoint, String> {
    let dto = dto::decode(body.to_string().as_bytes())?;
    point(&scope(), collection, &dto, DataEvidence::Reported(&[]), view)
}

/// The documented body with its placeholders filled in. Its numbers are texts, as in the documentation.
fn documented() -> Value {
    let id = format!("{}/restorePoints/copy1", collection_id("WEST"));
    let disk = |name: &str| {
        json!({
            "name": name, "diskSizeGB": "10", "caching": "ReadWrite", "osType": "Linux",
            "managedDisk": { "id": "CSM Id of the managed disk", "storageAccountType": "Standard_LRS" },
            "diskRestorePoint": { "id": format!("/subscriptions/s/{name}") },
        })
    };
    let mut data = disk("datadisk0");
    data["lun"] = json!("0");
    let status = json!({ "code": "ReplicationState/succeeded", "level": "Info",
                         "displayStatus": "Replication succeeded" });
    let disk_view = |name: &str| {
        json!({ "id": format!("/subscriptions/s/{name}"),
                "replicationStatus": { "status": status, "completionPercent": "100" } })
    };
    json!({
        "id": id,
        "name": "copy1",
        "properties": {
            "optionalProperties": "opaque bag of properties to be passed to extension",
            "sourceRestorePoint": { "id": format!("{}/restorePoints/rp1", collection_id("Home")) },
            "consistencyMode": "ApplicationConsistent",
            "sourceMetadata": {
                "vmId": "vm-guid",
                "location": "East US",
                "hardwareProfile": { "vmSize": "Standard_A1" },
                "osProfile": { "adminUsername": "SENSITIVE", "secrets": [] },
                "storageProfile": { "osDisk": disk("os"), "dataDisks": [data] },
                "diagnosticsProfile": { "bootDiagnostics": { "enabled": true } },
            },
            "provisioningState": "Succeeded",
            "provisioningDetails": { "creationTime": "Creation Time of Restore point in UTC" },
            "timeCreated": "2024-08-26T03:02:18.6995494-07:00",
            "instanceView": {
                "statuses": [status],
                "diskRestorePoints": [disk_view("os"), disk_view("datadisk0")],
            },
        },
    })
}

#[test]
fn the_documented_copy_is_mapped_completely() {
    let point = mapped(&west(), &documented(), View::Full).unwrap();
    let name = "backends/az/collections/rg-1~West/restorePoints/copy1";
    assert_eq!(point.name.to_string(), name);
    assert_eq!(point.vendor_id, format!("{}/restorePoints/copy1", collection_id("WEST")));
    assert_eq!(point.uid, point.vendor_id.to_lowercase());
    assert_eq!((point.state, point.copy_progress_percent), (State::Ready, Some(100)));
    assert_eq!(point.point_time.unwrap().to_string(), "2024-08-26T10:02:18.6995494Z");
    assert_eq!(point.location, "westus");
    assert_eq!(point.source.location, "eastus");
    assert_eq!((point.source.vm_uid.as_str(), point.source.vm_name.as_str()), ("vm-guid", ""));
    assert_eq!(point.consistency, Consistency::Application);
    assert_eq!(
        point.source_restore_point.unwrap().to_string(),
        "backends/az/collections/rg-1~Home/restorePoints/rp1"
    );
    let disks: Vec<_> =
        point.disks.iter().map(|d| (d.lun, d.size_gib, d.progress_percent)).collect();
    assert_eq!(disks, [(None, 10, Some(100)), (Some(0), 10, Some(100))]);
    let VendorProperties::Azure(azure) = point.vendor else { panic!() };
    assert_eq!(azure.replication_code, "ReplicationState/succeeded");
    assert_eq!((azure.vm_size.as_str(), azure.os_type.as_str()), ("Standard_A1", "Linux"));
}

#[test]
fn view_basic_leaves_out_only_the_progress_of_disks() {
    let full = mapped(&west(), &documented(), View::Full).unwrap();
    let basic = mapped(&west(), &documented(), View::Basic).unwrap();
    assert!(basic.disks.iter().all(|disk| disk.progress_percent.is_none()));
    assert_eq!((basic.state, basic.copy_progress_percent), (full.state, Some(100)));
}

#[test]
fn a_local_point_has_the_name_of_its_virtual_machine() {
    let mut body = documented();
    body["properties"]["sourceRestorePoint"] = Value::Null;
    body["properties"]["sourceMetadata"]["location"] = json!("West US");
    let vm = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/Microsoft.Compute/virtualMachines/VM-1"
    );
    let west = json!({
        "name": "West", "id": collection_id("West"), "location": "westus",
        "properties": { "source": { "id": vm } },
    });
    let west = dto::decode(west.to_string().as_bytes()).unwrap();
    let west = collection_identity(&scope(), &west).unwrap();
    let point = mapped(&west, &body, View::Full).unwrap();
    assert_eq!(point.source.vm_name, "VM-1");
    assert_eq!((point.copy_progress_percent, point.source_restore_point), (None, None));
}

#[test]
fn unknown_values_are_kept() {
    let mut body = documented();
    body["properties"]["provisioningState"] = json!("Frobbing");
    body["properties"]["consistencyMode"] = json!("QuantumConsistent");
    let point = mapped(&west(), &body, View::Full).unwrap();
    assert_eq!((point.state, point.consistency), (State::Unknown, Consistency::Unknown));
    assert!(point.state_reason.contains("Frobbing"));
    let VendorProperties::Azure(azure) = point.vendor else { panic!() };
    assert_eq!(azure.provisioning_state, "Frobbing");
    assert_eq!(azure.consistency_mode, "QuantumConsistent");
}

#[test]
fn a_failed_point_has_a_failure_that_refers_to_its_operation() {
    let mut body = documented();
    body["properties"]["provisioningState"] = json!("Failed");
    let failure = mapped(&west(), &body, View::Full).unwrap().failure.unwrap();
    assert!(failure.code.is_empty() && failure.message.contains("operation"));
}

#[test]
fn inconsistent_bodies_are_errors() {
    for (pointer, value) in [
        ("/id", json!("/subscriptions/s")),
        ("/id", json!(format!("{}/restorePoints/copy1", collection_id("Other")))),
        ("/name", json!("another")),
        ("/name", Value::Null),
        ("/properties", Value::Null),
        ("/properties/timeCreated", json!("yesterday")),
        ("/properties/timeCreated", json!("2024-08-26T10:02:18")),
        ("/properties/sourceMetadata/storageProfile/dataDisks", json!({})),
        ("/properties/sourceMetadata/storageProfile/osDisk/diskSizeGB", json!("large")),
        ("/properties/sourceMetadata/storageProfile/dataDisks/0/lun", json!(5_000_000_000_i64)),
    ] {
        let mut body = documented();
        *body.pointer_mut(pointer).unwrap() = value;
        assert!(mapped(&west(), &body, View::Full).is_err(), "{pointer}");
    }
    assert!(dto::decode::<dto::CollectionPage>(b"[[], null]").is_err());
    assert!(dto::decode::<dto::CollectionPage>(b"{}").is_err());
    assert!(dto::decode::<dto::CollectionPage>(b"<html>").is_err());
    assert!(dto::decode::<dto::CollectionPage>(br#"{"value":[{"#).is_err());
    assert!(dto::decode::<dto::CollectionPage>(br#"{"value":null}"#).is_err());
}

#[test]
fn the_source_of_a_collection_is_a_name_of_the_gateway() {
    let body = json!({
        "name": "West", "id": collection_id("West").to_uppercase(), "location": "westus",
        "properties": { "source": { "id": collection_id("Home"), "location": "EastUS2EUAP" } },
    });
    let dto = dto::decode(body.to_string().as_bytes()).unwrap();
    let found = collection(&scope(), dto).unwrap();
    assert_eq!(found.name.to_string(), "backends/az/collections/rg-1~West");
    assert_eq!(found.source, "backends/az/collections/rg-1~Home");
    assert_eq!(found.source_location, "eastus2euap");
    assert!(found.labels.is_empty());
}

//! Disks: their properties, which disks of the virtual machine a point includes, and when the disk provider decides whether
//! a copy is complete.

use restore_point_gateway::model::{AzureDiskProperties, AzureProperties};
use restore_point_gateway::model::{Consistency, DiskVendorProperties};
use serde_json::{Value, json};

use super::fixture::*;

fn azure(point: &RestorePoint) -> &AzureProperties {
    let VendorProperties::Azure(azure) = &point.vendor else { panic!("{point:?}") };
    azure
}

fn azure_disk(point: &RestorePoint, index: usize) -> &AzureDiskProperties {
    let Some(DiskVendorProperties::Azure(disk)) = &point.disks[index].vendor else {
        panic!("{point:?}")
    };
    disk
}

fn response(body: &Value) -> Fault {
    Fault::canned(Canned { status: 200, headers: Vec::new(), body: body.to_string().into() })
}

const SET: &str =
    "/subscriptions/s/resourceGroups/RG-KEYS/providers/Microsoft.Compute/diskEncryptionSets/des";

/// An instant access point of a trusted launch virtual machine, with one disk in instant access.
fn instant_access_point(id: &str) -> Value {
    let os = format!("{id}/diskRestorePoints/os_1");
    let data = format!("{id}/diskRestorePoints/data_2");
    json!({
        "name": "db01-day1",
        "id": id,
        "properties": {
            "sourceMetadata": {
                "vmId": "v", "location": "eastus",
                "hardwareProfile": { "vmSize": "Standard_D4s_v5" },
                "hyperVGeneration": "V2",
                "storageProfile": {
                    "osDisk": {
                        "osType": "Linux", "name": "os", "diskSizeGB": 30,
                        "managedDisk": { "storageAccountType": "Premium_LRS", "id": "/disks/os" },
                        "diskRestorePoint": {
                            "encryption": { "type": "EncryptionAtRestWithPlatformKey" }, "id": os,
                        },
                    },
                    "dataDisks": [{
                        "lun": 0, "name": "data", "diskSizeGB": 90,
                        "managedDisk": { "storageAccountType": "PremiumV2_LRS", "id": "/disks/data" },
                        "diskRestorePoint": {
                            "encryption": {
                                "type": "EncryptionAtRestWithCustomerKey",
                                "diskEncryptionSet": { "id": SET },
                            },
                            "id": data,
                        },
                    }],
                    "diskControllerType": "NVMe",
                },
                "osProfile": { "adminUsername": "SENSITIVE", "secrets": [] },
                "securityProfile": {
                    "uefiSettings": { "secureBootEnabled": true, "vTpmEnabled": true },
                    "securityType": "TrustedLaunch",
                },
            },
            "provisioningState": "Succeeded",
            "consistencyMode": "CrashConsistent",
            "instanceView": {
                "diskRestorePoints": [{ "id": data, "snapshotAccessState": "InstantAccess" }],
                "statuses": [],
            },
            "timeCreated": "2026-02-01T00:00:00+00:00",
            "instantAccessDurationMinutes": 120,
        },
    })
}

#[tokio::test]
async fn each_disk_has_its_encryption_and_its_instant_access() {
    let fixture = AzureFixture::start();
    let body = instant_access_point(&fixture.simulator.seeded().points[0]);
    fixture.fault(Method::GET, "restorepoints/db01-day1", 3, response(&body));
    let found = fixture.get(&point(DAY1)).await;
    assert_eq!((found.state, found.consistency), (State::Ready, Consistency::Crash));
    assert!(found.state_reason.contains("crash consistent"), "{}", found.state_reason);
    assert_eq!(azure(&found).security_type, "TrustedLaunch");
    assert_eq!(azure(&found).instant_access_duration_minutes, Some(120));
    let os = AzureDiskProperties {
        managed_disk_id: "/disks/os".to_owned(),
        storage_account_type: "Premium_LRS".to_owned(),
        encryption_type: "EncryptionAtRestWithPlatformKey".to_owned(),
        ..Default::default()
    };
    assert_eq!(azure_disk(&found, 0), &os);
    let data = AzureDiskProperties {
        managed_disk_id: "/disks/data".to_owned(),
        storage_account_type: "PremiumV2_LRS".to_owned(),
        encryption_type: "EncryptionAtRestWithCustomerKey".to_owned(),
        disk_encryption_set_id: SET.to_owned(),
        snapshot_access_state: "InstantAccess".to_owned(),
    };
    assert_eq!(azure_disk(&found, 1), &data);

    let basic = fixture.azure.get(&point(DAY1), View::Basic).await.unwrap();
    assert_eq!(azure_disk(&basic, 1).snapshot_access_state, "");
    let raw = fixture.azure.get(&point(DAY1), View::Raw).await.unwrap().raw.unwrap().body;
    assert!(raw.contains(SET) && raw.contains("InstantAccess"), "{raw}");
    assert!(!raw.contains("SENSITIVE"), "{raw}");
}

#[tokio::test]
async fn the_aggregate_of_instant_access_is_read_under_either_name() {
    let fixture = AzureFixture::start();
    for name in ["instantAccessState", "instantAccessStatus"] {
        let mut body = instant_access_point(&fixture.simulator.seeded().points[0]);
        body["properties"][name] = json!("Available");
        fixture.fault(Method::GET, "restorepoints/db01-day1", 1, response(&body));
        assert_eq!(azure(&fixture.get(&point(DAY1)).await).instant_access_state, "Available");
    }
}

#[tokio::test]
async fn the_statuses_of_an_instance_view_are_told_apart_by_their_prefix() {
    let fixture = AzureFixture::start();
    let replication = json!({ "code": "ReplicationState/succeeded", "level": "Info",
                              "displayStatus": "Succeeded" });
    let access = json!({ "code": "InstantAccessState/availableWithInstantAccess", "level": "Info",
                         "displayStatus": "AvailableWithInstantAccess" });
    for statuses in [json!([replication, access]), json!([access, replication])] {
        let mut body = instant_access_point(&fixture.simulator.seeded().points[0]);
        body["properties"]["instanceView"]["statuses"] = statuses;
        fixture.fault(Method::GET, "restorepoints/db01-day1", 1, response(&body));
        let found = fixture.get(&point(DAY1)).await;
        assert_eq!(azure(&found).instant_access_state, "AvailableWithInstantAccess");
        assert_eq!(azure(&found).replication_code, "ReplicationState/succeeded");
        assert_eq!(found.state, State::Ready);
    }

    // A complete copy with an excluded disk is READY only by the aggregate of its replication.
    let path = format!("{}?$expand=instanceView", fixture.simulator.seeded().finished_copy);
    let (_, mut body) = fixture.send_to_arm(Method::GET, &path, &Value::Null).await;
    let storage = &mut body["properties"]["sourceMetadata"]["storageProfile"];
    storage["dataDisks"][1].as_object_mut().unwrap().remove("diskRestorePoint");
    let view = &mut body["properties"]["instanceView"];
    view["diskRestorePoints"].as_array_mut().unwrap().truncate(2);
    view["statuses"] = json!([access, replication]);
    fixture.fault(Method::GET, "/db01-day1-copy", 1, response(&body));
    let copy = fixture.get(&point(DONE)).await;
    assert_eq!((copy.state, copy.disks.len()), (State::Ready, 2), "{}", copy.state_reason);
}

#[tokio::test]
async fn a_list_in_full_view_has_instant_access_too() {
    let fixture = AzureFixture::start();
    let id = &fixture.simulator.seeded().points[0];
    let mut listed = instant_access_point(id);
    listed["properties"].as_object_mut().unwrap().remove("instanceView");
    let body = json!({
        "name": "rpc-db01", "id": id.split("/restorePoints/").next().unwrap(), "location": "eastus",
        "properties": {
            "source": { "location": "eastus", "id": fixture.simulator.seeded().vm },
            "restorePoints": [listed], "instantAccess": true,
        },
    });
    fixture.fault(Method::GET, "restorepoints/db01-day1", 1, response(&instant_access_point(id)));
    fixture.fault(Method::GET, "restorepointcollections/rpc-db01", 2, response(&body));
    let parent = Segment::Id("rg-prod~rpc-db01".to_owned());
    let page = fixture.azure.list(&parent, View::Full, None, 10).await.unwrap();
    assert_eq!(azure_disk(&page.items[0], 1).snapshot_access_state, "InstantAccess");
    let collection = fixture.azure.get_collection("rg-prod~rpc-db01").await.unwrap();
    assert_eq!(collection.instant_access, Some(true));
    let collection = fixture.azure.get_collection("rg-prod~rpc-db01").await.unwrap();
    assert_eq!(collection.instant_access, None, "ARM does not report it for ordinary collections");
}

/// A point of a virtual machine in westus that is kept in eastus, as recorded in 2022.
fn remote_point(id: &str, state: &str, percent: u8) -> Value {
    let mut body = instant_access_point(id);
    let properties = body["properties"].as_object_mut().unwrap();
    properties.remove("instantAccessDurationMinutes");
    properties["sourceMetadata"]["location"] = json!("westus");
    let disks = &mut properties["sourceMetadata"]["storageProfile"]["dataDisks"];
    disks[0]["managedDisk"]["storageAccountType"] = json!("Premium_LRS");
    let status = json!({ "code": format!("ReplicationState/{state}"), "level": "Info",
                         "displayStatus": state });
    let disk = |disk: &str| {
        json!({ "id": format!("{id}/diskRestorePoints/{disk}"),
                "replicationStatus": { "status": status, "completionPercent": percent } })
    };
    properties["instanceView"] =
        json!({ "diskRestorePoints": [disk("os_1"), disk("data_2")], "statuses": [status] });
    body
}

#[tokio::test]
async fn a_point_of_a_virtual_machine_in_another_region_is_copying_until_it_has_arrived() {
    let fixture = AzureFixture::start();
    let id = &fixture.simulator.seeded().points[0];
    let mut listed = remote_point(id, "replicating", 0);
    listed["properties"].as_object_mut().unwrap().remove("instanceView");
    let collection = json!({
        "name": "rpc-db01", "id": id.split("/restorePoints/").next().unwrap(), "location": "eastus",
        "properties": {
            "source": { "location": "westus", "id": fixture.simulator.seeded().vm },
            "restorePoints": [listed],
        },
    });
    fixture.fault(Method::GET, "/rpc-db01?", usize::MAX, response(&collection));
    let parent = Segment::Id("rg-prod~rpc-db01".to_owned());
    let list = async || list_all(&fixture.azure, &parent, 9).await.remove(0);

    let replicating = remote_point(id, "replicating", 0);
    for view in [View::Basic, View::Full, View::Raw] {
        fixture.fault(Method::GET, "restorepoints/db01-day1", 1, response(&replicating));
        let found = fixture.azure.get(&point(DAY1), view).await.unwrap();
        assert_eq!(
            (found.state, found.copy_progress_percent),
            (State::Copying, Some(0)),
            "{view:?}"
        );
        assert_eq!(found.source_restore_point, None);
    }
    fixture.fault(Method::GET, "restorepoints/db01-day1", 1, response(&replicating));
    assert_eq!(list().await.state, State::Copying);

    let arrived = remote_point(id, "succeeded", 100);
    fixture.fault(Method::GET, "restorepoints/db01-day1", 1, response(&arrived));
    let found = fixture.get(&point(DAY1)).await;
    assert_eq!((found.state, found.copy_progress_percent), (State::Ready, Some(100)));
    let calls = fixture.simulator.calls().count(&Method::GET, Kind::Point);
    assert_eq!(list().await.state, State::Ready);
    assert_eq!(fixture.simulator.calls().count(&Method::GET, Kind::Point), calls, "it is cached");
}

#[tokio::test]
async fn a_copy_does_not_wait_for_an_excluded_disk() {
    let fixture = AzureFixture::start();
    let complete = fixture.get(&point(DAY1)).await;
    let excluded = azure_disk(&complete, 1).managed_disk_id.clone();
    let id = fixture.simulator.seeded().points[0].replace("db01-day1", "partial");
    let body = json!({ "properties": { "excludeDisks": [{ "id": excluded }] } });
    assert_eq!(fixture.send_to_arm(Method::PUT, &id, &body).await.0, 201);
    fixture.clock.advance(SignedDuration::from_mins(2));

    let partial = "rg-prod~rpc-db01/restorePoints/partial";
    let found = fixture.get(&point(partial)).await;
    let names = |point: &RestorePoint| -> Vec<String> {
        point.disks.iter().map(|disk| disk.name.clone()).collect()
    };
    assert_eq!(found.state, State::Ready);
    assert_eq!(names(&found), [names(&complete)[0].clone(), names(&complete)[2].clone()]);
    assert_eq!(azure(&found).excluded_disks, [names(&complete)[1].clone()]);
    assert!(azure(&complete).excluded_disks.is_empty());

    let copy = format!("{}/restorePoints/c", fixture.create_target().await);
    fixture.copy(partial, &copy).await.unwrap();
    fixture.clock.advance(SignedDuration::from_secs(10));
    let copy = point(&copy);
    let copying = fixture.get(&copy).await;
    assert_eq!((copying.state, copying.copy_progress_percent), (State::Copying, Some(0)));
    fixture.clock.advance(SignedDuration::from_hours(2));
    let arrived = fixture.get(&copy).await;
    assert_eq!((arrived.state, arrived.copy_progress_percent), (State::Ready, Some(100)));
    assert_eq!(names(&arrived), names(&found));
    assert_eq!(azure(&arrived).excluded_disks, azure(&found).excluded_disks);

    // It is cached as any other complete copy.
    let fresh = Segment::Id("rg-prod~fresh".to_owned());
    let calls = fixture.simulator.calls().count(&Method::GET, Kind::Point);
    assert_eq!(list_all(&fixture.azure, &fresh, 9).await[0].state, State::Ready);
    assert_eq!(fixture.simulator.calls().count(&Method::GET, Kind::Point), calls);
    assert_eq!(fixture.simulator.calls().count(&Method::GET, Kind::DiskPoint), 0);
}

/// The response for the running copy, with only `keep` disks in its instance view.
async fn without_entries(fixture: &AzureFixture, keep: usize) -> Fault {
    let path = format!("{}?$expand=instanceView", fixture.simulator.seeded().running_copy);
    let (status, mut body) = fixture.send_to_arm(Method::GET, &path, &Value::Null).await;
    assert_eq!(status, 200);
    if keep == 0 {
        body["properties"].as_object_mut().unwrap().remove("instanceView");
    } else {
        let entries = &mut body["properties"]["instanceView"]["diskRestorePoints"];
        entries.as_array_mut().unwrap().truncate(keep);
    }
    response(&body)
}

#[tokio::test]
async fn the_disk_provider_is_read_when_the_instance_view_lacks_disks() {
    let fixture = AzureFixture::start();
    let disk_calls = || fixture.simulator.calls().count(&Method::GET, Kind::DiskPoint);
    let expected = fixture.get(&point(RUNNING)).await;
    assert_eq!((expected.state, disk_calls()), (State::Copying, 0));
    for keep in [0, 1] {
        let before = disk_calls();
        fixture.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&fixture, keep).await);
        let found = fixture.replica().get(&point(RUNNING), View::Full).await.unwrap();
        assert_eq!(found.disks, expected.disks);
        assert_eq!(found.copy_progress_percent, expected.copy_progress_percent);
        assert_eq!((found.state, disk_calls()), (State::Copying, before + 1));
    }

    // Without permission, without a response and with an invalid one, the copy is still under way.
    for (fault, times) in [
        (Fault::error(StatusCode::FORBIDDEN), 1),
        (Fault::error(StatusCode::GATEWAY_TIMEOUT), 3),
        (response(&json!({})), 1),
    ] {
        fixture.fault(Method::GET, "/diskrestorepoints", times, fault);
        fixture.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&fixture, 0).await);
        let found = fixture.replica().get(&point(RUNNING), View::Full).await.unwrap();
        assert_eq!((found.state, found.copy_progress_percent), (State::Copying, None));
    }

    fixture.clock.advance(SignedDuration::from_hours(3));
    fixture.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&fixture, 0).await);
    let arrived = fixture.replica().get(&point(RUNNING), View::Full).await.unwrap();
    assert_eq!((arrived.state, arrived.copy_progress_percent), (State::Ready, Some(100)));
}

#[tokio::test]
async fn progress_that_is_not_reported_is_absent() {
    let fixture = AzureFixture::start();
    let path = format!("{}?$expand=instanceView", fixture.simulator.seeded().running_copy);
    let (_, mut body) = fixture.send_to_arm(Method::GET, &path, &Value::Null).await;
    let entries = &mut body["properties"]["instanceView"]["diskRestorePoints"];
    for entry in entries.as_array_mut().unwrap() {
        entry["replicationStatus"].as_object_mut().unwrap().remove("completionPercent");
    }
    fixture.fault(Method::GET, "/db01-day2-copy", 1, response(&body));
    let found = fixture.get(&point(RUNNING)).await;
    assert_eq!((found.state, found.copy_progress_percent), (State::Copying, None));
    assert!(found.disks.iter().all(|disk| disk.progress_percent.is_none()), "{:?}", found.disks);
}

#[tokio::test]
async fn the_disk_provider_reports_a_failure_too() {
    let fixture = AzureFixture::start();
    let seeded = fixture.simulator.seeded();
    assert!(fixture.simulator.fail_replication(&seeded.running_copy, &seeded.failed_disk));
    fixture.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&fixture, 0).await);
    let failed = fixture.get(&point(RUNNING)).await;
    assert_eq!(failed.state, State::Failed);
    assert!(failed.failure.unwrap().message.contains(&seeded.failed_disk));
}

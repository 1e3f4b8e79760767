//! Disks: what is told of each, which of the machine's are in the point at all, and where the disk provider
//! must be asked whether a copy has arrived.

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

fn answer(body: &Value) -> Fault {
    Fault::canned(Canned { status: 200, headers: Vec::new(), body: body.to_string().into() })
}

const SET: &str =
    "/subscriptions/s/resourceGroups/RG-KEYS/providers/Microsoft.Compute/diskEncryptionSets/des";

/// An instant access point with one disk in instant access, as a machine of trusted launch has it.
fn instant(id: &str) -> Value {
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
async fn each_disk_tells_its_encryption_and_its_instant_access() {
    let bench = bench(|_| {});
    let body = instant(&bench.vendor.seeded().points[0]);
    bench.fault(Method::GET, "restorepoints/db01-day1", 3, answer(&body));
    let told = bench.get(&point(DAY1)).await;
    assert_eq!((told.state, told.consistency), (State::Ready, Consistency::Crash));
    assert!(told.state_reason.contains("crash consistent"), "{}", told.state_reason);
    assert_eq!(azure(&told).security_type, "TrustedLaunch");
    assert_eq!(azure(&told).instant_access_duration_minutes, Some(120));
    let os = AzureDiskProperties {
        managed_disk_id: "/disks/os".to_owned(),
        storage_account_type: "Premium_LRS".to_owned(),
        encryption_type: "EncryptionAtRestWithPlatformKey".to_owned(),
        ..Default::default()
    };
    assert_eq!(azure_disk(&told, 0), &os);
    let data = AzureDiskProperties {
        managed_disk_id: "/disks/data".to_owned(),
        storage_account_type: "PremiumV2_LRS".to_owned(),
        encryption_type: "EncryptionAtRestWithCustomerKey".to_owned(),
        disk_encryption_set_id: SET.to_owned(),
        snapshot_access_state: "InstantAccess".to_owned(),
    };
    assert_eq!(azure_disk(&told, 1), &data);

    let basic = bench.azure.get(&point(DAY1), View::Basic).await.unwrap();
    assert_eq!(azure_disk(&basic, 1).snapshot_access_state, "");
    let raw = bench.azure.get(&point(DAY1), View::Raw).await.unwrap().raw.unwrap().body;
    assert!(raw.contains(SET) && raw.contains("InstantAccess"), "{raw}");
    assert!(!raw.contains("SENSITIVE"), "{raw}");
}

#[tokio::test]
async fn the_aggregate_of_instant_access_is_kept_under_either_name() {
    let bench = bench(|_| {});
    for name in ["instantAccessState", "instantAccessStatus"] {
        let mut body = instant(&bench.vendor.seeded().points[0]);
        body["properties"][name] = json!("Available");
        bench.fault(Method::GET, "restorepoints/db01-day1", 1, answer(&body));
        assert_eq!(azure(&bench.get(&point(DAY1)).await).instant_access_state, "Available");
    }
}

#[tokio::test]
async fn a_list_in_full_view_tells_instant_access_too() {
    let bench = bench(|_| {});
    let id = &bench.vendor.seeded().points[0];
    let mut listed = instant(id);
    listed["properties"].as_object_mut().unwrap().remove("instanceView");
    let collection = json!({
        "name": "rpc-db01", "id": id.split("/restorePoints/").next().unwrap(), "location": "eastus",
        "properties": {
            "source": { "location": "eastus", "id": bench.vendor.seeded().vm },
            "restorePoints": [listed], "instantAccess": true,
        },
    });
    bench.fault(Method::GET, "restorepoints/db01-day1", 1, answer(&instant(id)));
    bench.fault(Method::GET, "restorepointcollections/rpc-db01", 2, answer(&collection));
    let one = Segment::Id("rg-prod~rpc-db01".to_owned());
    let page = bench.azure.list(&one, View::Full, None, 10).await.unwrap();
    assert_eq!(azure_disk(&page.items[0], 1).snapshot_access_state, "InstantAccess");
    let home = bench.azure.get_collection("rg-prod~rpc-db01").await.unwrap();
    assert_eq!(home.instant_access, Some(true));
    let home = bench.azure.get_collection("rg-prod~rpc-db01").await.unwrap();
    assert_eq!(home.instant_access, None, "of ordinary collections ARM does not say");
}

#[tokio::test]
async fn a_disk_that_was_excluded_is_not_waited_for() {
    let bench = bench(|_| {});
    let whole = bench.get(&point(DAY1)).await;
    let excluded = azure_disk(&whole, 1).managed_disk_id.clone();
    let id = bench.vendor.seeded().points[0].replace("db01-day1", "partial");
    let body = json!({ "properties": { "excludeDisks": [{ "id": excluded }] } });
    assert_eq!(bench.arm(Method::PUT, &id, &body).await.0, 201);
    bench.clock.advance(SignedDuration::from_mins(2));

    let partial = "rg-prod~rpc-db01/restorePoints/partial";
    let told = bench.get(&point(partial)).await;
    let names = |point: &RestorePoint| -> Vec<String> {
        point.disks.iter().map(|disk| disk.name.clone()).collect()
    };
    assert_eq!(told.state, State::Ready);
    assert_eq!(names(&told), [names(&whole)[0].clone(), names(&whole)[2].clone()]);
    assert_eq!(azure(&told).excluded_disks, [names(&whole)[1].clone()]);
    assert!(azure(&whole).excluded_disks.is_empty());

    let copy = format!("{}/restorePoints/c", bench.fresh_target().await);
    bench.copy(partial, &copy).await.unwrap();
    bench.clock.advance(SignedDuration::from_secs(10));
    let copy = point(&copy);
    let begun = bench.get(&copy).await;
    assert_eq!((begun.state, begun.copy_progress_percent), (State::Copying, Some(0)));
    bench.clock.advance(SignedDuration::from_hours(2));
    let arrived = bench.get(&copy).await;
    assert_eq!((arrived.state, arrived.copy_progress_percent), (State::Ready, Some(100)));
    assert_eq!(names(&arrived), names(&told));
    assert_eq!(azure(&arrived).excluded_disks, azure(&told).excluded_disks);

    // It is remembered as any other copy that has arrived.
    let fresh = Segment::Id("rg-prod~fresh".to_owned());
    let calls = bench.vendor.calls().count(&Method::GET, Kind::Point);
    assert_eq!(walk(&bench.azure, &fresh, 9).await[0].state, State::Ready);
    assert_eq!(bench.vendor.calls().count(&Method::GET, Kind::Point), calls);
    assert_eq!(bench.vendor.calls().count(&Method::GET, Kind::DiskPoint), 0);
}

/// The running copy as ARM shows it now, without what its instance view says of some of the disks.
async fn without_entries(bench: &Bench, keep: usize) -> Fault {
    let path = format!("{}?$expand=instanceView", bench.vendor.seeded().running_copy);
    let (status, mut body) = bench.arm(Method::GET, &path, &Value::Null).await;
    assert_eq!(status, 200);
    if keep == 0 {
        body["properties"].as_object_mut().unwrap().remove("instanceView");
    } else {
        let entries = &mut body["properties"]["instanceView"]["diskRestorePoints"];
        entries.as_array_mut().unwrap().truncate(keep);
    }
    answer(&body)
}

#[tokio::test]
async fn the_disk_provider_is_asked_where_the_instance_view_is_silent() {
    let bench = bench(|_| {});
    let disk_calls = || bench.vendor.calls().count(&Method::GET, Kind::DiskPoint);
    let truth = bench.get(&point(RUNNING)).await;
    assert_eq!((truth.state, disk_calls()), (State::Copying, 0));
    for keep in [0, 1] {
        let before = disk_calls();
        bench.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&bench, keep).await);
        let told = bench.replica().get(&point(RUNNING), View::Full).await.unwrap();
        assert_eq!(told.disks, truth.disks);
        assert_eq!(told.copy_progress_percent, truth.copy_progress_percent);
        assert_eq!((told.state, disk_calls()), (State::Copying, before + 1));
    }

    // It may not be asked, or does not answer: then the copy is still under way.
    for (fault, times) in [
        (Fault::error(StatusCode::FORBIDDEN), 1),
        (Fault::error(StatusCode::GATEWAY_TIMEOUT), 3),
        (answer(&json!({})), 1),
    ] {
        bench.fault(Method::GET, "/diskrestorepoints", times, fault);
        bench.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&bench, 0).await);
        let told = bench.replica().get(&point(RUNNING), View::Full).await.unwrap();
        assert_eq!((told.state, told.copy_progress_percent), (State::Copying, None));
    }

    bench.clock.advance(SignedDuration::from_hours(3));
    bench.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&bench, 0).await);
    let arrived = bench.replica().get(&point(RUNNING), View::Full).await.unwrap();
    assert_eq!((arrived.state, arrived.copy_progress_percent), (State::Ready, Some(100)));
}

#[tokio::test]
async fn the_disk_provider_tells_a_failure_too() {
    let bench = bench(|_| {});
    let seeded = bench.vendor.seeded();
    assert!(bench.vendor.fail_replication(&seeded.running_copy, &seeded.failed_disk));
    bench.fault(Method::GET, "/db01-day2-copy", 1, without_entries(&bench, 0).await);
    let failed = bench.get(&point(RUNNING)).await;
    assert_eq!(failed.state, State::Failed);
    assert!(failed.failure.unwrap().message.contains(&seeded.failed_disk));
}

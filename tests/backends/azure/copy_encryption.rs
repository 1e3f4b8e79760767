//! The encryption of the disks of a copy: chosen by the caller, never weaker without a choice.

use restore_point_gateway::model::{AzureDiskProperties, DiskKey, DiskVendorProperties};
use serde_json::json;

use super::fixture::*;

const KEYED: &str = "rg-prod~rpc-db01/restorePoints/keyed";

/// A point whose operating system disk is encrypted with a customer's key.
async fn start() -> AzureFixture {
    let fixture = AzureFixture::start();
    let source = fixture.get(&point(DAY1)).await;
    let set = &fixture.simulator.seeded().encryption_set;
    let os = json!({
        "managedDisk": { "id": azure_disk(&source, 0).managed_disk_id },
        "diskRestorePoint": { "encryption": { "diskEncryptionSet": { "id": set } } },
    });
    let metadata = json!({ "storageProfile": { "osDisk": os } });
    let body = json!({ "properties": { "sourceMetadata": metadata } });
    let id = fixture.simulator.seeded().points[0].replace("db01-day1", "keyed");
    assert_eq!(fixture.send_to_arm(Method::PUT, &id, &body).await.0, 201);
    fixture.clock.advance(SignedDuration::from_mins(1));
    fixture.create_target().await;
    fixture
}

fn azure_disk(point: &RestorePoint, index: usize) -> &AzureDiskProperties {
    let Some(DiskVendorProperties::Azure(disk)) = &point.disks[index].vendor else {
        panic!("{point:?}")
    };
    disk
}

async fn copy(
    fixture: &AzureFixture,
    name: &str,
    encryption: CopyEncryption,
) -> Result<RestorePoint, Error> {
    let target = format!("rg-prod~fresh/restorePoints/{name}");
    let new = NewCopy { encryption, ..new_copy(KEYED, &target) };
    Ok(fixture.azure.copy(&new, WriteMode::Execute).await?.point)
}

#[tokio::test]
async fn a_customers_key_is_not_given_up_without_a_choice() {
    let fixture = start().await;
    let error = copy(&fixture, "c", CopyEncryption::default()).await.unwrap_err();
    assert_eq!(rule(&error), "ENCRYPTION_REQUIRED");
    let os = fixture.get(&point(KEYED)).await.disks[0].name.clone();
    assert!(error.to_string().contains(&os), "{error}");
    assert_eq!(fixture.point_puts(), 1);

    let platform = CopyEncryption { others: Some(DiskKey::Platform), disks: BTreeMap::default() };
    copy(&fixture, "c", platform).await.unwrap();
    fixture.clock.advance(SignedDuration::from_mins(1));
    let copied = fixture.get(&point("rg-prod~fresh/restorePoints/c")).await;
    assert_eq!(azure_disk(&copied, 0).encryption_type, "EncryptionAtRestWithPlatformKey");
}

#[tokio::test]
async fn disks_are_encrypted_with_the_chosen_sets() {
    let fixture = start().await;
    let disks: Vec<String> =
        fixture.get(&point(KEYED)).await.disks.into_iter().map(|disk| disk.name).collect();
    let set = fixture.simulator.seeded().far_encryption_set.clone();
    let encryption = CopyEncryption {
        others: Some(DiskKey::Customer(set.clone())),
        disks: BTreeMap::from([(disks[1].to_uppercase(), DiskKey::Platform)]),
    };
    copy(&fixture, "c", encryption.clone()).await.unwrap();
    fixture.clock.advance(SignedDuration::from_mins(1));
    let copied = fixture.get(&point("rg-prod~fresh/restorePoints/c")).await;
    let sets: Vec<bool> = (0..3)
        .map(|index| azure_disk(&copied, index).disk_encryption_set_id.eq_ignore_ascii_case(&set))
        .collect();
    assert_eq!(sets, [true, false, true]);

    // A repeat is the same copy; one with other keys is not.
    assert_eq!(copy(&fixture, "c", encryption).await.unwrap().uid, copied.uid);
    let other = CopyEncryption { others: Some(DiskKey::Platform), disks: BTreeMap::default() };
    match copy(&fixture, "c", other).await.unwrap_err() {
        Error::AlreadyExists { difference, .. } => {
            assert!(difference.contains(&disks[0]), "{difference}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fixture.point_puts(), 2);
}

#[tokio::test]
async fn an_invalid_choice_names_the_field() {
    let fixture = start().await;
    let set = || DiskKey::Customer(fixture.simulator.seeded().far_encryption_set.clone());
    let vm = || DiskKey::Customer(fixture.simulator.seeded().vm.clone());
    let others = |key| CopyEncryption { others: Some(key), disks: BTreeMap::default() };
    let disk = |name: &str, key| CopyEncryption {
        others: None,
        disks: BTreeMap::from([(name.to_owned(), key)]),
    };
    for (encryption, field) in [
        (others(vm()), "encryption"),
        (others(DiskKey::Customer(String::new())), "encryption"),
        (disk("os", vm()), "disk_encryption[`os`]"),
        (disk("none", set()), "disk_encryption[`none`]"),
    ] {
        match copy(&fixture, "c", encryption).await.unwrap_err() {
            Error::InvalidArgument { field: own, problem, .. } => {
                assert_eq!(own, field, "{problem}");
                assert!(problem.contains("expected"), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(fixture.point_puts(), 1);
}

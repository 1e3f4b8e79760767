//! The encryption of the disks of a copy: what a caller asks for, as ARM's request has it.
//!
//! ARM encrypts a disk of a copy with the platform key unless the request names a disk encryption set, whatever the source
//! is encrypted with. A disk with a customer's key is therefore never copied without the caller's choice. Recorded
//! requests have an entry for each disk, and the type `EncryptionAtRestWithCustomerKey` for double encryption too.

use super::dto;
use super::id::{ArmId, Scope, eq_ignore_case, quoted};
use crate::model::{CopyEncryption, DiskKey, Error, InvalidKind};

const PLATFORM_KEY: &str = "EncryptionAtRestWithPlatformKey";
const CUSTOMER_KEY: &str = "EncryptionAtRestWithCustomerKey";

/// Checks what can be checked without the source.
///
/// # Errors
/// INVALID_ARGUMENT on `encryption` or `disk_encryption` for an id that is not one of a disk encryption set.
pub(super) fn check_ids(scope: &Scope, encryption: &CopyEncryption) -> Result<(), Error> {
    let others = encryption.others.iter().map(|key| ("encryption".to_owned(), key));
    let disks = encryption.disks.iter().map(|(name, key)| (field_of(name), key));
    for (field, key) in others.chain(disks) {
        if let DiskKey::Customer(id) = key
            && ArmId::parse(id, scope) != ArmId::DiskEncryptionSet
        {
            let id = quoted(id);
            let problem = format!(
                "invalid ARM id {id}: expected that of a disk encryption set in the region of the destination"
            );
            return Err(Error::invalid(InvalidKind::Value, &field, problem));
        }
    }
    Ok(())
}

/// The part of the request that chooses the encryption; none if the caller makes no choice and none is needed.
///
/// # Errors
/// INVALID_ARGUMENT for a disk that the source does not have; [`Error::FailedPrecondition`] for a disk with a customer's
/// key for which there is no choice.
pub(super) fn source_metadata(
    source: &dto::RestorePoint,
    source_name: &str,
    encryption: &CopyEncryption,
) -> Result<Option<dto::NewSourceMetadata>, Error> {
    let disks = || source.vm_disks().filter(|disk| disk.disk_restore_point_id().is_some());
    let names = || disks().filter_map(|disk| disk.name.as_deref());
    for name in encryption.disks.keys() {
        if !names().any(|known| eq_ignore_case(known, name)) {
            let known = names().collect::<Vec<_>>().join(", ");
            let problem = format!("no such disk in {source_name}: expected one of {known}");
            return Err(Error::invalid(InvalidKind::Value, &field_of(name), problem));
        }
    }
    let undecided =
        disks().find(|disk| has_customer_key(disk) && key_of(disk, encryption).is_none());
    if let Some(disk) = undecided {
        let name = disk.name.as_deref().unwrap_or_default();
        return Err(Error::FailedPrecondition {
            rule: "ENCRYPTION_REQUIRED",
            subject: source_name.to_owned(),
            description: format!(
                "its disk {name} is encrypted with a customer's key, which Azure does not carry over; name a \
                 disk encryption set in the region of the destination, or the platform key, in `encryption` \
                 or `disk_encryption`"
            ),
        });
    }
    if *encryption == CopyEncryption::default() {
        return Ok(None);
    }
    let storage =
        source.properties.source_metadata.as_ref().and_then(|m| m.storage_profile.as_ref());
    let entry = |disk: &dto::Disk| {
        let id = disk.disk_restore_point_id()?.to_owned();
        Some(dto::NewDisk {
            disk_restore_point: dto::NewDiskRestorePoint {
                source_disk_restore_point: dto::SubResource { id },
                encryption: key_of(disk, encryption).map(requested),
            },
        })
    };
    let data_disks = storage.and_then(|storage| storage.data_disks.as_ref()).into_iter().flatten();
    Ok(Some(dto::NewSourceMetadata {
        storage_profile: dto::NewStorageProfile {
            os_disk: storage.and_then(|storage| storage.os_disk.as_ref()).and_then(entry),
            data_disks: data_disks.filter_map(entry).collect(),
        },
    }))
}

/// How a disk of an existing copy differs from what is asked for, as far as ARM reports it.
pub(super) fn difference(
    existing: &dto::RestorePoint,
    encryption: &CopyEncryption,
) -> Option<String> {
    existing.vm_disks().find_map(|disk| {
        let reported = disk.disk_restore_point.as_ref()?.encryption.as_ref()?;
        let set = reported.disk_encryption_set.as_ref().map(|set| set.id.as_str());
        let is_same = match key_of(disk, encryption)? {
            DiskKey::Platform => set.is_none(),
            DiskKey::Customer(id) => set.is_some_and(|set| eq_ignore_case(set, id)),
        };
        let name = disk.name.as_deref().unwrap_or_default();
        (!is_same).then(|| format!("its disk {name} is encrypted with another key"))
    })
}

fn has_customer_key(disk: &dto::Disk) -> bool {
    let encryption = disk.disk_restore_point.as_ref().and_then(|point| point.encryption.as_ref());
    encryption.is_some_and(|encryption| {
        encryption.disk_encryption_set.is_some()
            || encryption.kind.as_deref().is_some_and(|kind| !eq_ignore_case(kind, PLATFORM_KEY))
    })
}

fn key_of<'a>(disk: &dto::Disk, encryption: &'a CopyEncryption) -> Option<&'a DiskKey> {
    let name = disk.name.as_deref().unwrap_or_default();
    let named = encryption.disks.iter().find(|(own, _)| eq_ignore_case(own, name));
    named.map(|(_, key)| key).or(encryption.others.as_ref())
}

fn requested(key: &DiskKey) -> dto::Encryption {
    match key {
        DiskKey::Platform => {
            dto::Encryption { kind: Some(PLATFORM_KEY.to_owned()), disk_encryption_set: None }
        }
        DiskKey::Customer(id) => dto::Encryption {
            kind: Some(CUSTOMER_KEY.to_owned()),
            disk_encryption_set: Some(dto::SubResource { id: id.clone() }),
        },
    }
}

fn field_of(disk: &str) -> String {
    format!("disk_encryption[{}]", quoted(disk))
}

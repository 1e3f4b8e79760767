//! Disk encryption sets, and how a request chooses them disk by disk.
//!
//! Nothing is encrypted; what counts is which sets may be chosen and how they are named in answers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::{Address, Place};
use super::point::Failure;
use super::refusal::Refusal;
use super::settings::Quirks;
use super::wire::{EncryptionRequest, Id, StorageRequest, with_upper_group};
use super::world::World;

const PLATFORM: &str = "EncryptionAtRestWithPlatformKey";
const CUSTOMER: &str = "EncryptionAtRestWithCustomerKey";
const BOTH: &str = "EncryptionAtRestWithPlatformAndCustomerKeys";

/// Something that exists beside restore points and that they may be encrypted with.
#[derive(Debug)]
pub(super) struct EncryptionSet {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) id: String,
    /// In the plain form.
    pub(super) region: String,
    pub(super) vault: Vault,
}

/// Where the key of a set lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vault {
    There,
    Gone,
}

/// What one disk restore point is encrypted with; the sets by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    Platform,
    Customer(String),
    Both(String),
}

/// What was chosen for which disk of the machine.
#[derive(Debug, Default)]
pub(super) struct Chosen(BTreeMap<usize, Encryption>);

impl Chosen {
    /// The platform's key unless another was chosen.
    pub(super) fn of(&self, disk: usize) -> Encryption {
        self.0.get(&disk).cloned().unwrap_or(Encryption::Platform)
    }
}

impl Encryption {
    fn kind(&self) -> &'static str {
        match self {
            Self::Platform => PLATFORM,
            Self::Customer(_) => CUSTOMER,
            Self::Both(_) => BOTH,
        }
    }

    fn set(&self) -> Option<&str> {
        match self {
            Self::Platform => None,
            Self::Customer(set) | Self::Both(set) => Some(set),
        }
    }

    /// As the compute provider shows it.
    pub(super) fn in_compute(&self, quirks: &Quirks) -> ComputeEncryption {
        let set = self.set().map(|id| Id { id: shown(id, quirks) });
        ComputeEncryption { kind: self.kind(), disk_encryption_set: set }
    }

    /// As the disk provider shows it.
    pub(super) fn in_disk(&self, quirks: &Quirks) -> DiskEncryption {
        let set = self.set().map(|id| shown(id, quirks));
        DiskEncryption { disk_encryption_set_id: set, kind: self.kind() }
    }
}

fn shown(id: &str, quirks: &Quirks) -> String {
    if quirks.upper_case_encryption_sets { with_upper_group(id) } else { id.to_owned() }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ComputeEncryption {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_encryption_set: Option<Id>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskEncryption {
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_encryption_set_id: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Reads the choices of a request whose point will lie in `region`, and hold these disks of the
/// machine, which the request calls by these ids.
pub(super) fn chosen(
    world: &World,
    storage: Option<&StorageRequest>,
    region: &str,
    disks: &[(usize, String)],
) -> Result<Chosen, Refusal> {
    let mut chosen = Chosen::default();
    let Some(storage) = storage else { return Ok(chosen) };
    for entry in storage.os_disk.iter().chain(storage.data_disks.iter().flatten()) {
        let meant = |(_, id): &&(usize, String)| {
            entry.id().is_some_and(|given| given.eq_ignore_ascii_case(id))
        };
        let Some((disk, _)) = disks.iter().find(meant) else {
            let message = "The storageProfile names a disk that is no part of the restore point.";
            return Err(Refusal::parameter("storageProfile", message));
        };
        let point = entry.disk_restore_point.as_ref();
        if let Some(wanted) = point.and_then(|point| point.encryption.as_ref()) {
            chosen.0.insert(*disk, choice(world, wanted, region)?);
        }
    }
    Ok(chosen)
}

fn choice(world: &World, wanted: &EncryptionRequest, region: &str) -> Result<Encryption, Refusal> {
    let is = |kind: &str| wanted.kind.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(kind));
    match &wanted.disk_encryption_set {
        Some(Id { id }) if wanted.kind.is_none() || is(CUSTOMER) => {
            Ok(Encryption::Customer(set(world, id, region)?))
        }
        Some(Id { id }) if is(BOTH) => Ok(Encryption::Both(set(world, id, region)?)),
        None if wanted.kind.is_none() || is(PLATFORM) => Ok(Encryption::Platform),
        _ => {
            let message = "The encryption type and the disk encryption set do not go together.";
            Err(Refusal::parameter("encryption", message))
        }
    }
}

/// A set by its id. It must lie where the point will lie.
fn set(world: &World, id: &str, region: &str) -> Result<String, Refusal> {
    let Place::EncryptionSet { group, name } = Address::parse(id).place else {
        let message = "The value of parameter diskEncryptionSet.id is invalid.";
        return Err(Refusal::parameter("diskEncryptionSet.id", message));
    };
    let known = world
        .encryption_sets
        .iter()
        .find(|one| one.group.eq_ignore_ascii_case(&group) && one.name.eq_ignore_ascii_case(&name));
    let Some(known) = known else {
        return Err(Refusal::resource_not_found("diskEncryptionSets", &group, &name));
    };
    if known.region != region {
        let message = format!(
            "The disk encryption set '{name}' is in region '{}', the restore point in '{region}'.",
            known.region
        );
        return Err(Refusal::parameter("diskEncryptionSet.id", &message));
    }
    Ok(known.id.clone())
}

/// A key that cannot be had any more shows only in the operation.
pub(super) fn failure(world: &World, chosen: &Chosen) -> Option<Failure> {
    let mut sets = chosen.0.values().filter_map(Encryption::set);
    let gone =
        |id: &str| world.encryption_sets.iter().any(|set| set.id == id && set.vault == Vault::Gone);
    sets.find(|id| gone(id)).map(|id| Failure {
        code: "DiskRestorePointClientError".into(),
        message: format!("The key vault of the disk encryption set '{id}' was not found."),
    })
}

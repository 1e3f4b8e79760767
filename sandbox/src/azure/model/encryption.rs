//! Disk encryption sets, and what a disk restore point is encrypted with.
//!
//! Nothing is encrypted: only ids and types are kept.

use std::collections::BTreeMap;

pub(crate) const PLATFORM: &str = "EncryptionAtRestWithPlatformKey";
pub(crate) const CUSTOMER: &str = "EncryptionAtRestWithCustomerKey";
pub(crate) const PLATFORM_AND_CUSTOMER: &str = "EncryptionAtRestWithPlatformAndCustomerKeys";

#[derive(Debug)]
pub(crate) struct EncryptionSet {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) id: String,
    /// In the plain form.
    pub(crate) region: String,
    pub(crate) key_vault: KeyVault,
}

/// The key vault of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyVault {
    Present,
    Deleted,
}

/// The encryption of one disk restore point, with the id of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encryption {
    Platform,
    Customer(String),
    PlatformAndCustomer(String),
}

impl Encryption {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Platform => PLATFORM,
            Self::Customer(_) => CUSTOMER,
            Self::PlatformAndCustomer(_) => PLATFORM_AND_CUSTOMER,
        }
    }

    pub(crate) fn set_id(&self) -> Option<&str> {
        match self {
            Self::Platform => None,
            Self::Customer(set) | Self::PlatformAndCustomer(set) => Some(set),
        }
    }
}

/// The encryption requested for each disk of a machine, by the disk's index.
#[derive(Debug, Default)]
pub(crate) struct EncryptionChoices(BTreeMap<usize, Encryption>);

impl EncryptionChoices {
    pub(crate) fn insert(&mut self, disk: usize, encryption: Encryption) {
        self.0.insert(disk, encryption);
    }

    /// The platform key unless another was requested.
    pub(crate) fn of_disk(&self, disk: usize) -> Encryption {
        self.0.get(&disk).cloned().unwrap_or(Encryption::Platform)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Encryption> {
        self.0.values()
    }
}

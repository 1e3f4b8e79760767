//! How the disks of a new copy are encrypted at rest.

use std::collections::BTreeMap;

/// The key of one disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskKey {
    /// The vendor's own.
    Platform,
    /// One of the customer's, by the vendor's id of what holds it: at Azure a disk encryption set.
    Customer(String),
}

/// The keys of the disks of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyEncryption {
    /// Of the disks that `disks` does not name. None leaves them to the rule of the backend.
    pub others: Option<DiskKey>,
    /// By the names of the disks.
    pub disks: BTreeMap<String, DiskKey>,
}

//! What a vendor keeps restore points in.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::CollectionName;

/// A collection as the vendor reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its canonical name.
    pub name: CollectionName,
    /// Stable and unique within the backend.
    pub uid: String,
    /// The vendor's id, spelled as the vendor spells it.
    pub vendor_id: String,
    /// The name that the vendor's own tools show.
    pub display_name: String,
    /// Region of its points; empty when the vendor has none.
    pub location: String,
    /// The vendor's id of a virtual machine, or the name of the collection that points are copied from.
    pub source: String,
    /// The source's id at the vendor, spelled as the vendor spells it.
    pub source_vendor_id: String,
    /// Region of the source.
    pub source_location: String,
    /// Tags.
    pub labels: BTreeMap<String, String>,
    /// When it was created, if the vendor reports it.
    pub create_time: Option<Timestamp>,
    /// The vendor's name of the platform, if it has one.
    pub platform: String,
    /// Whether its points can be restored from at once, if the vendor reports it.
    pub instant_access: Option<bool>,
    /// The vendor's state of the collection; empty if the vendor has none.
    pub provisioning_state: String,
}

/// A collection to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCollection {
    /// The id that the caller chose, the last segment of its name.
    pub id: String,
    /// Region.
    pub location: String,
    /// The vendor's id of a virtual machine, or the name of a collection to copy from.
    pub source: String,
    /// Tags.
    pub labels: BTreeMap<String, String>,
    /// The caller's id of this request, if any: the same on each retry.
    pub request_id: Option<uuid::Uuid>,
}

//! What a vendor keeps restore points in.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::CollectionName;

/// A collection as the vendor shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// The one name that it has.
    pub name: CollectionName,
    /// Stable and unique within the backend.
    pub uid: String,
    /// The vendor's id, spelled as the vendor spells it.
    pub vendor_id: String,
    /// What the vendor shows to people.
    pub display_name: String,
    /// Region of its points; empty when the vendor has none.
    pub location: String,
    /// The vendor's id of a machine, or the name of a collection that points are copied from.
    pub source: String,
    /// Region of the source.
    pub source_location: String,
    /// Tags.
    pub labels: BTreeMap<String, String>,
    /// When it was made, if the vendor tells.
    pub create_time: Option<Timestamp>,
    /// The vendor's platform word, if it has one.
    pub platform: String,
    /// Whether its points can be restored from at once, if the vendor tells.
    pub instant_access: Option<bool>,
}

/// A collection to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCollection {
    /// The id that the caller chose, the last segment of its name.
    pub id: String,
    /// Region.
    pub location: String,
    /// The vendor's id of a machine, or the name of a collection to copy from.
    pub source: String,
    /// Tags.
    pub labels: BTreeMap<String, String>,
    /// The caller's mark on repetitions of one call, if any.
    pub request_id: Option<uuid::Uuid>,
}

//! The vendor-neutral words of the house: restore points, their names and states, filters, tokens, errors.
//!
//! Nothing in here knows gRPC or HTTP, or imports anything above it. What only one vendor has travels
//! through as a message of the contract, unread.

mod collection;
mod error;
mod filter;
mod name;
mod order;
mod restore_point;
mod token;

pub use collection::{Collection, NewCollection};
pub use error::{Error, Invalid};
pub use filter::Filter;
pub(crate) use name::check_id;
pub use name::{BackendId, CollectionName, ListParent, PointRef, RestorePointName, Segment};
pub use order::{OrderBy, SortKey};
pub use restore_point::{
    Consistency, Disk, DiskVendor, Failure, Raw, RestorePoint, Source, State, Vendor, View,
};
pub use token::{Purpose, Sealer, Unopened};

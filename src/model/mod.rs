//! The domain: restore points, their names, states and capabilities, filters, tokens, errors.
//!
//! Imports nothing else of this crate, and is independent of gRPC and HTTP.

mod capability;
mod collection;
mod deadline;
mod encryption;
mod error;
mod filter;
mod name;
mod order;
mod restore_point;
mod token;
mod vendor;

pub use capability::{Capabilities, Capability, Support};
pub use collection::{Collection, NewCollection};
pub use deadline::Deadline;
pub use encryption::{CopyEncryption, DiskKey};
pub use error::{DEFAULT_RETRY_AFTER, Error, InvalidKind};
pub use filter::Filter;
pub(crate) use name::check_id;
pub use name::{BackendId, CollectionName, ListParent, PointRef, RestorePointName, Segment};
pub use order::{OrderBy, SortKey};
pub use restore_point::{
    Consistency, Disk, OtherUses, PointFailure, RawBody, RestorePoint, Source, State, Use, View,
};
pub use token::{KeyError, Purpose, Sealer, TokenError, TokenKey};
pub use vendor::{
    AzureDiskProperties, AzureProperties, BackendKind, DiskVendorProperties, VeeamPointKind,
    VeeamProperties, VendorProperties,
};

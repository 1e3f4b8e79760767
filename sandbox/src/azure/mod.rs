//! The simulated Azure Resource Manager for restore point collections and restore points, with the login
//! service beside it.
//!
//! It sends the vendor's bodies and headers with the vendor's delays. It restores nothing and stores no data:
//! the signed URLs that it issues do not resolve.

mod admin;
mod api_version;
mod call;
mod call_counts;
mod dto;
mod error_response;
mod handlers;
mod injected_error;
mod login;
mod model;
mod operation_error;
mod oracle;
mod reply;
mod resource_path;
mod rng;
mod router;
mod server;
mod settings;
mod simulator;
mod throttling;
mod vendor_fault;

pub use crate::fault::{Canned, Matching};
pub use admin::VENDOR;
pub use call_counts::{Calls, Kind};
pub use login::identity_endpoint::{Host, IdentityEndpoint};
pub use model::point_writes::PointWrites;
pub use model::seed::Seeded;
pub use oracle::{TruePoint, TrueState};
pub use settings::{Quirks, Settings, Throttling};
pub use simulator::Azure;
pub use vendor_fault::{Fault, VendorFault};

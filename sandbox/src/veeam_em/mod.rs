//! The simulated Veeam Backup Enterprise Manager: its REST API for restore points.
//!
//! It responds as a Windows server with Cloud Connect does, on one self-signed TLS port. It has the points of
//! the vendor's documentation and a configurable number of generated ones, and backups and plain replicas too.
//! Restores, failovers and backups start as tasks but restore nothing; jobs cannot be started, and CDP, NAS
//! and catalogs are empty.

mod admin;
mod backup_server;
mod context;
mod format;
mod handlers;
mod model;
mod oracle;
mod parameters;
mod request_body;
mod router;
mod server;
mod settings;
mod simulator;
mod vendor_fault;

pub use crate::fault::{Canned, Matching};
pub use admin::VENDOR;
pub use backup_server::BackupServer;
pub use model::principal::{Account, Role, Tenant};
pub use oracle::TruePoint;
pub use settings::{
    Ampersands, AttributeOrder, ByteOrderMark, CloudQuery, ErrorDetail, HierarchyRoots, Hrefs,
    Installation, ListItem, NameStyle, Product, RemovedPoint, ReplicaListItem, RequestBodies,
    Settings, UnfinishedLink, VmName,
};
pub use simulator::EnterpriseManager;
pub use vendor_fault::{Fault, VendorFault};

//! Simulated vendors: HTTPS servers on loopback that answer as Azure Resource Manager and Veeam Backup
//! Enterprise Manager do, quirks included, with fault injection and a clock of their own.
//!
//! They share no type with the gateway's backends: their responses are written from what the vendors send on
//! the wire, so that a test that passes against them means something. All states are computed from a
//! [`Clock`], never from timers; only delays that a [`fault`] injects take real time.
//!
//! A further vendor is a folder with an implementation of [`SimulatedVendor`]; see
//! `interceptor::Simulator` for its requests.

mod admin;
pub mod azure;
mod certificates;
mod clock;
mod connection;
pub mod fault;
mod fault_spec;
mod https_server;
mod interceptor;
mod lock;
mod simulated_vendor;
mod start_error;
pub mod veeam_em;
mod vendor_info;

pub use admin::Admin;
pub use certificates::{CertificateAuthority, ServerCertificate};
pub use clock::Clock;
pub use fault_spec::FaultSpec;
pub use https_server::HttpsServer;
pub use simulated_vendor::{CallCounts, SimulatedVendor, TrafficControl};
pub use start_error::StartError;
pub use vendor_info::{VendorInfo, fault_vocabulary};

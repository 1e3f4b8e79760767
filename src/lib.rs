//! Restore Point Gateway: one gRPC service in front of two vendors' restore point APIs.
//!
//! Data walks down one corridor and back: wire → [`service`] → [`model`] → [`backend`] → [`upstream`] → vendor.
//!
//! - [`proto`] the contract as Rust types; `convert` from the model to them; [`status`] from errors to
//!   gRPC statuses, the only place where that happens
//! - [`server`] sockets, deadlines, health, reflection, and an end in bounded time
//! - [`service`] the RPCs, one a file
//! - [`watch`] many watchers, one poll
//! - [`model`] vendor-neutral words; knows nothing of gRPC, HTTP or vendors
//! - [`backend`] the vendors, one folder each, behind one trait
//! - [`upstream`] the one way to call a vendor
//! - [`histogram`] durations, counted by bucket
//! - the crate `restore-point-sandbox`, behind the feature `sandbox`: the vendors, simulated; shares nothing with [`backend`]
//! - [`config`] and [`command`] what the program is told, and what it does then

pub mod backend;
pub mod command;
pub mod config;
mod convert;
pub mod histogram;
pub mod model;
pub mod proto;
pub mod server;
pub mod service;
pub mod status;
pub mod upstream;
pub mod watch;

//! A running simulator as the admin API and the command line see it. Neither knows any vendor by name.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

use crate::clock::Clock;
use crate::fault::{Fields, InvalidField};
use crate::vendor_info::VendorInfo;

/// The number of requests by method and path (no query).
pub type CallCounts = BTreeMap<(String, String), usize>;

/// A running simulator. It stops when it is dropped.
pub trait SimulatedVendor: Debug + Send + Sync {
    /// The vendor that it simulates.
    fn info(&self) -> VendorInfo;

    /// The base URL of its API.
    fn url(&self) -> String;

    /// Its clock, faults and call counts.
    fn traffic(&self) -> &dyn TrafficControl;

    /// How other programs reach it, as the access file has it: addresses, credentials of this run, and the
    /// certificate to trust. Contains secrets.
    fn access(&self) -> Value;

    /// Its own routes in the admin API, below `/NAME`, for events inside the vendor.
    fn admin_routes(self: Arc<Self>) -> axum::Router {
        axum::Router::new()
    }

    /// The lines about these routes in the admin API's help.
    fn admin_help(&self) -> &'static str {
        ""
    }
}

/// Controls the requests to a simulator while it runs.
pub trait TrafficControl: Send + Sync {
    /// The vendor's clock.
    fn clock(&self) -> &Clock;

    /// Adds a fault and returns it with its id, as [`TrafficControl::faults`] lists it.
    ///
    /// # Errors
    /// The first field that is wrong.
    fn add_fault(&self, fields: Fields) -> Result<Value, InvalidField>;

    /// All faults, oldest first, with `id`, `fault`, `hits` and `left`; `left` is null for a fault without
    /// an end.
    fn faults(&self) -> Vec<Value>;

    /// Removes a fault. Returns false if there is none with this id.
    fn remove_fault(&self, id: u64) -> bool;

    /// Removes all faults and returns their number.
    fn clear_faults(&self) -> usize;

    /// The requests so far, whatever their responses.
    fn call_counts(&self) -> CallCounts;

    /// Sets all counts to zero.
    fn reset_call_counts(&self);
}

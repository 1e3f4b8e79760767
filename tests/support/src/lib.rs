//! What several test binaries and the benchmarks share: gateways in front of simulated and hostile vendors, a stub of
//! the service, and a strict reader of the metrics page.
//!
//! No assertion about the gateway's behaviour lives here; a helper that fails says what it could not set up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_debug_implementations)]

pub mod fixture;
pub mod hostile_gateway;
pub mod hostile_vendor;
pub mod openmetrics;
pub mod sources;
pub mod stub;

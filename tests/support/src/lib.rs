//! What several test binaries and the benchmarks share: gateways in front of simulated and scripted vendors, a stub of
//! the service, and a strict parser of the metrics page.
//!
//! No test lives here. Helpers panic when a test cannot be set up or an expectation is not met.

#![warn(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_debug_implementations)]

pub mod failure;
pub mod fixture;
pub mod gated_backend;
pub mod http2_client;
pub mod names;
pub mod openmetrics;
pub mod scripted_backend;
pub mod scripted_vendor;
pub mod sources;
pub mod stub;
pub mod wait;
pub mod watch;

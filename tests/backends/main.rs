//! The backends against the simulated vendors, over real sockets and without gRPC.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod azure;
mod veeam_em;

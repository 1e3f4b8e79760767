//! The gateway on the wire: a gRPC client, real sockets, and both vendors simulated behind HTTPS. `server/` tests the
//! server without vendors; `robustness/` invalid responses and requests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod circuit_breaker;
mod copy;
mod create_collection;
mod documented_examples;
mod errors;
mod fault_matrix;
mod faults;
mod get;
mod instant_access;
mod list;
mod merged_lists;
mod names;
mod recorded;
mod robustness;
mod server;
mod veeam_point_kinds;
mod watch;
mod watch_batching;
mod watch_fanout;
mod watch_faults;

//! The gateway at the wire: a real gRPC client, a real socket, and both vendors simulated behind real
//! HTTPS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod copy;
mod create_collection;
mod errors;
mod faults;
mod get;
mod house;
mod list;
mod outage;
mod seeds;
mod veeam_kinds;
mod watch;
mod watch_faults;
mod watch_shared;
mod watch_together;

//! The gateway on the wire: a real gRPC client, a real socket, and both vendors simulated behind real HTTPS; `server/`
//! without any vendor, `hostile/` with hostile vendors and callers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod copy;
mod create_collection;
mod errors;
mod faults;
mod get;
mod hostile;
mod list;
mod names;
mod outage;
mod recorded;
mod seeds;
mod server;
mod veeam_kinds;
mod watch;
mod watch_faults;
mod watch_shared;
mod watch_together;

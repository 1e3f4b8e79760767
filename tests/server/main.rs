//! The listening side through real sockets: deadlines, panics, limits, the end of a server, health,
//! reflection and figures.
//!
//! Nothing in here measures time: every wait is for an event, and a limit only fails a test that hangs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access_log;
mod calls;
mod end;
mod harness;
mod health;
mod metrics;
mod page;
mod reflection;
mod sockets;
mod stub;

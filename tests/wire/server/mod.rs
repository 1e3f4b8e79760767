//! The listening side through real sockets: deadlines, panics, limits, the end of a server, health,
//! reflection and figures.
//!
//! Nothing in here measures time: every wait is for an event, and a limit only fails a test that hangs.

mod access_log;
mod calls;
mod end;
mod fixture;
mod health;
mod metrics;
mod reflection;
mod scripted;
mod sockets;

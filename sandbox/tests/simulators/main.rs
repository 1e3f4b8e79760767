//! What the simulated vendors say on the wire, by plain HTTP clients that know nothing of the gateway, and what the
//! faults do to it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod azure;
mod faults;
mod veeam_em;

//! The simulated vendors on the wire, tested with plain HTTP clients, and the faults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod azure;
mod faults;
mod veeam_em;

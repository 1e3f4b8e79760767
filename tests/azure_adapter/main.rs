//! The Azure adapter against the simulated resource manager, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod bench;
mod collections;
mod copies;
mod credentials;
mod disks;
mod errors;
mod identities;
mod lists;
mod renewal;

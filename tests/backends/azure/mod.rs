//! The Azure adapter against the simulated resource manager, over real sockets.

mod answers;
mod collections;
mod copies;
mod credentials;
mod disks;
mod errors;
mod fixture;
mod identities;
mod lists;
mod renewal;

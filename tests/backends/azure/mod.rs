//! The Azure adapter against the simulated Resource Manager, over real sockets.

mod collections;
mod copies;
mod copy_encryption;
mod credentials;
mod disks;
mod errors;
mod fixture;
mod lists;
mod managed_identity;
mod proxy;
mod responses;
mod token_renewal;
mod usable_for;

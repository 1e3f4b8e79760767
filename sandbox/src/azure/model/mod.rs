//! What exists in the simulated subscription, and the states that follow from the time.
//!
//! Nothing here reads a request or decides whether one is allowed.

pub(crate) mod bucket;
pub(crate) mod collection;
pub(crate) mod consistency;
pub(crate) mod encryption;
pub(crate) mod instant_access;
pub(crate) mod machine;
pub(crate) mod operation;
pub(crate) mod point;
pub(crate) mod point_builder;
pub(crate) mod point_writes;
pub(crate) mod quota;
pub(crate) mod replication;
pub(crate) mod seed;
pub(crate) mod seed_builder;
pub(crate) mod subscription;

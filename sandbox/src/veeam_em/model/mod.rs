//! What the simulated server has and knows, who may log on, and the states that follow from the time.
//!
//! Nothing here reads a request.

pub(crate) mod backups;
pub(crate) mod builder;
pub(crate) mod infrastructure;
pub(crate) mod inventories;
pub(crate) mod inventory;
pub(crate) mod job_sessions;
pub(crate) mod kind;
pub(crate) mod logon_sessions;
pub(crate) mod mounts;
pub(crate) mod principal;
pub(crate) mod schemas;
pub(crate) mod seed;
pub(crate) mod tasks;
pub(crate) mod visible_inventory;

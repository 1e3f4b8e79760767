//! What a request may do, and its reply.

pub(crate) mod actions;
pub(crate) mod entity_documents;
pub(crate) mod filter;
pub(crate) mod logon;
pub(crate) mod logon_sessions;
pub(crate) mod mounts;
pub(crate) mod query;
pub(crate) mod resources;
pub(crate) mod service_documents;
pub(crate) mod services;
pub(crate) mod tasks;

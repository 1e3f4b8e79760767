//! Where tokens come from: the token endpoint, client assertions, and the identity endpoints inside Azure.

pub(crate) mod client_assertion;
pub(crate) mod identity_endpoint;
pub(crate) mod service;

//! The bodies, member for member in the order the service sends them, and how they are printed.
//!
//! These are shapes only. The handlers fill them.

pub(crate) mod access;
pub(crate) mod collection;
pub(crate) mod error;
pub(crate) mod format;
pub(crate) mod id;
pub(crate) mod operation;
pub(crate) mod page;
pub(crate) mod point;
pub(crate) mod source_metadata;

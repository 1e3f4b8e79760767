//! Replies on the wire: documents in XML or JSON, links, statuses and headers.

pub(crate) mod document;
pub(crate) mod json;
pub(crate) mod links;
pub(crate) mod reply;

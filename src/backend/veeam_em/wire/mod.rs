//! What Enterprise Manager says, as types: its documents and what they must look like.
//!
//! XML only. The JSON of this API changed its shape between releases under one version number; the XML
//! did not. Nothing here decides what a document means to the gateway.

mod document;
mod entity;
mod scan;
#[cfg(test)]
mod tests;

pub(super) use document::{
    Fault, LogonSession, OneEntity, Paging, QueryPage, References, Resource, Root,
};
pub(super) use entity::{Entity, Keep, Link, To, guid};
pub(super) use scan::{Problem, Scanner, Sink};

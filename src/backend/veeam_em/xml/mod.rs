//! Reads the XML documents of Enterprise Manager's REST API, one file for each kind of document, while they arrive.
//!
//! The gateway accepts only XML: the JSON of this API changed its spelling between product versions 12 and 13 under the
//! same API version, and the XML did not. Nothing here decides what a document means to the gateway.

mod entity;
mod entity_reader;
mod entity_references;
mod error_element;
mod logon_session;
mod problem;
mod query_result;
mod root_element;
mod scanner;
mod single_entity;
#[cfg(test)]
mod tests;
mod token;
mod value;

pub(super) use entity::{Entity, Link};
pub(super) use entity_reader::Keep;
pub(super) use entity_references::EntityReferences;
pub(super) use error_element::ErrorElement;
pub(super) use logon_session::LogonSession;
pub(super) use problem::Problem;
pub(super) use query_result::{Paging, QueryResult};
pub(super) use root_element::RootElement;
pub(super) use scanner::Scanner;
pub(super) use single_entity::SingleEntity;
pub(super) use token::Sink;
pub(super) use value::parse_guid;

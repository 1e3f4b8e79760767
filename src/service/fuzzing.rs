//! Entrances for the fuzz targets. Compiled by cargo-fuzz only.

use prost::Message;

use super::page::{self, Position};
use crate::model::{Error, Sealer};

/// Opens a page token of a list of nothing.
///
/// # Errors
/// INVALID_ARGUMENT.
pub fn page_token(sealer: &Sealer, token: &str) -> Result<(), Error> {
    page::open(sealer, &page::binding("List", &[]), token).map(drop)
}

/// What reading the content of a page token and writing it again makes of it.
pub fn page_content(content: &[u8]) -> Option<Vec<u8>> {
    Some(Position::decode(content).ok()?.encode_to_vec())
}

//! Entry points for the fuzz targets; compiled for fuzzing only.

use prost::Message;

use super::page_token::{self, Position};
use super::resume_token::ResumeState;
use crate::model::{Error, Sealer};

/// Opens a page token of a list without fields.
///
/// # Errors
/// INVALID_ARGUMENT.
pub fn page_token(sealer: &Sealer, token: &str) -> Result<(), Error> {
    page_token::open(sealer, &page_token::binding("List", &[]), token).map(drop)
}

/// The content of a page token, decoded and encoded again.
pub fn page_content(content: &[u8]) -> Option<Vec<u8>> {
    Some(Position::decode(content).ok()?.encode_to_vec())
}

/// The content of a resume token, decoded and encoded again.
pub fn resume_content(content: &[u8]) -> Option<Vec<u8>> {
    Some(ResumeState::decode(content).ok()?.encode_to_vec())
}

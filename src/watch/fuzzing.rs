//! Entrances for the fuzz targets. Compiled by cargo-fuzz only.

use prost::Message;

use super::token::Resume;

/// What reading the content of a resume token and writing it again makes of it.
pub fn resume_content(content: &[u8]) -> Option<Vec<u8>> {
    Some(Resume::decode(content).ok()?.encode_to_vec())
}

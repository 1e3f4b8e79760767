//! The fields that all writing requests have.

use uuid::Uuid;

use crate::backend::Write;
use crate::model::{Error, Invalid};

/// What `validate_only` asks for.
pub(super) fn write(validate_only: bool) -> Write {
    if validate_only { Write::Check } else { Write::Commit }
}

/// The request field `request_id`.
///
/// # Errors
/// INVALID_ARGUMENT for what is no UUID.
pub(super) fn request_id(text: &str) -> Result<Option<Uuid>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    Uuid::try_parse(text)
        .map(Some)
        .map_err(|_| Error::invalid(Invalid::Value, "request_id", "it is no UUID; leave it out"))
}

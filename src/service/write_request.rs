//! The fields that every writing request has: `validate_only` (AIP-163) and `request_id` (AIP-155).

use uuid::Uuid;

use crate::backend::WriteMode;
use crate::model::{Error, InvalidKind};

/// The request field `validate_only`.
pub(super) fn mode(validate_only: bool) -> WriteMode {
    if validate_only { WriteMode::ValidateOnly } else { WriteMode::Execute }
}

/// The request field `request_id`.
///
/// # Errors
/// INVALID_ARGUMENT for anything but a UUID.
pub(super) fn request_id(text: &str) -> Result<Option<Uuid>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    Uuid::try_parse(text).map(Some).map_err(|_| {
        let problem = "expected a UUID such as 6b2b42d5-3850-421c-93c1-e063f12a2ead, or no value";
        Error::invalid(InvalidKind::Value, "request_id", problem)
    })
}

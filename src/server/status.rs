//! The statuses that the server itself makes, whichever RPC was called.
//!
//! Errors of the RPCs become statuses in `crate::status`.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::status::DOMAIN;

/// A status with its ErrorInfo.
pub(super) fn status(code: Code, reason: &str, message: impl Into<String>) -> Status {
    let info = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, info)
}

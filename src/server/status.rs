//! The statuses that the server itself gives, whichever RPC was called.
//!
//! What goes wrong inside an RPC is no business of this file.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::status::DOMAIN;

/// A status with its ErrorInfo.
pub(super) fn status(code: Code, reason: &str, message: impl Into<String>) -> Status {
    let info = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, info)
}

//! The statuses that the server itself gives, whichever RPC was called.
//!
//! What goes wrong inside an RPC is no business of this file.

use std::collections::HashMap;

use http::{HeaderMap, HeaderValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::status::DOMAIN;

/// A status with its ErrorInfo.
pub(super) fn status(code: Code, reason: &str, message: impl Into<String>) -> Status {
    let info = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, info)
}

/// The trailers that end a body with `status`.
pub(super) fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if let Err(unsendable) = status.add_header(&mut trailers) {
        // The code alone is always sendable, and it is what callers act on.
        tracing::error!(%unsendable, "a status does not fit into trailers");
        trailers.insert(Status::GRPC_STATUS, HeaderValue::from(status.code() as i32));
    }
    trailers
}

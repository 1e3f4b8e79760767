//! A request message above the size limit ends with RESOURCE_EXHAUSTED, as in the other gRPC implementations.
//!
//! tonic returns OUT_OF_RANGE, and only the text of its status tells the reason, so the text is matched; a test
//! fails when a new tonic words it differently. The limit itself is set on each service.

use http::Response;
use tonic::body::Body;
use tonic::{Code, Status};

use super::status::status;

const TONIC_MESSAGE: &str = "Error, decoded message length too large: ";

/// Replaces tonic's OUT_OF_RANGE for a request that is too large; other responses pass.
///
/// Only a response without a body can be one: the request is read before the handler responds.
pub(super) fn map_too_large(response: Response<Body>) -> Response<Body> {
    if response.headers().get(Status::GRPC_STATUS).is_none_or(|code| code != "11") {
        return response;
    }
    let original = Status::from_header_map(response.headers());
    let sizes = original.as_ref().and_then(|status| status.message().strip_prefix(TONIC_MESSAGE));
    match sizes {
        None => response,
        Some(sizes) => status(
            Code::ResourceExhausted,
            "REQUEST_TOO_LARGE",
            format!("the request message is too large: {sizes}"),
        )
        .into_http(),
    }
}

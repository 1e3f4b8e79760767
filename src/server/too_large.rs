//! A request message above the limit ends RESOURCE_EXHAUSTED, as in every other implementation of gRPC.
//!
//! tonic says OUT_OF_RANGE and gives no other sign of it than its text, so the text is what is looked
//! for; a test fails when a new tonic words it differently. The limit itself is set on each service.

use http::Response;
use tonic::body::Body;
use tonic::{Code, Status};

use super::status::status;

const TONIC_SAYS: &str = "Error, decoded message length too large: ";

/// Gives tonic's refusal of a large request its usual name.
///
/// Only a response without a body can be one: the request is read before the handler answers.
pub(super) fn renamed(response: Response<Body>) -> Response<Body> {
    if response.headers().get(Status::GRPC_STATUS).is_none_or(|code| code != "11") {
        return response;
    }
    let refusal = Status::from_header_map(response.headers());
    let sizes = refusal.as_ref().and_then(|refusal| refusal.message().strip_prefix(TONIC_SAYS));
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

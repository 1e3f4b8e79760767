//! Which requests are gRPC calls: POST with the content type of gRPC ("gRPC over HTTP/2", Requests). All others get an
//! HTTP error, which a client that does not speak gRPC understands, where a gRPC status would be a 200.
//!
//! The one place to extend for another protocol on the same port, such as gRPC-Web.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use tonic::body::Body;

const GRPC: &[u8] = b"application/grpc";

/// The response to a request that is no gRPC call.
pub(super) fn refuse<B>(request: &Request<B>) -> Option<Response<Body>> {
    if request.method() != Method::POST {
        let mut response = refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "a gRPC call is a POST request; GET and other methods are not served here\n",
        );
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Some(response);
    }
    let content_type = request.headers().get(CONTENT_TYPE);
    if !content_type.is_some_and(|value| is_grpc(value.as_bytes())) {
        return Some(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a gRPC call has the content-type application/grpc or application/grpc+proto\n",
        ));
    }
    None
}

/// `application/grpc`, alone or before `+proto` and the like or parameters, in any case (RFC 9110 §8.3.1), as grpc-go
/// accepts it. `application/grpc-web` is another protocol.
fn is_grpc(content_type: &[u8]) -> bool {
    let Some((start, rest)) = content_type.split_at_checked(GRPC.len()) else { return false };
    start.eq_ignore_ascii_case(GRPC)
        && matches!(rest.trim_ascii_start().first(), None | Some(b'+' | b';'))
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(axum::body::Body::from(text)));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

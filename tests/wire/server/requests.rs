//! What is a call at all: a POST request with the content type of gRPC.

use http::{Request as HttpRequest, Response as HttpResponse};
use hyper::body::Incoming;
use prost::Message;
use restore_point_gateway::proto::GetRequest;
use tonic::body::Body;
use tower::ServiceExt;

use restore_point_test_support::wait::in_time;

use super::fixture::TestServer;

const GET: &str = "http://gateway/restorepoint.v1.RestorePointService/Get";

/// A body that ends after these bytes.
fn body(bytes: Vec<u8>) -> Body {
    Body::new(axum::body::Body::from(bytes))
}

/// A message with its prefix, as gRPC over HTTP/2 defines it.
fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat()
}

fn get_message() -> Vec<u8> {
    framed(0, &GetRequest { name: "well".to_owned(), ..Default::default() }.encode_to_vec())
}

async fn send(server: &TestServer, request: HttpRequest<Body>) -> HttpResponse<Incoming> {
    in_time(server.http2_client().await.oneshot(request)).await.unwrap()
}

#[tokio::test]
async fn only_post_is_a_call() {
    let server = TestServer::start().await;
    for method in ["GET", "PUT", "OPTIONS", "DELETE"] {
        let request = HttpRequest::builder().method(method).uri(GET);
        let request = request.header("content-type", "application/grpc");
        let response = send(&server, request.body(body(get_message())).unwrap()).await;
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.headers()["allow"], "POST", "{method}");
        assert!(!response.headers().contains_key("grpc-status"), "{method}");
    }
}

#[tokio::test]
async fn only_the_content_types_of_grpc_are_calls() {
    let server = TestServer::start().await;
    let others = [
        None,
        Some(""),
        Some("application/json"),
        Some("application/grpc-web"),
        Some("application/grpc-web+proto"),
        Some("application/grpcx"),
        Some("text/plain; application/grpc"),
    ];
    for content_type in others {
        let mut request = HttpRequest::post(GET);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let response = send(&server, request.body(body(get_message())).unwrap()).await;
        assert_eq!(response.status(), 415, "{content_type:?}");
        assert!(!response.headers().contains_key("grpc-status"), "{content_type:?}");
    }
    let grpc = [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;charset=utf-8",
        "application/grpc ; charset=utf-8",
        "Application/GRPC",
    ];
    for content_type in grpc {
        let request = HttpRequest::post(GET).header("content-type", content_type);
        let response = send(&server, request.body(body(get_message())).unwrap()).await;
        assert_eq!(response.status(), 200, "{content_type}");
        assert_eq!(response.headers()["content-type"], "application/grpc", "{content_type}");
    }
}

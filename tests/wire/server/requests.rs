//! What is a call at all, and how one ends whose request tonic cannot read: each status has an ErrorInfo.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, Request as HttpRequest, Response as HttpResponse};
use hyper::body::Incoming;
use prost::Message;
use restore_point_gateway::proto::GetRequest;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::wait::in_time;

use super::fixture::TestServer;

const GET: &str = "http://gateway/restorepoint.v1.RestorePointService/Get";

/// A body that ends after these bytes.
fn body(bytes: Vec<u8>) -> Body {
    Body::new(axum::body::Body::from(bytes))
}

/// A message with its prefix, as gRPC over HTTP/2 defines it.
pub(super) fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn get_message() -> Vec<u8> {
    framed(0, &GetRequest { name: "well".to_owned(), ..Default::default() }.encode_to_vec())
}

async fn send(server: &TestServer, request: HttpRequest<Body>) -> HttpResponse<Incoming> {
    in_time(server.http2_client().await.oneshot(request)).await.unwrap()
}

fn status_of(headers: &HeaderMap) -> Status {
    Status::from_header_map(headers).expect("a status in the response head")
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

#[tokio::test]
async fn a_request_that_cannot_be_read_has_a_reason() {
    let server = TestServer::start().await;
    let bomb = gzip(&vec![0; 5 << 20]);
    let cases = [
        ("not Protobuf", None, framed(0, &[0xff; 3]), Code::Internal, "REQUEST_MALFORMED"),
        ("an unknown flag", None, framed(7, &[]), Code::Internal, "REQUEST_MALFORMED"),
        ("no encoding", None, framed(1, &gzip(&[])), Code::Internal, "REQUEST_MALFORMED"),
        ("not gzip", Some("gzip"), framed(1, &[1, 2, 3]), Code::Internal, "REQUEST_MALFORMED"),
        ("truncated", None, framed(0, &[0; 9])[..8].to_vec(), Code::Internal, "REQUEST_MALFORMED"),
        (
            "a message that inflates",
            Some("gzip"),
            framed(1, &bomb),
            Code::ResourceExhausted,
            "REQUEST_TOO_LARGE",
        ),
        (
            "another compression",
            Some("br"),
            get_message(),
            Code::Unimplemented,
            "COMPRESSION_NOT_SUPPORTED",
        ),
        ("no message", None, Vec::new(), Code::Unimplemented, "REQUEST_MESSAGE_MISSING"),
        ("a flag and no more", None, vec![0], Code::Internal, "REQUEST_MALFORMED"),
    ];
    for (case, encoding, bytes, code, reason) in cases {
        let mut request = HttpRequest::post(GET).header("content-type", "application/grpc");
        if let Some(encoding) = encoding {
            request = request.header("grpc-encoding", encoding);
        }
        let response = send(&server, request.body(body(bytes)).unwrap()).await;
        let status = status_of(response.headers());
        assert_eq!(status.code(), code, "{case}: {status:?}");
        assert_status(&status, code, reason);
        assert!(!status.message().is_empty(), "{case}");
        if reason == "COMPRESSION_NOT_SUPPORTED" {
            assert!(status.message().contains("`br`"), "{status:?}");
            // The compression document of gRPC asks for what would have been accepted.
            assert_eq!(response.headers()["grpc-accept-encoding"], "gzip,identity");
        }
    }
}

#[tokio::test]
async fn an_unknown_method_or_service_is_unimplemented() {
    let server = TestServer::start().await;
    for path in ["/a.B/C", "/restorepoint.v1.RestorePointService/Delete", "/", "/favicon.ico"] {
        let request = HttpRequest::post(format!("http://gateway{path}"));
        let request = request.header("content-type", "application/grpc");
        let response = send(&server, request.body(body(get_message())).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "application/grpc", "{path}");
        let status = status_of(response.headers());
        assert_status(&status, Code::Unimplemented, "METHOD_NOT_FOUND");
        assert!(status.message().contains(&format!("`{path}`")), "{status:?}");
    }
}

#[tokio::test]
async fn a_status_quotes_only_the_beginning_of_what_the_client_sent() {
    let server = TestServer::start().await;
    let long = "x".repeat(4000);
    for (path, encoding) in
        [(format!("/{long}"), "gzip"), (GET["http://gateway".len()..].to_owned(), long.as_str())]
    {
        let request = HttpRequest::post(format!("http://gateway{path}"))
            .header("content-type", "application/grpc")
            .header("grpc-encoding", encoding);
        let response = send(&server, request.body(body(get_message())).unwrap()).await;
        let status = status_of(response.headers());
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().len() < 500, "{status:?}");
    }
}

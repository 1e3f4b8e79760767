//! How a single call ends: at its deadline, by a panic, above a limit.

use std::time::Duration;

use http::Request as HttpRequest;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;

use super::fixture::{HOUR, Server, assert_refused, get, soon, watch};

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let server = Server::start().await;
    let mut request = get("wait");
    request.set_timeout(Duration::from_millis(50));
    let refused = soon(server.client().await.get(request)).await.unwrap_err();
    assert_refused(&refused, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    soon(server.dropped.cancelled()).await;
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let server = Server::start().await;
    let mut client = server.client().await;
    // Once with a stream that is silent, once with one that never pauses.
    for name in ["wait", "busy"] {
        let mut request = watch(name);
        request.set_timeout(Duration::from_secs(1));
        let mut events = soon(client.watch_status(request)).await.unwrap().into_inner();
        let refused = soon(async {
            loop {
                if let Err(refused) = events.message().await.map(Option::unwrap) {
                    break refused;
                }
            }
        });
        assert_refused(&refused.await, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    }
    soon(server.dropped.cancelled()).await;
}

#[tokio::test]
async fn the_handler_knows_the_deadline() {
    let server = Server::start().await;
    let mut client = server.client().await;
    assert_eq!(soon(client.get(get("deadline"))).await.unwrap().get_ref().name, "false");
    let mut request = get("deadline");
    request.set_timeout(HOUR);
    assert_eq!(soon(client.get(request)).await.unwrap().get_ref().name, "true");
}

#[tokio::test]
async fn a_malformed_deadline_is_refused() {
    let server = Server::start().await;
    let mut request = get("any");
    request.metadata_mut().insert("grpc-timeout", "5 minutes".parse().unwrap());
    let refused = soon(server.client().await.get(request)).await.unwrap_err();
    assert_refused(&refused, Code::InvalidArgument, "INVALID_TIMEOUT");
}

#[tokio::test]
async fn a_panic_costs_one_call() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let refused = soon(client.get(get("panic"))).await.unwrap_err();
    assert_refused(&refused, Code::Internal, "INTERNAL");
    assert!(!refused.message().contains("secret"));

    let mut events = soon(client.watch_status(watch("panic"))).await.unwrap().into_inner();
    soon(events.message()).await.unwrap().expect("the event before the panic");
    let refused = soon(events.message()).await.unwrap_err();
    assert_refused(&refused, Code::Internal, "INTERNAL");

    assert_eq!(soon(client.get(get("well"))).await.unwrap().get_ref().name, "well");
}

#[tokio::test]
async fn a_large_request_exhausts_a_resource() {
    let server = Server::start().await;
    let large = "x".repeat(5 << 20);
    let refused = soon(server.client().await.get(get(&large))).await.unwrap_err();
    assert_refused(&refused, Code::ResourceExhausted, "REQUEST_TOO_LARGE");
    assert!(refused.message().contains("limit is: 4194304 bytes"), "{refused:?}");
}

#[tokio::test]
async fn a_method_that_is_not_there_is_unimplemented() {
    let server = Server::start().await;
    let request = HttpRequest::post("http://gateway/a.B/C").body(Body::empty()).unwrap();
    let response = soon(server.wire().await.oneshot(request)).await.unwrap();
    assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), Code::Unimplemented);
}

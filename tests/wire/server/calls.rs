//! How a single call ends: at its deadline, after a panic, above a limit.

use std::time::Duration;

use tonic::Code;

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::wait::in_time;

use super::fixture::{HOUR, TestServer, get, watch};

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let server = TestServer::start().await;
    let mut request = get("wait");
    request.set_timeout(Duration::from_millis(50));
    let status = in_time(server.client().await.get(request)).await.unwrap_err();
    assert_status(&status, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    in_time(server.dropped.cancelled()).await;
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    // A stream without messages, and one that always has a message ready.
    for name in ["wait", "busy"] {
        let mut request = watch(name);
        request.set_timeout(Duration::from_secs(1));
        let mut events = in_time(client.watch_status(request)).await.unwrap().into_inner();
        let status = in_time(async {
            loop {
                if let Err(status) = events.message().await.map(Option::unwrap) {
                    break status;
                }
            }
        });
        assert_status(&status.await, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    }
    in_time(server.dropped.cancelled()).await;
}

#[tokio::test]
async fn the_handler_gets_the_deadline() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    assert_eq!(in_time(client.get(get("deadline"))).await.unwrap().get_ref().name, "false");
    let mut request = get("deadline");
    request.set_timeout(HOUR);
    assert_eq!(in_time(client.get(request)).await.unwrap().get_ref().name, "true");
}

#[tokio::test]
async fn a_malformed_deadline_is_rejected() {
    let server = TestServer::start().await;
    let mut request = get("any");
    request.metadata_mut().insert("grpc-timeout", "5 minutes".parse().unwrap());
    let status = in_time(server.client().await.get(request)).await.unwrap_err();
    assert_status(&status, Code::InvalidArgument, "INVALID_TIMEOUT");
}

#[tokio::test]
async fn a_panic_ends_only_its_own_call() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let status = in_time(client.get(get("panic"))).await.unwrap_err();
    assert_status(&status, Code::Internal, "INTERNAL");
    assert!(!status.message().contains("secret"));

    let mut events = in_time(client.watch_status(watch("panic"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the event before the panic");
    let status = in_time(events.message()).await.unwrap_err();
    assert_status(&status, Code::Internal, "INTERNAL");

    assert_eq!(in_time(client.get(get("well"))).await.unwrap().get_ref().name, "well");
}

#[tokio::test]
async fn a_request_above_the_size_limit_is_resource_exhausted() {
    let server = TestServer::start().await;
    let large = "x".repeat(5 << 20);
    let status = in_time(server.client().await.get(get(&large))).await.unwrap_err();
    assert_status(&status, Code::ResourceExhausted, "REQUEST_TOO_LARGE");
    assert!(status.message().contains("limit is: 4194304 bytes"), "{status:?}");
}

//! Shutdown: orderly if the clients allow it, in bounded time whatever they do.

use std::time::Duration;

use restore_point_gateway::server::{Drain, ServerExit};
use tokio::net::TcpStream;
use tonic::{Code, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_check_response::ServingStatus as ProtoStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::wait::in_time;

use super::fixture::{HOUR, TestServer, check, get, origin, watch};

/// A grace period that a test waits for, and time enough to respond on any machine.
fn short_grace() -> Drain {
    Drain { lame_duck: Duration::ZERO, grace: Duration::from_millis(50), responding: HOUR }
}

/// The status of a call that the end of the grace period has cut: a client retries it, at another replica.
#[track_caller]
fn assert_draining(status: &Status) {
    assert_status(status, Code::Unavailable, "DRAINING");
    assert!(status.get_details_retry_info().is_some(), "{status:?}");
}

#[tokio::test]
async fn a_stream_that_ends_itself_is_drained() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let mut events = in_time(client.watch_status(watch("draining"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    let address = server.address;
    assert_eq!(server.stop().await, ServerExit::Drained);
    assert_eq!(in_time(events.message()).await.unwrap_err().message(), "draining");
    in_time(TcpStream::connect(address)).await.expect_err("the listener is closed");
}

#[tokio::test]
async fn a_stream_that_stays_open_ends_with_a_status_after_the_grace_period() {
    let server = TestServer::with_drain(short_grace()).await;
    let mut client = server.client().await;
    let mut events = in_time(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    let dropped = server.dropped.clone();
    assert_eq!(server.stop().await, ServerExit::Aborted);
    assert!(dropped.is_cancelled(), "the handler is dropped before the server returns");
    assert_draining(&in_time(events.message()).await.unwrap_err());
}

#[tokio::test]
async fn a_call_in_flight_ends_with_a_status_after_the_grace_period() {
    let server = TestServer::with_drain(short_grace()).await;
    let mut client = server.client().await;
    let mut other = client.clone();
    let waiting = tokio::spawn(async move { other.get(get("wait")).await });
    in_time(client.get(get("peer"))).await.unwrap();
    assert_eq!(server.stop().await, ServerExit::Aborted);
    assert_draining(&in_time(waiting).await.unwrap().unwrap_err());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_aborted() {
    let responding = Duration::from_millis(50);
    let server = TestServer::with_drain(Drain { responding, ..short_grace() }).await;
    let mut client = server.client().await;
    // The flow control window of the stream is full before long: there is no room for trailers.
    let mut events = in_time(client.watch_status(watch("busy"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    assert_eq!(server.stop().await, ServerExit::Aborted);
}

#[tokio::test]
async fn a_client_that_sends_nothing_does_not_delay_shutdown() {
    let server = TestServer::start().await;
    let silent = TcpStream::connect(server.address).await.unwrap();
    // Connections are accepted in order: once this one is served, the silent one has been accepted.
    in_time(server.client().await.get(get("any"))).await.unwrap();
    assert_eq!(server.stop().await, ServerExit::Drained);
    drop(silent);
}

#[tokio::test]
async fn the_lame_duck_period_reports_not_serving_and_can_be_aborted() {
    let server =
        TestServer::with_drain(Drain { lame_duck: HOUR, grace: HOUR, responding: HOUR }).await;
    let mut health = HealthClient::with_origin(server.http2_client().await, origin());
    let mut watch = in_time(health.watch(check(""))).await.unwrap().into_inner();
    assert_eq!(in_time(watch.message()).await.unwrap().unwrap().status(), ProtoStatus::Serving);

    server.shutdown.requested.cancel();
    assert_eq!(in_time(watch.message()).await.unwrap().unwrap().status(), ProtoStatus::NotServing);
    // A backend that recovers changes nothing now, and a new connection is still served.
    server.health.set("backends/azure", ServingStatus::Serving);
    let mut health = HealthClient::with_origin(server.http2_client().await, origin());
    let azure = in_time(health.check(check("backends/azure"))).await.unwrap();
    assert_eq!(azure.get_ref().status(), ProtoStatus::NotServing);

    server.shutdown.grace_over.cancel();
    in_time(server.serving).await.unwrap();
}

#[tokio::test]
async fn dropping_the_server_aborts_everything() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let mut events = in_time(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    server.serving.abort();
    in_time(server.dropped.cancelled()).await;
}

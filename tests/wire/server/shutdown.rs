//! Shutdown: orderly if the clients allow it, in bounded time whatever they do.

use std::time::Duration;

use restore_point_gateway::server::{Drain, ServerExit};
use tokio::net::TcpStream;
use tonic_health::ServingStatus;
use tonic_health::pb::health_check_response::ServingStatus as ProtoStatus;
use tonic_health::pb::health_client::HealthClient;

use restore_point_test_support::wait::in_time;

use super::fixture::{HOUR, TestServer, check, get, origin, watch};

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
async fn a_stream_that_stays_open_is_aborted_after_the_grace_period() {
    let grace = Duration::from_millis(50);
    let server = TestServer::with_drain(Drain { lame_duck: Duration::ZERO, grace }).await;
    let mut client = server.client().await;
    let mut events = in_time(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    let dropped = server.dropped.clone();
    assert_eq!(server.stop().await, ServerExit::Aborted);
    assert!(dropped.is_cancelled(), "the handler is dropped before the server returns");
}

#[tokio::test]
async fn a_call_in_flight_is_aborted_after_the_grace_period() {
    let grace = Duration::from_millis(50);
    let server = TestServer::with_drain(Drain { lame_duck: Duration::ZERO, grace }).await;
    let mut client = server.client().await;
    let mut other = client.clone();
    let waiting = tokio::spawn(async move { other.get(get("wait")).await });
    in_time(client.get(get("peer"))).await.unwrap();
    assert_eq!(server.stop().await, ServerExit::Aborted);
    in_time(waiting).await.unwrap().unwrap_err();
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
    let server = TestServer::with_drain(Drain { lame_duck: HOUR, grace: HOUR }).await;
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

    server.shutdown.abort.cancel();
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

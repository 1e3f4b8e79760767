//! How a server ends: in order when it can, in bounded time whatever its clients do.

use std::time::Duration;

use restore_point_gateway::server::{Drain, End};
use tokio::net::TcpStream;
use tonic_health::ServingStatus;
use tonic_health::pb::health_check_response::ServingStatus as Told;
use tonic_health::pb::health_client::HealthClient;

use super::fixture::{HOUR, Server, check, get, origin, soon, watch};

#[tokio::test]
async fn a_stream_that_says_goodbye_ends_in_order() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut events = soon(client.watch_status(watch("polite"))).await.unwrap().into_inner();
    soon(events.message()).await.unwrap().expect("the first event");
    let address = server.address;
    assert_eq!(server.stop().await, End::Drained);
    assert_eq!(soon(events.message()).await.unwrap_err().message(), "goodbye");
    soon(TcpStream::connect(address)).await.expect_err("the listener is closed");
}

#[tokio::test]
async fn a_stream_that_stays_is_cut_after_the_grace() {
    let grace = Duration::from_millis(50);
    let server = Server::draining(Drain { notice: Duration::ZERO, grace }).await;
    let mut client = server.client().await;
    let mut events = soon(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    soon(events.message()).await.unwrap().expect("the first event");
    let dropped = server.dropped.clone();
    assert_eq!(server.stop().await, End::Cut);
    assert!(dropped.is_cancelled(), "the handler is gone before the server says that it ended");
}

#[tokio::test]
async fn a_call_that_waits_is_cut_after_the_grace() {
    let grace = Duration::from_millis(50);
    let server = Server::draining(Drain { notice: Duration::ZERO, grace }).await;
    let mut client = server.client().await;
    let mut other = client.clone();
    let waiting = tokio::spawn(async move { other.get(get("wait")).await });
    soon(client.get(get("peer"))).await.unwrap();
    assert_eq!(server.stop().await, End::Cut);
    soon(waiting).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_client_that_says_nothing_holds_up_nobody() {
    let server = Server::start().await;
    let silent = TcpStream::connect(server.address).await.unwrap();
    // Connections are accepted in order: once this one is served, the silent one is inside.
    soon(server.client().await.get(get("any"))).await.unwrap();
    assert_eq!(server.stop().await, End::Drained);
    drop(silent);
}

#[tokio::test]
async fn notice_is_given_and_can_be_cut_short() {
    let server = Server::draining(Drain { notice: HOUR, grace: HOUR }).await;
    let mut health = HealthClient::with_origin(server.wire().await, origin());
    let mut watch = soon(health.watch(check(""))).await.unwrap().into_inner();
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), Told::Serving);

    server.stages.stop.cancel();
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), Told::NotServing);
    // A backend's recovery changes nothing any more, and a new connection is still served.
    server.health.set("backends/azure", ServingStatus::Serving);
    let mut health = HealthClient::with_origin(server.wire().await, origin());
    let azure = soon(health.check(check("backends/azure"))).await.unwrap();
    assert_eq!(azure.get_ref().status(), Told::NotServing);

    server.stages.cut.cancel();
    soon(server.running).await.unwrap();
}

#[tokio::test]
async fn dropping_the_server_cuts_everything() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut events = soon(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    soon(events.message()).await.unwrap().expect("the first event");
    server.running.abort();
    soon(server.dropped.cancelled()).await;
}

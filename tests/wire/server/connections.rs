//! The limits of connections and of the time that a request takes to arrive.

use std::time::Duration;

use futures::stream;
use http::Request as HttpRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use restore_point_gateway::server::Limits;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::wait::in_time;

use super::fixture::{Http2Client, TestServer, client, get, origin, watch};
use super::metrics::{scrape, serve_metrics};

/// A client, and the end of its connection: Ok after GOAWAY.
async fn connect(server: &TestServer) -> (Http2Client, JoinHandle<Result<(), hyper::Error>>) {
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (sender, connection) =
        in_time(hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)).await.unwrap();
    let client = BoxCloneSyncService::new(tower::service_fn(move |request| {
        let mut sender = sender.clone();
        async move { sender.send_request(request).await }
    }));
    (client, tokio::spawn(connection))
}

fn at_most(max_connections: usize) -> Limits {
    Limits { max_connections, ..Limits::default() }
}

#[tokio::test]
async fn the_connection_that_is_idle_for_longest_makes_room() {
    let server = TestServer::with_limits(at_most(3)).await;
    let (first, _first) = connect(&server).await;
    let mut events = in_time(client(first).watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    let (second, second_end) = connect(&server).await;
    in_time(client(second.clone()).get(get("well"))).await.unwrap();
    let (third, _third) = connect(&server).await;
    in_time(client(third.clone()).get(get("well"))).await.unwrap();

    let (fourth, _fourth) = connect(&server).await;
    in_time(client(fourth).get(get("well"))).await.unwrap();
    in_time(second_end).await.unwrap().expect("GOAWAY before the end");
    in_time(client(third).get(get("well"))).await.expect("the third was used later");
    server.shutdown.abort.cancel();
    in_time(events.message()).await.expect_err("the stream was open until now");
}

#[tokio::test]
async fn a_newcomer_is_refused_while_every_connection_has_calls() {
    let server = TestServer::with_limits(at_most(1)).await;
    let (first, first_end) = connect(&server).await;
    let mut events =
        in_time(client(first.clone()).watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    let mut refused = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(in_time(refused.read(&mut [0])).await.unwrap(), 0, "the connection is closed");

    drop(events);
    in_time(server.dropped.cancelled()).await;
    let (second, _second) = connect(&server).await;
    in_time(client(second.clone()).get(get("well"))).await.unwrap();
    in_time(first_end).await.unwrap().expect("GOAWAY before the end");

    let metrics = scrape(serve_metrics(&server.metrics, &server.connections).await).await;
    for (name, value) in [
        ("restorepoint_connections", 1.0),
        ("restorepoint_connections_limit", 1.0),
        ("restorepoint_connections_accepted_total", 2.0),
        ("restorepoint_connections_refused_total", 1.0),
        ("restorepoint_connections_closed_total{reason=\"evicted\"}", 1.0),
        ("restorepoint_connections_closed_total{reason=\"idle\"}", 0.0),
    ] {
        assert_eq!(metrics.value(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_client_that_sends_nothing_makes_room() {
    let server = TestServer::with_limits(at_most(1)).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let (client_, _end) = connect(&server).await;
    in_time(client(client_).get(get("well"))).await.unwrap();
    assert_eq!(in_time(silent.read(&mut [0])).await.unwrap(), 0, "the connection is closed");
}

#[tokio::test]
async fn a_connection_without_calls_is_closed_after_a_time() {
    let max_connection_idle = Duration::from_millis(50);
    let server = TestServer::with_limits(Limits { max_connection_idle, ..Limits::default() }).await;
    let (busy, busy_end) = connect(&server).await;
    let mut events =
        in_time(client(busy.clone()).watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");
    let (_idle, idle_end) = connect(&server).await;
    in_time(idle_end).await.unwrap().expect("GOAWAY before the end");
    in_time(client(busy.clone()).get(get("well")))
        .await
        .expect("a connection with a call stays open");
    drop(events);
    in_time(busy_end).await.unwrap().expect("GOAWAY before the end");
    let metrics = scrape(serve_metrics(&server.metrics, &server.connections).await).await;
    let closed = metrics.value("restorepoint_connections_closed_total{reason=\"idle\"}");
    assert_eq!(closed, Some(2.0));
}

#[tokio::test]
async fn a_request_that_does_not_arrive_ends_its_call() {
    let request_timeout = Duration::from_millis(50);
    let server = TestServer::with_limits(Limits { request_timeout, ..Limits::default() }).await;
    let (connection, _end) = connect(&server).await;
    // A call that takes a stream of requests, whose first comes after all the others have timed out.
    let (requests, receiver) = mpsc::channel(1);
    let mut reflection = ServerReflectionClient::with_origin(connection.clone(), origin());
    let reflecting = tokio::spawn(async move {
        let responses = reflection.server_reflection_info(ReceiverStream::new(receiver)).await;
        responses.unwrap().get_mut().message().await
    });
    for beginning in [&[][..], &[0][..], &[0, 0, 0, 0, 9, 10][..]] {
        let parts = stream::iter([Ok::<_, Status>(beginning)]);
        let endless = futures::StreamExt::chain(parts, stream::pending());
        let request = HttpRequest::post("http://gateway/restorepoint.v1.RestorePointService/Get")
            .header("content-type", "application/grpc")
            .body(Body::new(axum::body::Body::from_stream(endless)))
            .unwrap();
        let response = in_time(connection.clone().oneshot(request)).await.unwrap();
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_status(&status, Code::DeadlineExceeded, "REQUEST_TIMEOUT");
    }
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    requests.send(request).await.unwrap();
    in_time(reflecting).await.unwrap().unwrap().expect("a response");
}

//! Clients that do not read what they have asked for cost a bounded amount of memory.

use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use restore_point_gateway::proto::ListRequest;
use restore_point_test_support::wait::{eventually, in_time};
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fixture::{RunningProgram, Simulators, TempDir, channel, program};

const CONNECTIONS: usize = 10;
/// As many as a connection may have at a time.
const CALLS: usize = 1000;
/// In bytes. The futures of a debug build are larger.
const MAX_MEMORY: usize = if cfg!(debug_assertions) { 384 << 20 } else { 256 << 20 };

/// A connection whose client takes nothing of a response but its head.
async fn connect(dir: &TempDir) -> SendRequest<Body> {
    let socket = UnixStream::connect(dir.path("gateway.sock")).await.unwrap();
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1)
        .handshake(TokioIo::new(socket))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

/// A page of a thousand points.
fn list() -> http::Request<Body> {
    let parent = "backends/veeam/collections/-".to_owned();
    let message = ListRequest { parent, page_size: 1000, ..Default::default() }.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = [&[0], &length[..], &message].concat();
    http::Request::post("http://gateway/restorepoint.v1.RestorePointService/List")
        .header("content-type", "application/grpc")
        .body(Body::new(axum::body::Body::from(body)))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_unread_lists_cost_bounded_memory() {
    let simulators = Simulators::with_points(2000);
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    // Without its log: no test reads it here.
    let mut command = program();
    command.env("RUST_LOG", "off").args(["serve", "--config"]).arg(config);
    let gateway = RunningProgram::start(&mut command);
    channel(&dir.path("gateway.sock")).await;
    // What it has once it has read from its vendors.
    let mut first = connect(&dir).await;
    drop(in_time(first.send_request(list())).await.unwrap());
    drop(first);
    let idle = gateway.memory();
    let mut calls = JoinSet::new();
    let mut senders = Vec::new();
    for _ in 0..CONNECTIONS {
        let sender = connect(&dir).await;
        for _ in 0..CALLS {
            let mut sender = sender.clone();
            calls.spawn(async move { sender.send_request(list()).await.unwrap() });
        }
        senders.push(sender);
    }
    let (mut unread, mut refused, mut peak) = (Vec::new(), 0, 0);
    while let Some(response) = in_time(calls.join_next()).await {
        let response = response.unwrap();
        peak = peak.max(gateway.memory());
        match Status::from_header_map(response.headers()) {
            Some(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status}");
                let reason = status.get_details_error_info().map(|info| info.reason);
                assert_eq!(reason.as_deref(), Some("OVERLOADED"), "{status}");
                refused += 1;
            }
            None => unread.push(response),
        }
    }
    assert!(!unread.is_empty() && refused > 0, "{} unread, {refused} refused", unread.len());
    assert!(peak < MAX_MEMORY, "{} MiB", peak >> 20);

    // Their memory is free for others again.
    drop((unread, senders));
    let mut client = connect(&dir).await;
    in_time(async {
        loop {
            let response = client.send_request(list()).await.unwrap();
            if Status::from_header_map(response.headers()).is_none() {
                break;
            }
        }
    })
    .await;

    // And for other programs.
    drop(client);
    eventually(|| gateway.memory() < idle / 2 * 3).await;
}

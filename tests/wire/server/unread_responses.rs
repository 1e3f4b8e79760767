//! Clients that do not read their responses: their calls end.

use std::time::Duration;

use bytes::Bytes;
use http::Request as HttpRequest;
use hyper::body::Incoming;
use prost::Message;
use restore_point_gateway::proto::GetRequest;
use restore_point_gateway::server::Limits;
use restore_point_test_support::wait::in_time;
use tonic::body::Body;
use tower::ServiceExt;

use super::fixture::{TestServer, get, watch};
use super::metrics::{scrape, serve_metrics};
use super::requests::framed;

/// A call of Get whose response has so many bytes, and more.
fn large_get(bytes: usize) -> HttpRequest<Body> {
    let message = GetRequest { name: "x".repeat(bytes), ..Default::default() }.encode_to_vec();
    HttpRequest::post("http://gateway/restorepoint.v1.RestorePointService/Get")
        .header("content-type", "application/grpc")
        .body(Body::new(axum::body::Body::from(framed(0, &message))))
        .unwrap()
}

async fn read_all(response: http::Response<Incoming>) -> Result<Bytes, axum::Error> {
    in_time(axum::body::to_bytes(axum::body::Body::new(response.into_body()), usize::MAX)).await
}

#[tokio::test]
async fn a_call_whose_client_does_not_read_is_reset() {
    let stall_timeout = Duration::from_millis(50);
    let server = TestServer::with_limits(Limits { stall_timeout, ..Limits::default() }).await;
    let connection = server.http2_client().await;
    // A stream without events has nothing to read, so it stays.
    let mut client = server.client().await;
    let mut quiet = in_time(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(quiet.message()).await.unwrap().expect("the first event");

    // More than the window of hyper's client.
    let unread = in_time(connection.clone().oneshot(large_get(3 << 20))).await.unwrap();
    let address = serve_metrics(&server.metrics, &server.connections).await;
    in_time(async {
        loop {
            let metrics = scrape(address).await;
            if metrics.value("restorepoint_calls_stalled_total") == Some(1.0) {
                break;
            }
        }
    })
    .await;
    let error = read_all(unread).await.unwrap_err();
    assert!(format!("{error:?}").contains("CANCEL"), "{error:?}");

    // A client that reads gets a response of the same size, and the quiet stream is still open.
    let read = in_time(connection.oneshot(large_get(3 << 20))).await.unwrap();
    assert!(read_all(read).await.unwrap().len() > 3 << 20);
    in_time(client.get(get("well"))).await.unwrap();
    assert!(futures::poll!(std::pin::pin!(quiet.message())).is_pending());
}

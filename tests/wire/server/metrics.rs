//! The metrics listener, and the metrics of calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request as HttpRequest;
use restore_point_gateway::backend::{Backends, Registry};
use restore_point_gateway::config::PollPolicy;
use restore_point_gateway::server::{
    CallMetrics, Connections, Limits, Listener, Metrics, ServerExit,
};
use restore_point_gateway::watch::Hub;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tower::ServiceExt;

use restore_point_test_support::openmetrics::Exposition;
use restore_point_test_support::wait::in_time;

use super::fixture::{TestServer, get, watch};

/// The metrics of a gateway without backends.
fn metrics(calls: Arc<CallMetrics>, connections: Arc<Connections>) -> Metrics {
    let backends = Registry::new(Backends::new());
    let hub = Hub::new(backends.clone(), PollPolicy::default());
    Metrics::new(calls, connections, None, backends, hub)
}

fn no_connections() -> Arc<Connections> {
    Connections::new(Limits::default())
}

/// Serves the metrics on a free port.
pub(super) async fn serve_metrics(
    calls: &Arc<CallMetrics>,
    connections: &Arc<Connections>,
) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(metrics(Arc::clone(calls), Arc::clone(connections)).serve(Listener::tcp(socket)));
    address
}

pub(super) async fn scrape(address: SocketAddr) -> Exposition {
    let response = in_time(reqwest::get(format!("http://{address}/metrics"))).await.unwrap();
    assert_eq!(response.status(), 200);
    let content_type = response.headers()["content-type"].to_str().unwrap();
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    Exposition::parse(&response.text().await.unwrap())
}

#[tokio::test]
async fn every_call_is_counted_by_method_and_status() {
    let server = TestServer::start().await;
    let address = serve_metrics(&server.metrics, &server.connections).await;
    let mut client = server.client().await;
    in_time(client.get(get("well"))).await.unwrap();
    in_time(client.get(get("panic"))).await.unwrap_err();
    let mut late = get("wait");
    late.set_timeout(Duration::from_millis(1));
    in_time(client.get(late)).await.unwrap_err();
    // Neither an unknown service nor an unknown method of a known one becomes a label.
    for path in ["a-secret/Get", "restorepoint.v1.RestorePointService/a-secret"] {
        let request = HttpRequest::post(format!("http://gateway/{path}"))
            .header("content-type", "application/grpc");
        in_time(server.http2_client().await.oneshot(request.body(Body::empty()).unwrap()))
            .await
            .unwrap();
    }
    let mut events = in_time(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    in_time(events.message()).await.unwrap().expect("the first event");

    let service = "restorepoint.v1.RestorePointService";
    let in_flight =
        |method: &str| format!("restorepoint_calls_in_flight{{method=\"{service}/{method}\"}}");
    let metrics = scrape(address).await;
    assert_eq!(metrics.value(&in_flight("WatchStatus")), Some(1.0));
    assert_eq!(metrics.value(&in_flight("List")), Some(0.0));

    drop(events);
    assert_eq!(server.stop().await, ServerExit::Drained);
    let metrics = scrape(address).await;
    assert_eq!(metrics.value(&in_flight("WatchStatus")), Some(0.0));
    let completed = |method: &str, code: &str| {
        metrics.value(&format!("restorepoint_calls_total{{method=\"{method}\",code=\"{code}\"}}"))
    };
    let own = |method: &str, code: &str| completed(&format!("{service}/{method}"), code);
    assert_eq!(own("Get", "OK"), Some(1.0));
    assert_eq!(own("Get", "INTERNAL"), Some(1.0));
    assert_eq!(own("Get", "DEADLINE_EXCEEDED"), Some(1.0));
    assert_eq!(own("WatchStatus", "CANCELLED"), Some(1.0));
    assert_eq!(own("List", "OK"), Some(0.0), "a method that was not called yet is at zero");
    assert_eq!(completed("other", "UNIMPLEMENTED"), Some(2.0));
    assert_eq!(completed("grpc.health.v1.Health/Check", "OK"), Some(0.0));
    let durations = |method: &str| {
        let name = "restorepoint_call_duration_seconds_count";
        metrics.value(&format!("{name}{{method=\"{service}/{method}\"}}"))
    };
    assert_eq!((durations("Get"), durations("WatchStatus")), (Some(3.0), None));
}

#[tokio::test]
async fn nothing_but_metrics_is_served() {
    let address = serve_metrics(&Arc::new(CallMetrics::new().unwrap()), &no_connections()).await;
    let client = reqwest::Client::new();
    for (method, path, status) in
        [("GET", "/", 404), ("GET", "/metrics/", 404), ("POST", "/metrics", 405)]
    {
        let url = format!("http://{address}{path}");
        let response = client.request(method.parse().unwrap(), url).send();
        assert_eq!(in_time(response).await.unwrap().status(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn a_client_that_sends_nothing_delays_no_scrape_and_is_closed_with_the_listener() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let metrics = metrics(Arc::new(CallMetrics::new().unwrap()), no_connections());
    let serving = tokio::spawn(metrics.serve(Listener::tcp(socket)));
    let mut silent = TcpStream::connect(address).await.unwrap();
    // Connections are accepted in order: once this scrape is served, the silent one has been accepted.
    scrape(address).await;
    serving.abort();
    assert_eq!(in_time(silent.read(&mut [0])).await.unwrap(), 0, "the connection is closed");
    in_time(TcpStream::connect(address)).await.expect_err("the listener is closed");
}

#[tokio::test]
async fn metrics_are_served_over_tls() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let metrics = metrics(Arc::new(CallMetrics::new().unwrap()), no_connections());
    tokio::spawn(metrics.serve(Listener::tls(socket, config)));

    // ALPN offers only HTTP/1.1, to a client that prefers HTTP/2.
    let root = reqwest::Certificate::from_der(cert.der()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    let response = in_time(client.get(format!("https://localhost:{port}/metrics")).send()).await;
    let response = response.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_11));
    Exposition::parse(&response.text().await.unwrap());
    let plain = reqwest::get(format!("http://localhost:{port}/metrics"));
    in_time(plain).await.expect_err("nothing is served in plaintext");
}

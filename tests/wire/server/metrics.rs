//! The listener for figures, and what is counted of calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request as HttpRequest;
use restore_point_gateway::backend::{Backends, Registry};
use restore_point_gateway::config::PollPolicy;
use restore_point_gateway::server::{Calls, End, Listener, Metrics};
use restore_point_gateway::watch::Hub;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tower::ServiceExt;

use super::fixture::{Server, get, soon, watch};
use restore_point_test_support::openmetrics::Page;

/// Figures of a gateway without backends.
fn metrics(calls: Arc<Calls>) -> Metrics {
    let backends = Registry::new(Backends::new());
    let hub = Hub::new(backends.clone(), PollPolicy::default());
    Metrics::new(calls, backends, hub)
}

async fn shown(calls: &Arc<Calls>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(metrics(Arc::clone(calls)).serve(Listener::tcp(socket)));
    address
}

async fn page(address: SocketAddr) -> Page {
    let answer = soon(reqwest::get(format!("http://{address}/metrics"))).await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    Page::read(&answer.text().await.unwrap())
}

#[tokio::test]
async fn every_call_is_counted_by_its_method_and_its_end() {
    let server = Server::start().await;
    let address = shown(&server.calls).await;
    let mut client = server.client().await;
    soon(client.get(get("well"))).await.unwrap();
    soon(client.get(get("panic"))).await.unwrap_err();
    let mut late = get("wait");
    late.set_timeout(Duration::from_millis(1));
    soon(client.get(late)).await.unwrap_err();
    // Neither a method of another's, nor one that a service of ours has not, gives its name to anything.
    for path in ["a-secret/Get", "restorepoint.v1.RestorePointService/a-secret"] {
        let request = HttpRequest::post(format!("http://gateway/{path}"));
        soon(server.wire().await.oneshot(request.body(Body::empty()).unwrap())).await.unwrap();
    }
    let mut events = soon(client.watch_status(watch("wait"))).await.unwrap().into_inner();
    soon(events.message()).await.unwrap().expect("the first event");

    let service = "restorepoint.v1.RestorePointService";
    let open = |method: &str| format!("restorepoint_calls_open{{method=\"{service}/{method}\"}}");
    let now = page(address).await;
    assert_eq!(now.value(&open("WatchStatus")), Some(1.0));
    assert_eq!(now.value(&open("List")), Some(0.0));

    drop(events);
    assert_eq!(server.stop().await, End::Drained);
    let now = page(address).await;
    assert_eq!(now.value(&open("WatchStatus")), Some(0.0));
    let of = |method: &str, code: &str| {
        now.value(&format!("restorepoint_calls_total{{method=\"{method}\",code=\"{code}\"}}"))
    };
    let ours = |method: &str, code: &str| of(&format!("{service}/{method}"), code);
    assert_eq!(ours("Get", "OK"), Some(1.0));
    assert_eq!(ours("Get", "INTERNAL"), Some(1.0));
    assert_eq!(ours("Get", "DEADLINE_EXCEEDED"), Some(1.0));
    assert_eq!(ours("WatchStatus", "CANCELLED"), Some(1.0));
    assert_eq!(ours("List", "OK"), Some(0.0), "what was not called yet is there to rise from");
    assert_eq!(of("other", "UNIMPLEMENTED"), Some(2.0));
    assert_eq!(of("grpc.health.v1.Health/Check", "OK"), Some(0.0));
    let timed = |method: &str| {
        let name = "restorepoint_call_duration_seconds_count";
        now.value(&format!("{name}{{method=\"{service}/{method}\"}}"))
    };
    assert_eq!((timed("Get"), timed("WatchStatus")), (Some(3.0), None));
}

#[tokio::test]
async fn nothing_but_figures_is_shown() {
    let address = shown(&Arc::new(Calls::new().unwrap())).await;
    let client = reqwest::Client::new();
    for (method, path, status) in
        [("GET", "/", 404), ("GET", "/metrics/", 404), ("POST", "/metrics", 405)]
    {
        let url = format!("http://{address}{path}");
        let asked = client.request(method.parse().unwrap(), url).send();
        assert_eq!(soon(asked).await.unwrap().status(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn who_says_nothing_holds_up_nobody_and_goes_with_the_listener() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let metrics = metrics(Arc::new(Calls::new().unwrap()));
    let serving = tokio::spawn(metrics.serve(Listener::tcp(socket)));
    let mut silent = TcpStream::connect(address).await.unwrap();
    // Connections are accepted in order: once this one is answered, the silent one is inside.
    page(address).await;
    serving.abort();
    assert_eq!(soon(silent.read(&mut [0])).await.unwrap(), 0, "it is closed");
    soon(TcpStream::connect(address)).await.expect_err("so is the listener");
}

#[tokio::test]
async fn a_certificate_protects_figures_too() {
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
    let metrics = metrics(Arc::new(Calls::new().unwrap()));
    tokio::spawn(metrics.serve(Listener::tls(socket, config)));

    // A client that would rather speak HTTP/2 is told that there is none.
    let root = reqwest::Certificate::from_der(cert.der()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    let answer = soon(client.get(format!("https://localhost:{port}/metrics")).send()).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, http::Version::HTTP_11));
    Page::read(&answer.text().await.unwrap());
    let plain = reqwest::get(format!("http://localhost:{port}/metrics"));
    soon(plain).await.expect_err("nothing is shown in the clear");
}

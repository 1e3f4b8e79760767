//! Metrics for Prometheus in the OpenMetrics format, over HTTP/1.1 on a listener of its own, so that clients of the
//! gateway do not see them.
//!
//! Nothing is stored here. Each metric is an atomic in the part of the gateway that it measures, and is read when
//! Prometheus scrapes.

mod collector;
mod exposition;
mod process;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use prometheus_client::encoding::text;
use prometheus_client::registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time;
use tokio_rustls::TlsAcceptor;

use self::collector::GatewayCollector;
use super::listener::{Listener, Socket};
use super::{CallMetrics, CertificateExpiry, Connections};
use crate::backend::Registry;
use crate::watch::Hub;

/// How long a scrape may take, from its connect to the last byte of its one response.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many scrapes are served at once; further ones wait to be accepted.
const MAX_SCRAPES: usize = 32;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of a gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<registry::Registry>,
}

impl Metrics {
    /// The metrics of these parts; without TLS there is no certificate.
    pub fn new(
        calls: Arc<CallMetrics>,
        connections: Arc<Connections>,
        certificate: Option<Arc<CertificateExpiry>>,
        backends: Registry,
        hub: Hub,
    ) -> Self {
        let mut registry = registry::Registry::default();
        let collector = GatewayCollector { calls, connections, certificate, backends, hub };
        registry.register_collector(Box::new(collector));
        Self { registry: Arc::new(registry) }
    }

    /// Serves them at `/metrics` on `listener`. It never ends; dropping it closes the listener and all
    /// connections.
    pub async fn serve(self, listener: Listener) {
        listener.log_listening("metrics");
        let listener = listener.for_http1();
        let router = Router::new().route("/metrics", get(async move || self.expose()));
        let mut scrapes = JoinSet::new();
        loop {
            tokio::select! {
                socket = listener.accept(), if scrapes.len() < MAX_SCRAPES => {
                    scrapes.spawn(time::timeout(SCRAPE_TIMEOUT, serve_socket(socket, router.clone())));
                }
                // Nothing to do with its result, but it must leave the set.
                Some(_) = scrapes.join_next() => {}
            }
        }
    }

    fn expose(&self) -> Result<impl IntoResponse + use<>, StatusCode> {
        let mut exposition = String::new();
        text::encode(&mut exposition, &self.registry).map_err(|fmt::Error| {
            tracing::error!("cannot encode the metrics");
            StatusCode::INTERNAL_SERVER_ERROR
        })?;
        Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], exposition))
    }
}

async fn serve_socket(socket: Socket, router: Router) {
    let result = match socket {
        Socket::Tcp(stream, _) => serve_request(stream, router).await,
        Socket::Tls(stream, _, config) => match TlsAcceptor::from(config).accept(stream).await {
            Ok(stream) => serve_request(stream, router).await,
            Err(error) => Err(error),
        },
        Socket::Unix(stream) => serve_request(stream, router).await,
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a scrape of the metrics failed");
    }
}

/// Serves one request per connection: nothing stays open between two scrapes.
async fn serve_request<S>(stream: S, router: Router) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await
        .map_err(io::Error::other)
}

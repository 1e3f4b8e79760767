//! Figures for Prometheus, over HTTP/1 on a listener of its own: callers of the gateway see none of them.
//!
//! Nothing is kept here. Each figure lies where its events happen, and is fetched when somebody asks.

mod figures;
mod page;
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

use self::figures::Figures;
use super::Calls;
use super::listener::{Listener, Socket};
use crate::backend::Registry;
use crate::watch::Hub;

/// How long one visit may take, from its connect to the last byte of its one answer.
const PATIENCE: Duration = Duration::from_secs(10);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All figures of a gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<registry::Registry>,
}

impl Metrics {
    /// The figures of these parts.
    pub fn new(calls: Arc<Calls>, backends: Registry, hub: Hub) -> Self {
        let mut registry = registry::Registry::default();
        registry.register_collector(Box::new(Figures { calls, backends, hub }));
        Self { registry: Arc::new(registry) }
    }

    /// Shows them at `/metrics` to whoever connects to `listener`. It never ends; dropping it closes the
    /// listener and all connections.
    pub async fn serve(self, listener: Listener) {
        let listener = listener.for_http1();
        let page = get(async move || self.page());
        let router = Router::new().route("/metrics", page);
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                socket = listener.accept() => {
                    visits.spawn(time::timeout(PATIENCE, admit(socket, router.clone())));
                }
                // Looked at by nobody, but they would pile up.
                Some(_) = visits.join_next() => {}
            }
        }
    }

    fn page(&self) -> Result<impl IntoResponse + use<>, StatusCode> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry).map_err(|fmt::Error| {
            tracing::error!("the figures cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR
        })?;
        Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], page))
    }
}

async fn admit(socket: Socket, router: Router) {
    let ended = match socket {
        Socket::Tcp(stream, _) => answer(stream, router).await,
        Socket::Tls(stream, _, config) => match TlsAcceptor::from(config).accept(stream).await {
            Ok(stream) => answer(stream, router).await,
            Err(error) => Err(error),
        },
        #[cfg(unix)]
        Socket::Unix(stream) => answer(stream, router).await,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "figures were not fetched to their end");
    }
}

/// One answer a connection: there is nothing to keep open until the next visit.
async fn answer<S>(stream: S, router: Router) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await
        .map_err(io::Error::other)
}

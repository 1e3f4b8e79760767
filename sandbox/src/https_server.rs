//! An HTTPS server on loopback.
//!
//! It has its own accept loop because faults need the connection of a request: every request carries its
//! [`ConnectionHandle`] in its extensions.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

use crate::certificates::ServerCertificate;
use crate::connection::{ConnectionHandle, TrackedStream};
use crate::start_error::StartError;

/// The pause after a failed accept: without file descriptors it fails immediately, again and again.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// A running server. Dropping it aborts its connections and all requests.
#[derive(Debug)]
pub struct HttpsServer {
    address: SocketAddr,
    _stop: DropGuard,
}

impl HttpsServer {
    /// Serves `router` on a free loopback port, inside a tokio runtime. The connection is HTTP/2 if the TLS
    /// handshake negotiates it by ALPN, and HTTP/1.1 otherwise.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(router: Router, certificate: ServerCertificate) -> Result<Self, StartError> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let tasks = Tasks(CancellationToken::new());
        let tls = TlsAcceptor::from(certificate.tls_config());
        let acceptor = Acceptor { router, tls, tasks: tasks.clone() };
        tasks.execute(acceptor.accept(listener));
        Ok(Self { address, _stop: tasks.0.drop_guard() })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[derive(Clone)]
struct Acceptor {
    router: Router,
    tls: TlsAcceptor,
    tasks: Tasks,
}

impl Acceptor {
    async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => self.tasks.execute(self.clone().serve_connection(socket)),
                Err(error) => {
                    tracing::debug!(%error, "a simulator cannot accept a connection");
                    tokio::time::sleep(ACCEPT_RETRY_INTERVAL).await;
                }
            }
        }
    }

    async fn serve_connection(self, socket: TcpStream) {
        let handshake = async {
            socket.set_nodelay(true)?;
            self.tls.accept(socket).await
        };
        let stream = match handshake.await {
            Ok(stream) => stream,
            Err(error) => return tracing::debug!(%error, "a TLS handshake failed"),
        };
        let http = auto::Builder::new(self.tasks.child());
        let http = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => http.http2_only(),
            _ => http.http1_only(),
        };
        let (handle, driver) = ConnectionHandle::new();
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(handle.clone());
            let response = self.router.clone().oneshot(request);
            async { Ok::<_, Infallible>(response.await.unwrap_or_else(|never| match never {})) }
        });
        let (stream, state) = TrackedStream::new(stream);
        driver.run(http.serve_connection(TokioIo::new(stream), service), &state).await;
    }
}

/// Spawns tasks that end with the server; hyper runs the streams of HTTP/2 on it.
#[derive(Debug, Clone)]
struct Tasks(CancellationToken);

impl Tasks {
    fn child(&self) -> Self {
        Self(self.0.child_token())
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        tokio::spawn(self.0.clone().run_until_cancelled_owned(task));
    }
}

//! Listening on loopback over TLS.
//!
//! The accept loop is its own, because a vendor's faults need the connection that a request came by: every
//! request carries its [`Line`] in its extensions.

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

use super::line::{Line, Wire};
use super::{Identity, StartError};

/// How long the listener is left alone when accepting fails: without file descriptors it fails at once,
/// again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A simulator that is listening; it stops when this is dropped, in the middle of whatever it does.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    _stop: DropGuard,
}

impl Listening {
    /// Serves `router` on a free loopback port, inside a tokio runtime. HTTP/2 is spoken with who agreed
    /// on it in the TLS handshake, HTTP/1.1 with everybody else.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(router: Router, identity: Identity) -> Result<Self, StartError> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let tasks = Tasks(CancellationToken::new());
        let door = Door { router, tls: TlsAcceptor::from(identity.tls), tasks: tasks.clone() };
        tasks.execute(door.accept(listener));
        Ok(Self { address, _stop: tasks.0.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[derive(Clone)]
struct Door {
    router: Router,
    tls: TlsAcceptor,
    tasks: Tasks,
}

impl Door {
    async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => self.tasks.execute(self.clone().converse(socket)),
                Err(error) => {
                    tracing::debug!(%error, "a simulator cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// One connection from its handshake to its end.
    async fn converse(self, socket: TcpStream) {
        let greeted = async {
            socket.set_nodelay(true)?;
            self.tls.accept(socket).await
        };
        let stream = match greeted.await {
            Ok(stream) => stream,
            Err(error) => return tracing::debug!(%error, "no TLS came of a connection"),
        };
        let http = auto::Builder::new(self.tasks.child());
        let http = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => http.http2_only(),
            _ => http.http1_only(),
        };
        let (line, orders) = Line::new();
        let answer = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(line.clone());
            let answer = self.router.clone().oneshot(request);
            async { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let (wire, state) = Wire::new(stream);
        orders.obey(http.serve_connection(TokioIo::new(wire), answer), &state).await;
    }
}

/// Spawns what ends with the listener; hyper runs the streams of HTTP/2 on it.
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

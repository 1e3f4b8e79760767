//! From an accepted socket to calls: the handshakes, HTTP/2, and the orderly end of a connection.
//!
//! Every connection and every call is a task that is tracked and can be aborted. So the end of the server is
//! bounded, and comes after the last line of the access log. What happens in a call is not known here.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::service::Routes;

use super::Shutdown;
use super::call;
use super::call_metrics::CallMetrics;
use super::coalesced_writes::coalesce;
use super::listener::{Listener, Peer, Socket};
use super::preface::{self, Rewind};

/// How long a client may take from its connect to the end of its HTTP/2 preface, TLS included. A client that
/// connects and sends nothing costs a file descriptor for this long.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// SETTINGS_MAX_CONCURRENT_STREAMS of each connection (RFC 9113 §6.5.2). Without it a busy client trips h2's
/// protection against floods of small frames, and all of its calls fail; with it they queue in the client.
const MAX_CONCURRENT_STREAMS: u32 = 1000;

/// How many streams a client may reset before the server has accepted them. h2's default of 20 takes a client with
/// short deadlines for a rapid reset attack (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 1024;

/// How many bytes of a stream are buffered for a client that reads slowly. More is not even encoded, so that a
/// client which reads again gets the latest state soon and not all the states in between.
const MAX_SEND_BUFFER_BYTES: usize = 16 * 1024;

/// HTTP/2 PING detects peers that disappeared silently, and keeps address translators and load balancers from
/// dropping a connection without traffic.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Accepts connections and serves calls on them. Clones share their tasks.
#[derive(Debug, Clone)]
pub(super) struct ConnectionServer {
    routes: Routes,
    metrics: Arc<CallMetrics>,
    http: http2::Builder<Tasks>,
    tasks: Tasks,
    draining: CancellationToken,
    grace_over: CancellationToken,
}

impl ConnectionServer {
    pub(super) fn new(routes: Routes, metrics: Arc<CallMetrics>, shutdown: &Shutdown) -> Self {
        let Shutdown { draining, grace_over, abort, .. } = shutdown.clone();
        let tasks = Tasks { tracker: TaskTracker::new(), abort };
        let mut http = http2::Builder::new(tasks.clone());
        http.timer(TokioTimer::new())
            .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_send_buf_size(MAX_SEND_BUFFER_BYTES)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        Self { routes: routes.prepare(), metrics, http, tasks, draining, grace_over }
    }

    /// Accepts connections from `listener` until the server drains, then closes it.
    pub(super) fn listen(&self, listener: Listener) {
        listener.log_listening("grpc");
        let server = self.clone();
        self.tasks.spawn(async move {
            server.draining.run_until_cancelled(server.accept(listener)).await;
        });
    }

    /// Takes no more listeners; the tracker ends with the last task.
    pub(super) fn close(self) -> TaskTracker {
        self.tasks.tracker.close();
        self.tasks.tracker
    }

    async fn accept(&self, listener: Listener) {
        loop {
            let socket = listener.accept().await;
            self.tasks.spawn(self.clone().serve_socket(socket));
        }
    }

    async fn serve_socket(self, socket: Socket) {
        match socket {
            Socket::Tcp(stream, peer) => self.serve(Peer::Tcp(peer), async { Ok(stream) }).await,
            Socket::Tls(stream, peer, config) => {
                self.serve(Peer::Tcp(peer), TlsAcceptor::from(config).accept(stream)).await;
            }
            Socket::Unix(stream) => self.serve(Peer::Unix, async { Ok(stream) }).await,
        }
    }

    async fn serve<S>(self, peer: Peer, tls: impl Future<Output = io::Result<S>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // A client that has not finished its handshake when the server drains loses nothing.
        match self.draining.run_until_cancelled(handshake(tls)).await {
            None => {}
            Some(Ok(stream)) => self.serve_connection(peer, stream).await,
            Some(Err(error)) => tracing::debug!(%peer, %error, "the handshake failed"),
        }
    }

    async fn serve_connection<S>(self, peer: Peer, stream: Rewind<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { routes, metrics, http, draining, grace_over, .. } = self;
        // One for each connection, because all of its calls wait for it: they share no lock with those of others.
        let grace_over = grace_over.child_token();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            // The future of a handler is large. It is boxed when it is first polled, so that queued calls stay
            // small, and dropped with the response head, so that a stream does not keep it for its lifetime.
            let (routes, metrics) = (routes.clone(), Arc::clone(&metrics));
            let grace_over = grace_over.clone();
            let request = Box::new(request.map(Body::new));
            async move {
                let response = Box::pin(call::handle(routes, metrics, grace_over, *request)).await;
                Ok::<_, Infallible>(response)
            }
        });
        let (stream, flush_driver) = coalesce(stream);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let result = flush_driver.drive(async {
            let mut connection = pin!(connection);
            tokio::select! {
                result = connection.as_mut() => result,
                () = draining.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        });
        if let Err(error) = result.await {
            tracing::debug!(%peer, %error, "the connection failed");
        }
    }
}

/// TLS, if any, and the HTTP/2 preface.
async fn handshake<S>(tls: impl Future<Output = io::Result<S>>) -> io::Result<Rewind<S>>
where
    S: AsyncRead + Unpin,
{
    time::timeout(HANDSHAKE_TIMEOUT, async { preface::read(tls.await?).await }).await?
}

/// Spawns tasks that are tracked and can be aborted. hyper runs its calls on it.
#[derive(Debug, Clone)]
struct Tasks {
    tracker: TaskTracker,
    abort: CancellationToken,
}

impl Tasks {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(self.abort.clone().run_until_cancelled_owned(task));
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    /// A call ends with its connection, whether it waits for a backend or for its client, and so needs no token of
    /// its own to be aborted.
    fn execute(&self, call: F) {
        self.tracker.spawn(call);
    }
}

//! From an accepted socket to calls: the handshakes, HTTP/2, and the orderly end of a connection.
//!
//! Every connection and every call is a task that is tracked and can be aborted. So the end of the server is
//! bounded, and comes after the last line of the access log. What happens in a call is not known here.

use std::convert::Infallible;
use std::future::Future;
use std::io;
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

use super::call::Calls;
use super::call_metrics::CallMetrics;
use super::coalesced_writes::{CoalescedWriter, FlushDriver, coalesce};
use super::connections::{Connections, OpenConnection};
use super::listener::{Listener, Peer, Socket};
use super::preface::{self, Rewind};
use super::shutdown::Shutdown;
use super::stalled_call::{CallTask, StallTimeout};

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
    connections: Arc<Connections>,
    http: http2::Builder<CallExecutor>,
    tasks: Tasks,
    draining: CancellationToken,
    grace_over: CancellationToken,
}

impl ConnectionServer {
    pub(super) fn new(
        routes: Routes,
        metrics: Arc<CallMetrics>,
        connections: Arc<Connections>,
        shutdown: &Shutdown,
    ) -> Self {
        let Shutdown { draining, grace_over, abort, .. } = shutdown.clone();
        let tasks = Tasks { tracker: TaskTracker::new(), abort };
        let stall_timeout = Arc::clone(connections.stall_timeout());
        let calls = CallExecutor { tracker: tasks.tracker.clone(), stall_timeout };
        let mut http = http2::Builder::new(calls);
        http.timer(TokioTimer::new())
            .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_send_buf_size(MAX_SEND_BUFFER_BYTES)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        Self { routes: routes.prepare(), metrics, connections, http, tasks, draining, grace_over }
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
            match self.connections.admit().await {
                Some(open) => self.tasks.spawn(self.clone().serve_socket(socket, open)),
                None => tracing::debug!("a connection is refused: the limit is reached"),
            }
        }
    }

    async fn serve_socket(self, socket: Socket, open: OpenConnection) {
        match socket {
            Socket::Tcp(stream, peer) => {
                self.serve(Peer::Tcp(peer), async { Ok(stream) }, open).await;
            }
            Socket::Tls(stream, peer, config) => {
                let tls = Box::pin(TlsAcceptor::from(config).accept(stream));
                self.serve(Peer::Tcp(peer), tls, open).await;
            }
            Socket::Unix(stream) => self.serve(Peer::Unix, async { Ok(stream) }, open).await,
        }
    }

    async fn serve<S>(
        self,
        peer: Peer,
        tls: impl Future<Output = io::Result<S>>,
        open: OpenConnection,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // A client that has not finished its handshake when the connection must close loses nothing.
        let handshake = tokio::select! {
            // Boxed, so that the task of an open connection does not keep room for it.
            result = Box::pin(handshake(tls)) => result,
            () = self.draining.cancelled() => return,
            _ = open.must_close() => return,
        };
        match handshake {
            Ok((stream, flush_driver)) => {
                self.serve_connection(peer, stream, flush_driver, open).await;
            }
            Err(error) => tracing::debug!(%peer, %error, "the handshake failed"),
        }
    }

    async fn serve_connection<S>(
        self,
        peer: Peer,
        stream: CoalescedWriter<S>,
        flush_driver: FlushDriver<S>,
        open: OpenConnection,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { routes, metrics, connections, http, draining, grace_over, .. } = self;
        let calls = Arc::new(Calls {
            routes,
            metrics,
            // Of this connection, because all of its calls wait for it: they share no lock with those of others.
            grace_over: grace_over.child_token(),
            request_timeout: connections.limits().request_timeout,
        });
        let responses = connections.responses().connection();
        let open = &open;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(responses.clone());
            // The future of a handler is large. It is boxed when it is first polled, so that queued calls stay
            // small, and dropped with the response head, so that a stream does not keep it for its lifetime.
            let (calls, call) = (Arc::clone(&calls), open.call());
            let request = Box::new(request.map(Body::new));
            async move { Ok::<_, Infallible>(Box::pin(calls.handle(*request, call)).await) }
        });
        // Boxed, because each future that it moves through would keep room for it: an idle connection costs its memory.
        let mut connection = Box::pin(http.serve_connection(TokioIo::new(stream), service));
        let result = flush_driver.drive(async {
            let closed_early = tokio::select! {
                result = connection.as_mut() => return result,
                () = draining.cancelled() => None,
                reason = open.must_close() => Some(reason),
            };
            // GOAWAY: the client sends further calls on another connection, and those on their way are still served.
            connection.as_mut().graceful_shutdown();
            match closed_early {
                None => connection.await,
                Some(reason) => {
                    tracing::debug!(%peer, ?reason, "closing the connection");
                    tokio::select! {
                        result = connection => result,
                        () = open.close_timeout() => Ok(()),
                    }
                }
            }
        });
        if let Err(error) = result.await {
            tracing::debug!(%peer, %error, "the connection failed");
        }
    }
}

/// A stream to serve HTTP/2 on.
type Coalesced<S> = (CoalescedWriter<Rewind<S>>, FlushDriver<Rewind<S>>);

/// TLS, if any, and the HTTP/2 preface.
async fn handshake<S>(tls: impl Future<Output = io::Result<S>>) -> io::Result<Coalesced<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = async { preface::read(tls.await?).await };
    Ok(coalesce(time::timeout(HANDSHAKE_TIMEOUT, handshake).await??))
}

/// Spawns tasks that are tracked and can be aborted.
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

/// What hyper runs its calls on. A call ends with its connection, whether it waits for a backend or for its client, and
/// so needs no token of its own to be aborted.
#[derive(Debug, Clone)]
struct CallExecutor {
    tracker: TaskTracker,
    stall_timeout: Arc<StallTimeout>,
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for CallExecutor {
    fn execute(&self, call: F) {
        self.tracker.spawn(CallTask::new(call, Arc::clone(&self.stall_timeout)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::net::UnixStream;

    use super::*;
    use crate::server::connections::Limits;

    /// Most connections are idle most of the time, and their memory is their task and h2's buffers.
    #[tokio::test]
    async fn the_task_of_a_connection_is_small() {
        let connections = Connections::new(Limits::default());
        let metrics = Arc::new(CallMetrics::new().unwrap());
        let shutdown = Shutdown::default();
        let server =
            ConnectionServer::new(Routes::default(), metrics, Arc::clone(&connections), &shutdown);
        let socket = Socket::Unix(UnixStream::pair().unwrap().0);
        let task = server.serve_socket(socket, connections.admit().await.unwrap());
        assert!(size_of_val(&task) < 4096, "{} bytes", size_of_val(&task));
    }
}

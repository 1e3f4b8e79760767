//! From an accepted socket to calls: handshakes, HTTP/2, and the orderly end of a connection.
//!
//! Every connection and every call is a task that is counted and can be cut, so that the end of the
//! server is bounded and comes after the last line of the access log.

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

use super::calls::Calls;
use super::cork::corked;
use super::layers;
use super::listener::{Listener, Peer, Socket};
use super::preface::{self, Begun};

/// How long a client may take from its connect to the end of its HTTP/2 preface, TLS included: whoever
/// connects and says nothing costs a file descriptor for this long.
const OPENING: Duration = Duration::from_secs(10);

/// Calls at once on a connection. Without a limit a busy client trips h2's guard against floods of
/// small frames, and all of its calls fail; with it they queue on the client's side.
const CALLS_A_CONNECTION: u32 = 1000;

/// Calls that a client may cancel before they were looked at. h2's default of 20 takes a client with
/// short deadlines for an attacker.
const PENDING_RESETS: usize = 1024;

/// How much of a stream waits for a peer that is slow to read. More is not even made, so that one who reads
/// again is told the latest soon, and not all that there was in between.
const STREAM_BUFFER: usize = 16 * 1024;

/// Pings find peers that are gone without a word, and keep address translators and balancers that
/// count bytes from forgetting a quiet connection.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What a connection needs to be served.
#[derive(Debug, Clone)]
pub(super) struct Door {
    routes: Routes,
    calls: Arc<Calls>,
    http: http2::Builder<Tasks>,
    tasks: Tasks,
    draining: CancellationToken,
}

impl Door {
    pub(super) fn new(
        routes: Routes,
        calls: Arc<Calls>,
        draining: CancellationToken,
        cut: CancellationToken,
    ) -> Self {
        let tasks = Tasks { running: TaskTracker::new(), cut };
        let mut http = http2::Builder::new(tasks.clone());
        http.timer(TokioTimer::new())
            .max_concurrent_streams(CALLS_A_CONNECTION)
            .max_pending_accept_reset_streams(PENDING_RESETS)
            .max_send_buf_size(STREAM_BUFFER)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        Self { routes: routes.prepare(), calls, http, tasks, draining }
    }

    /// Accepts connections from `listener` until the server drains, then closes it.
    pub(super) fn open(&self, listener: Listener) {
        let door = self.clone();
        self.tasks.spawn(async move {
            door.draining.run_until_cancelled(door.accept(listener)).await;
        });
    }

    /// Everything that runs, to be waited for.
    pub(super) fn close(self) -> TaskTracker {
        self.tasks.running.close();
        self.tasks.running
    }

    async fn accept(&self, listener: Listener) {
        loop {
            let socket = listener.accept().await;
            self.tasks.spawn(self.clone().admit(socket));
        }
    }

    async fn admit(self, socket: Socket) {
        match socket {
            Socket::Tcp(stream, peer) => {
                self.converse(Peer::Tcp(peer), async { Ok(stream) }).await;
            }
            Socket::Tls(stream, peer, config) => {
                self.converse(Peer::Tcp(peer), TlsAcceptor::from(config).accept(stream)).await;
            }
            #[cfg(unix)]
            Socket::Unix(stream) => self.converse(Peer::Unix, async { Ok(stream) }).await,
        }
    }

    async fn converse<S>(self, peer: Peer, handshake: impl Future<Output = io::Result<S>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Who has not even begun to speak when the server drains loses nothing.
        match self.draining.run_until_cancelled(begin(handshake)).await {
            None => {}
            Some(Ok(stream)) => self.speak(peer, stream).await,
            Some(Err(error)) => tracing::debug!(%peer, %error, "no HTTP/2 came of a connection"),
        }
    }

    async fn speak<S>(self, peer: Peer, stream: Begun<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { routes, calls, http, draining, .. } = self;
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            // A call's beginning is large: boxed when its turn comes, so that those that wait for theirs are
            // small, and gone with it, so that a stream does not keep it for life.
            let (routes, calls) = (routes.clone(), Arc::clone(&calls));
            let request = Box::new(request.map(Body::new));
            async move { Ok::<_, Infallible>(Box::pin(layers::answer(routes, calls, *request)).await) }
        });
        let (stream, conversation) = corked(stream);
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let ended = conversation.of(async {
            let mut connection = pin!(connection);
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = draining.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        });
        if let Err(error) = ended.await {
            tracing::debug!(%peer, %error, "a connection broke");
        }
    }
}

async fn begin<S>(handshake: impl Future<Output = io::Result<S>>) -> io::Result<Begun<S>>
where
    S: AsyncRead + Unpin,
{
    time::timeout(OPENING, async { preface::read(handshake.await?).await }).await?
}

/// Spawns what is counted and can be cut. hyper runs its calls on it.
#[derive(Debug, Clone)]
struct Tasks {
    running: TaskTracker,
    cut: CancellationToken,
}

impl Tasks {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(self.cut.clone().run_until_cancelled_owned(task));
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    /// A call ends with its connection, whether it waits for a vendor or for its reader, and so is cut with it.
    fn execute(&self, call: F) {
        self.running.spawn(call);
    }
}

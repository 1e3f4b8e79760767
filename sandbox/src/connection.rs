//! Control over the connection of a request, to inject broken connections.
//!
//! Everything that was written to the connection before is sent first, so that the peer receives exactly the
//! bytes that a fault lets through.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::server::TlsStream;

/// The connection of a request.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionHandle(mpsc::UnboundedSender<Command>);

#[derive(Debug)]
enum Command {
    Flush(oneshot::Sender<()>),
    Close,
    Reset,
}

impl ConnectionHandle {
    pub(crate) fn new() -> (Self, ConnectionDriver) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), ConnectionDriver(receiver))
    }

    /// Waits until everything that was written to the connection has been sent.
    pub(crate) async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        self.0.send(Command::Flush(done)).ok();
        // An error means that the connection is closed, so that nothing more is sent.
        flushed.await.ok();
    }

    /// Closes the connection without a TLS close_notify, like a process that crashes.
    pub(crate) fn close(&self) {
        // Without a receiver it is closed already.
        self.0.send(Command::Close).ok();
    }

    /// Resets the TCP connection.
    pub(crate) fn reset(&self) {
        self.0.send(Command::Reset).ok();
    }
}

/// Serves a connection and executes the commands of its [`ConnectionHandle`].
#[derive(Debug)]
pub(crate) struct ConnectionDriver(mpsc::UnboundedReceiver<Command>);

impl ConnectionDriver {
    /// Runs `connection` over the stream of `state` until it ends or a command ends it.
    pub(crate) async fn run<C: Future>(mut self, connection: C, state: &StreamState) {
        let mut connection = pin!(connection);
        loop {
            let command = tokio::select! {
                biased;
                command = self.0.recv() => command,
                _ = connection.as_mut() => return,
            };
            // Each poll writes everything that is pending, as far as the peer's window allows.
            let ended = std::future::poll_fn(|cx| match connection.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(true),
                Poll::Pending if state.is_flushed() => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            });
            let ended = ended.await;
            match command {
                Some(Command::Flush(done)) => done.send(()).unwrap_or_default(),
                Some(Command::Reset) => return state.reset_on_drop(),
                Some(Command::Close) | None => return,
            }
            if ended {
                return;
            }
        }
    }
}

/// The state of a [`TrackedStream`], shared with its driver.
#[derive(Debug, Default)]
pub(crate) struct StreamState {
    unflushed: AtomicBool,
    reset: AtomicBool,
}

impl StreamState {
    fn is_flushed(&self) -> bool {
        !self.unflushed.load(Ordering::Acquire)
    }

    fn reset_on_drop(&self) {
        self.reset.store(true, Ordering::Release);
    }
}

/// A TLS stream that tracks whether everything has been sent, and whether to end with a TCP reset.
#[derive(Debug)]
pub(crate) struct TrackedStream {
    tls: TlsStream<TcpStream>,
    state: Arc<StreamState>,
}

impl TrackedStream {
    pub(crate) fn new(tls: TlsStream<TcpStream>) -> (Self, Arc<StreamState>) {
        let state = Arc::<StreamState>::default();
        (Self { tls, state: Arc::clone(&state) }, state)
    }
}

impl Drop for TrackedStream {
    fn drop(&mut self) {
        if self.state.reset.load(Ordering::Acquire)
            && let Err(error) = self.tls.get_ref().0.set_zero_linger()
        {
            tracing::debug!(%error, "cannot reset a connection: it is closed instead");
        }
    }
}

impl AsyncRead for TrackedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TrackedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.state.unflushed.store(true, Ordering::Release);
        Pin::new(&mut self.tls).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.tls).poll_flush(cx));
        self.state.unflushed.store(false, Ordering::Release);
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

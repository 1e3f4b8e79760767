//! The connection that a request came by, to break it with.
//!
//! What was handed to the connection before goes out first, so that a peer sees exactly as many bytes as it
//! was meant to. Which bytes those are is the business of whoever breaks it.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::server::TlsStream;

/// The connection that a request came by.
#[derive(Debug, Clone)]
pub(super) struct Line(mpsc::UnboundedSender<Order>);

#[derive(Debug)]
enum Order {
    Flush(oneshot::Sender<()>),
    Close,
    Reset,
}

impl Line {
    pub(super) fn new() -> (Self, Orders) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), Orders(receiver))
    }

    /// Waits until all that was handed to the connection has gone out.
    pub(super) async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        self.0.send(Order::Flush(done)).ok();
        // An error means that the connection is gone, and then nothing more goes out.
        flushed.await.ok();
    }

    /// Closes the connection, without the goodbye of TLS: as a process that dies does.
    pub(super) fn close(&self) {
        // Without a receiver it is closed already.
        self.0.send(Order::Close).ok();
    }

    /// Ends the connection by a TCP reset.
    pub(super) fn reset(&self) {
        self.0.send(Order::Reset).ok();
    }
}

/// The other end of a [`Line`], which does what it asks for.
#[derive(Debug)]
pub(super) struct Orders(mpsc::UnboundedReceiver<Order>);

impl Orders {
    /// Runs `connection` over the wire of `state` until it ends or is ended.
    pub(super) async fn obey<C: Future>(mut self, connection: C, state: &State) {
        let mut connection = pin!(connection);
        loop {
            let order = tokio::select! {
                biased;
                order = self.0.recv() => order,
                _ = connection.as_mut() => return,
            };
            // One turn puts everything it was handed on the wire, as far as the peer has room for it.
            let ended = std::future::poll_fn(|cx| match connection.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(true),
                Poll::Pending if state.flushed() => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            });
            let ended = ended.await;
            match order {
                Some(Order::Flush(done)) => done.send(()).unwrap_or_default(),
                Some(Order::Reset) => return state.reset_on_drop(),
                Some(Order::Close) | None => return,
            }
            if ended {
                return;
            }
        }
    }
}

/// What is known of a [`Wire`] beside it.
#[derive(Debug, Default)]
pub(super) struct State {
    unflushed: AtomicBool,
    reset: AtomicBool,
}

impl State {
    fn flushed(&self) -> bool {
        !self.unflushed.load(Ordering::Acquire)
    }

    fn reset_on_drop(&self) {
        self.reset.store(true, Ordering::Release);
    }
}

/// A TLS stream that knows whether all of it has gone out, and whether to end by a reset.
#[derive(Debug)]
pub(super) struct Wire {
    tls: TlsStream<TcpStream>,
    state: Arc<State>,
}

impl Wire {
    pub(super) fn new(tls: TlsStream<TcpStream>) -> (Self, Arc<State>) {
        let state = Arc::<State>::default();
        (Self { tls, state: Arc::clone(&state) }, state)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.state.reset.load(Ordering::Acquire)
            && let Err(error) = self.tls.get_ref().0.set_zero_linger()
        {
            tracing::debug!(%error, "a connection is closed, not reset");
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
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

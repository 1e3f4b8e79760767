//! Coalesces what a connection writes in one turn of the runtime into one write.
//!
//! h2 writes every DATA frame of more than a few hundred bytes with a system call of its own. A change that goes to
//! the hundred streams of a connection would be a hundred system calls, as many packets for the client to read,
//! and most of the cost of an event. So a flush is deferred until every stream that is ready at the moment has been
//! polled. The bytes themselves are not inspected.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are buffered. Beyond them, writing waits for the peer as usual.
const MAX_BUFFERED_BYTES: usize = 64 * 1024;

/// A stream whose writes are buffered until its [`FlushDriver`] flushes them.
#[derive(Debug)]
pub(super) struct CoalescedWriter<S>(Arc<Mutex<Shared<S>>>);

/// Flushes what its [`CoalescedWriter`] has buffered. One task uses both, so the lock is never contended.
#[derive(Debug)]
pub(super) struct FlushDriver<S>(Arc<Mutex<Shared<S>>>);

#[derive(Debug)]
struct Shared<S> {
    stream: S,
    buffer: BytesMut,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing is buffered.
    Idle,
    /// Something was buffered since the driver was last polled.
    Buffered,
    /// The driver flushes at the end of its next poll.
    FlushScheduled,
    /// A flush failed; the next write or flush returns the error.
    Failed(io::Error),
}

/// Coalesces the writes to `stream`.
pub(super) fn coalesce<S>(stream: S) -> (CoalescedWriter<S>, FlushDriver<S>) {
    let shared = Shared { stream, buffer: BytesMut::new(), state: State::Idle };
    let shared = Arc::new(Mutex::new(shared));
    (CoalescedWriter(Arc::clone(&shared)), FlushDriver(shared))
}

impl<S: AsyncWrite + Unpin> FlushDriver<S> {
    /// Runs `connection`, which uses the writer, and flushes what it writes.
    pub(super) async fn drive<F: Future>(self, connection: F) -> F::Output {
        let mut connection = pin!(connection);
        poll_fn(|context| {
            let output = connection.as_mut().poll(context);
            let mut shared = lock(&self.0);
            match output {
                Poll::Pending => shared.after_poll(context),
                // The last bytes. There is no further poll in which to wait for a peer that does not take them.
                Poll::Ready(_) => {
                    if let Poll::Ready(Err(error)) = shared.poll_flush_buffer(context) {
                        tracing::debug!(%error, "a connection ended before everything was written");
                    }
                }
            }
            output
        })
        .await
    }
}

impl<S: AsyncWrite + Unpin> Shared<S> {
    fn after_poll(&mut self, context: &mut Context<'_>) {
        match self.state {
            State::Idle | State::Failed(_) => {}
            // The wake-up queues this task behind all tasks that are ready now, which may write to it as well.
            State::Buffered => {
                self.state = State::FlushScheduled;
                context.waker().wake_by_ref();
            }
            State::FlushScheduled => {
                if let Poll::Ready(Err(error)) = self.poll_flush_buffer(context) {
                    self.state = State::Failed(error);
                    context.waker().wake_by_ref();
                }
            }
        }
    }

    fn poll_flush_buffer(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.buffer.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.buffer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.buffer.advance(written);
        }
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        // An idle connection keeps no buffer.
        self.buffer = BytesMut::new();
        self.state = State::Idle;
        Poll::Ready(Ok(()))
    }

    fn poll_buffer(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.take_error()?;
        if self.buffer.len() >= MAX_BUFFERED_BYTES {
            ready!(self.poll_flush_buffer(context))?;
        }
        let before = self.buffer.len();
        for slice in slices {
            let free = MAX_BUFFERED_BYTES - self.buffer.len();
            self.buffer.extend_from_slice(&slice[..slice.len().min(free)]);
        }
        if let State::Idle = self.state {
            self.state = State::Buffered;
        }
        Poll::Ready(Ok(self.buffer.len() - before))
    }

    fn take_error(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Failed(error) => Err(error),
            state => {
                self.state = state;
                Ok(())
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CoalescedWriter<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_buffer(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_buffer(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Left to the [`FlushDriver`].
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(lock(&self.0).take_error())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = lock(&self.0);
        shared.take_error()?;
        ready!(shared.poll_flush_buffer(context))?;
        Pin::new(&mut shared.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CoalescedWriter<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut lock(&self.0).stream).poll_read(context, buffer)
    }
}

fn lock<S>(shared: &Mutex<Shared<S>>) -> MutexGuard<'_, Shared<S>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Counts the writes that reach the peer.
    struct CountingWriter<S>(S, Arc<AtomicUsize>);

    impl<S: AsyncWrite + Unpin> AsyncWrite for CountingWriter<S> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let written = ready!(Pin::new(&mut self.0).poll_write(context, bytes));
            self.1.fetch_add(1, Ordering::SeqCst);
            Poll::Ready(written)
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(context)
        }

        fn poll_shutdown(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(context)
        }
    }

    #[tokio::test]
    async fn the_writes_of_one_turn_are_one_write_and_no_buffer_is_kept() {
        let (stream, mut peer) = duplex(1 << 20);
        let writes = Arc::default();
        let (mut writer, driver) = coalesce(CountingWriter(stream, Arc::clone(&writes)));
        let connection = async {
            for number in 0..100u8 {
                writer.write_all(&[number; 100]).await.unwrap();
                writer.flush().await.unwrap();
            }
            // The peer has everything while the connection is still open.
            let mut received = vec![0; 10_000];
            peer.read_exact(&mut received).await.unwrap();
            assert!(received.chunks(100).zip(0..).all(|(part, number)| part == [number; 100]));
        };
        driver.drive(connection).await;
        assert_eq!(writes.load(Ordering::SeqCst), 1);
        assert_eq!(lock(&writer.0).buffer.capacity(), 0);
    }

    #[tokio::test]
    async fn a_full_buffer_waits_for_the_peer() {
        let (stream, mut peer) = duplex(1000);
        let (mut writer, driver) = coalesce(stream);
        let receiving = tokio::spawn(async move {
            let mut received = Vec::new();
            peer.read_to_end(&mut received).await.unwrap();
            received
        });
        let sent: Vec<u8> =
            (0..MAX_BUFFERED_BYTES * 5).map(|number| (number % 251) as u8).collect();
        let connection = async {
            writer.write_all(&sent).await.unwrap();
            writer.shutdown().await.unwrap();
        };
        driver.drive(connection).await;
        drop(writer);
        assert!(receiving.await.unwrap() == sent);
    }

    #[tokio::test]
    async fn a_failed_flush_is_returned_to_the_writer() {
        let (stream, peer) = duplex(1000);
        let (mut writer, driver) = coalesce(stream);
        drop(peer);
        let connection = async {
            writer.write_all(b"lost").await.unwrap();
            loop {
                if let Err(error) = writer.flush().await {
                    break error.kind();
                }
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(driver.drive(connection).await, io::ErrorKind::BrokenPipe);
    }
}

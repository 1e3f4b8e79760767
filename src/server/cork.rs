//! What a connection has to say in one turn goes out in one write.
//!
//! h2 writes every DATA frame of more than a few hundred bytes by a system call of its own. A change that is told to
//! the hundred streams of a connection would be a hundred calls, at its end as many packets to read, and most of
//! what an event costs. So a flush is put off until every stream that is ready at the moment has had its turn.
//! Nothing in here looks at the bytes.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is held back at most. Beyond it, writing waits for the peer as ever.
const MOST: usize = 64 * 1024;

/// A stream whose writes are gathered, for the [`Conversation`] that it belongs to.
#[derive(Debug)]
pub(super) struct Corked<S>(Arc<Mutex<Cork<S>>>);

/// Lets out what was gathered. Both halves are used by one task, so that nobody ever waits for the lock.
#[derive(Debug)]
pub(super) struct Conversation<S>(Arc<Mutex<Cork<S>>>);

#[derive(Debug)]
struct Cork<S> {
    stream: S,
    held: BytesMut,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing is on its way.
    Clean,
    /// Something was written in this turn of the task.
    Written,
    /// It goes out at the end of this turn.
    Due,
    /// It could not be let out: for whoever writes next.
    Broken(io::Error),
}

/// Gathers the writes to `stream`.
pub(super) fn corked<S>(stream: S) -> (Corked<S>, Conversation<S>) {
    let cork = Cork { stream, held: BytesMut::new(), state: State::Clean };
    let cork = Arc::new(Mutex::new(cork));
    (Corked(Arc::clone(&cork)), Conversation(cork))
}

impl<S: AsyncWrite + Unpin> Conversation<S> {
    /// Runs what writes to the corked stream, and lets its writes out.
    pub(super) async fn of<F: Future>(self, talk: F) -> F::Output {
        let mut talk = pin!(talk);
        poll_fn(|context| {
            let outcome = talk.as_mut().poll(context);
            let mut cork = lock(&self.0);
            match outcome {
                Poll::Pending => cork.end_turn(context),
                // Its last words; there is no other turn to wait for a peer that does not take them.
                Poll::Ready(_) => {
                    if let Poll::Ready(Err(error)) = cork.poll_out(context) {
                        tracing::debug!(%error, "a connection ended before all was written");
                    }
                }
            }
            outcome
        })
        .await
    }
}

impl<S: AsyncWrite + Unpin> Cork<S> {
    fn end_turn(&mut self, context: &mut Context<'_>) {
        match self.state {
            State::Clean | State::Broken(_) => {}
            // Behind all tasks that are ready now: they may have something to say on this connection, too.
            State::Written => {
                self.state = State::Due;
                context.waker().wake_by_ref();
            }
            State::Due => {
                if let Poll::Ready(Err(error)) = self.poll_out(context) {
                    self.state = State::Broken(error);
                    context.waker().wake_by_ref();
                }
            }
        }
    }

    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.held))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.advance(written);
        }
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        // An idle connection keeps no buffer.
        self.held = BytesMut::new();
        self.state = State::Clean;
        Poll::Ready(Ok(()))
    }

    fn poll_hold(
        &mut self,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.still_whole()?;
        if self.held.len() >= MOST {
            ready!(self.poll_out(context))?;
        }
        let before = self.held.len();
        for piece in pieces {
            let room = MOST - self.held.len();
            self.held.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        if let State::Clean = self.state {
            self.state = State::Written;
        }
        Poll::Ready(Ok(self.held.len() - before))
    }

    fn still_whole(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Clean) {
            State::Broken(error) => Err(error),
            whole => {
                self.state = whole;
                Ok(())
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Corked<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_hold(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_hold(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Put off to the end of the turn.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(lock(&self.0).still_whole())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut cork = lock(&self.0);
        cork.still_whole()?;
        ready!(cork.poll_out(context))?;
        Pin::new(&mut cork.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Corked<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut lock(&self.0).stream).poll_read(context, buffer)
    }
}

fn lock<S>(cork: &Mutex<Cork<S>>) -> MutexGuard<'_, Cork<S>> {
    cork.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Counts the writes that reach the peer.
    struct Counted<S>(S, Arc<std::sync::atomic::AtomicUsize>);

    impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let written = ready!(Pin::new(&mut self.0).poll_write(context, bytes));
            self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
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
    async fn a_turn_is_one_write_and_nothing_is_lost_or_kept() {
        let (ours, mut peer) = duplex(1 << 20);
        let writes = Arc::default();
        let (mut stream, conversation) = corked(Counted(ours, Arc::clone(&writes)));
        let talk = async {
            for number in 0..100u8 {
                stream.write_all(&[number; 100]).await.unwrap();
                stream.flush().await.unwrap();
            }
            // The peer has it all while the talk goes on.
            let mut heard = vec![0; 10_000];
            peer.read_exact(&mut heard).await.unwrap();
            assert!(heard.chunks(100).zip(0..).all(|(part, number)| part == [number; 100]));
        };
        conversation.of(talk).await;
        assert_eq!(writes.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert_eq!(lock(&stream.0).held.capacity(), 0);
    }

    #[tokio::test]
    async fn more_than_the_peer_takes_waits_for_it() {
        let (ours, mut peer) = duplex(1000);
        let (mut stream, conversation) = corked(ours);
        let hearing = tokio::spawn(async move {
            let mut heard = Vec::new();
            peer.read_to_end(&mut heard).await.unwrap();
            heard
        });
        let said: Vec<u8> = (0..MOST * 5).map(|number| (number % 251) as u8).collect();
        let talk = async {
            stream.write_all(&said).await.unwrap();
            stream.shutdown().await.unwrap();
        };
        conversation.of(talk).await;
        drop(stream);
        assert!(hearing.await.unwrap() == said);
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_told_to_the_writer() {
        let (ours, peer) = duplex(1000);
        let (mut stream, conversation) = corked(ours);
        drop(peer);
        let talk = async {
            stream.write_all(b"anybody?").await.unwrap();
            loop {
                if let Err(error) = stream.flush().await {
                    break error.kind();
                }
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(conversation.of(talk).await, io::ErrorKind::BrokenPipe);
    }
}

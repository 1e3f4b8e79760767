//! The HTTP/2 connection preface (RFC 9113 §3.4), read under a time limit before hyper takes the connection: hyper
//! waits for it without one.
//!
//! The bytes are not checked here: that is hyper's job, and [`Rewind`] gives them back to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

const LENGTH: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

/// Reads as many bytes as the preface has.
pub(super) async fn read<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<Rewind<S>> {
    let mut preface = [0; LENGTH];
    stream.read_exact(&mut preface).await?;
    Ok(Rewind { preface, consumed: 0, stream })
}

/// A stream that yields its preface a second time.
#[derive(Debug)]
pub(super) struct Rewind<S> {
    preface: [u8; LENGTH],
    /// How many bytes of `preface` have been yielded again.
    consumed: usize,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewind<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = &self.preface[self.consumed..];
        if left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let length = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..length]);
        self.consumed += length;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewind<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

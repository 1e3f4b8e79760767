//! The first 24 bytes of an HTTP/2 connection, read before hyper sees it: hyper waits for them without
//! limit.
//!
//! They are not judged here: whether they are HTTP/2 is for hyper to say.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

const LENGTH: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

/// Reads as many bytes as a preface has.
pub(super) async fn read<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<Begun<S>> {
    let mut preface = [0; LENGTH];
    stream.read_exact(&mut preface).await?;
    Ok(Begun { preface, given: 0, stream })
}

/// A stream whose beginning has been read and is given again.
#[derive(Debug)]
pub(super) struct Begun<S> {
    preface: [u8; LENGTH],
    given: usize,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = &self.preface[self.given..];
        if left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let part = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..part]);
        self.given += part;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
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

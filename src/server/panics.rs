//! A panic costs the call it happened in and nothing else: the caller gets INTERNAL, in the middle of a
//! stream too, where tonic would leave it with a reset that reads as CANCELLED.
//!
//! What the panic said is for the log, which the panic hook writes; callers are not told.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response};
use http_body::Frame;
use tonic::body::Body;
use tonic::{Code, Status};

use super::status::status;
use crate::status::trailers;

/// Answers INTERNAL when the rest panics.
// Unwind safety: what panicked is dropped and never looked at again.
pub(super) async fn caught<F>(
    request: Request<Body>,
    next: impl FnOnce(Request<Body>) -> F,
) -> Response<Body>
where
    F: Future<Output = Response<Body>>,
{
    match AssertUnwindSafe(async { next(request).await }).catch_unwind().await {
        Ok(response) => response.map(|body| Body::new(CaughtBody { rest: Some(body) })),
        Err(_) => panicked().into_http(),
    }
}

fn panicked() -> Status {
    status(Code::Internal, "INTERNAL", "internal error")
}

struct CaughtBody {
    rest: Option<Body>,
}

impl http_body::Body for CaughtBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(body) = &mut self.rest else { return Poll::Ready(None) };
        catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(cx))).unwrap_or_else(|_| {
            self.rest = None;
            Poll::Ready(Some(Ok(Frame::trailers(trailers(&panicked())))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(Body::is_end_stream)
    }
}

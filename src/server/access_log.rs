//! One line for every call, when it is over, and its place in the counts: for a stream at its end.
//!
//! It tells who called what, how it ended and how long it took. Metadata values and bodies stay out of
//! the log: they may hold credentials.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::{Body as _, Frame};
use tonic::body::Body;
use tonic::{Code, Status};

use super::calls::Open;
use super::listener::Peer;

/// Logs and counts the call when it is over.
pub(super) async fn logged<F>(
    request: Request<Body>,
    open: Open,
    next: impl FnOnce(Request<Body>) -> F,
) -> Response<Body>
where
    F: Future<Output = Response<Body>>,
{
    let mut call = Call {
        method: request.uri().clone(),
        peer: request.extensions().get().copied(),
        began: Instant::now(),
        code: None,
        open,
    };
    let response = next(request).await;
    call.hear(response.headers());
    if response.body().is_end_stream() {
        call.end();
    }
    response.map(|body| Body::new(LoggedBody { call, rest: body }))
}

/// What is known of a call. The line is written when this is dropped, because a caller who goes away
/// drops it too, wherever the call stands.
struct Call {
    method: Uri,
    peer: Option<Peer>,
    began: Instant,
    code: Option<Code>,
    open: Open,
}

impl Call {
    /// Takes the code out of a head or of trailers, if it is in there.
    fn hear(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }

    /// An answer that ends without a code is what clients take for UNKNOWN.
    fn end(&mut self) {
        self.code.get_or_insert(Code::Unknown);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody was told a code: the caller went away, or was cut off.
        let code = self.code.unwrap_or(Code::Cancelled);
        let took = self.began.elapsed();
        self.open.end(code, took);
        tracing::info!(
            target: "access",
            method = self.method.path(),
            ?code,
            duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            peer = self.peer.as_ref().map(tracing::field::display),
            "call"
        );
    }
}

struct LoggedBody {
    call: Call,
    rest: Body,
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.rest).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.call.hear(trailers);
                }
            }
            Some(Err(_)) | None => self.call.end(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_end_stream()
    }
}

//! The response stream of WatchStatus: frames that are encoded once for all streams that send the same.
//!
//! tonic copies each message into a buffer of each stream, and keeps the buffer until the next message: with large
//! events and many streams that is most of the memory and much of the CPU time. So the response gets a body of its own.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body::Frame;
use tonic::body::Body;
use tonic::{Response, Status};

use super::frames::FrameEncoder;
use super::handover;
use crate::proto::WatchStatusResponse;
use crate::response_budget::ConnectionBudget;
use crate::status;
use crate::watch::{End, Watcher};

/// The events of one watch as the body of its response, status included.
#[derive(Debug)]
pub(super) struct EventStream {
    encoder: FrameEncoder,
    budget: Option<ConnectionBudget>,
    /// None once the status has been sent.
    watcher: Option<Watcher>,
}

impl EventStream {
    pub(super) fn new(
        encoder: FrameEncoder,
        budget: Option<ConnectionBudget>,
        watcher: Watcher,
    ) -> Self {
        Self { encoder, budget, watcher: Some(watcher) }
    }
}

impl http_body::Body for EventStream {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { encoder, budget, watcher } = &mut *self;
        let Some(watching) = watcher else { return Poll::Ready(None) };
        let event = ready!(watching.poll_next_unpin(context));
        let frame = event
            .map(|event| event.and_then(|event| encoder.encode(watching, event, budget.as_ref())));
        let status = match frame {
            Some(Ok(frame)) => return Poll::Ready(Some(Ok(Frame::data(frame)))),
            Some(Err(error)) => error.into(),
            None => match watching.end() {
                End::Complete => status::ok(),
                End::Draining => status::draining(),
            },
        };
        *watcher = None;
        Poll::Ready(Some(Ok(Frame::trailers(status::trailers(&status)))))
    }

    fn is_end_stream(&self) -> bool {
        self.watcher.is_none()
    }
}

/// What the generated server takes for the stream: no messages. The real body comes by [`with_body`].
pub(super) type NoMessages = stream::Empty<Result<WatchStatusResponse, Status>>;

/// The response to a WatchStatus, as far as the generated server needs one.
pub(super) fn response(events: EventStream) -> Response<NoMessages> {
    let mut response = Response::new(stream::empty());
    handover::put(response.extensions_mut(), events);
    response
}

/// The response with its real body.
pub(super) fn with_body(
    mut response: http::Response<Body>,
    events: EventStream,
) -> http::Response<Body> {
    // The generated server announces how it would compress the stream; the frames are not compressed.
    response.headers_mut().remove("grpc-encoding");
    response.map(|_| Body::new(events))
}

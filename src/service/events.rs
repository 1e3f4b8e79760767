//! The stream of WatchStatus on its way to the wire: frames that are made once for all streams that tell
//! the same.
//!
//! tonic copies each message into a buffer of each stream, and keeps it there until the next one: with large
//! events and many streams that is most of the memory, and a good part of the time. So the response gets a body
//! of our own. Nothing in here looks into a frame, and none is compressed: most of one is a sealed token, and a
//! frame that fits one client only could not be shared.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body::Frame;
use tonic::body::Body;
use tonic::{Response, Status};

use crate::proto::WatchStatusResponse;
use crate::status;
use crate::watch::Session;

/// The events of one watch as the body of its response, status included.
#[derive(Debug)]
pub(super) struct Events {
    /// None once the status has been given out.
    session: Option<Session>,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(session) = &mut self.session else { return Poll::Ready(None) };
        let end = match ready!(session.poll_next_unpin(context)) {
            Some(Ok(event)) => return Poll::Ready(Some(Ok(Frame::data(event)))),
            Some(Err(error)) => Status::from(error),
            None if session.is_drained() => status::draining(),
            None => Status::ok(""),
        };
        self.session = None;
        Poll::Ready(Some(Ok(Frame::trailers(status::trailers(&end)))))
    }

    fn is_end_stream(&self) -> bool {
        self.session.is_none()
    }
}

/// What tonic's generated server takes for the stream: nothing. The events come by [`with_events`].
pub(super) type NoMessages = stream::Empty<Result<WatchStatusResponse, Status>>;

/// Events on their way through tonic's generated server. Extensions must be `Clone`, events are not.
#[derive(Debug, Clone)]
struct Handover(Arc<Mutex<Option<Events>>>);

/// The answer to a WatchStatus, as far as the generated server needs one.
pub(super) fn response(session: Session) -> Response<NoMessages> {
    let events = Events { session: Some(session) };
    let mut response = Response::new(stream::empty());
    response.extensions_mut().insert(Handover(Arc::new(Mutex::new(Some(events)))));
    response
}

/// Gives an answer to WatchStatus its real body; all others pass.
pub(super) fn with_events(mut response: http::Response<Body>) -> http::Response<Body> {
    let Some(Handover(events)) = response.extensions_mut().remove() else { return response };
    let events = events.lock().unwrap_or_else(PoisonError::into_inner).take();
    // tonic announces what it would have compressed the stream with.
    response.headers_mut().remove("grpc-encoding");
    response.map(|none| events.map_or(none, Body::new))
}

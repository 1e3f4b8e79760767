//! The time that a client has to send its request. The body of a call that takes one message must be complete in time;
//! that of a call that takes a stream of them may be silent for long, but not for ever. tonic waits without a limit, and the
//! client that never ends its request keeps a stream open.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{self, Instant, Sleep};
use tonic::body::Body;
use tonic::{Code, Status};

use super::status::status;

/// How long a stream of requests may be silent. Only reflection takes one, and its clients send what they want to know
/// in a burst.
const MAX_SILENCE: Duration = Duration::from_secs(600);

/// How many messages a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestMessages {
    /// One, after which the client half-closes the stream.
    One,
    /// Any number, at any time.
    Stream,
}

/// A body that fails with DEADLINE_EXCEEDED when it is late. tonic passes the status on to the client.
pub(super) struct RequestBody {
    messages: RequestMessages,
    inner: Body,
    due: Instant,
    /// Most bodies arrive with their request and never wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    /// `inner`, which has `timeout` to arrive.
    pub(super) fn new(messages: RequestMessages, inner: Body, timeout: Duration) -> Self {
        let timeout = match messages {
            RequestMessages::One => timeout,
            RequestMessages::Stream => MAX_SILENCE,
        };
        Self { messages, inner, due: Instant::now() + timeout, timer: None }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { messages, inner, due, timer } = &mut *self;
        if let Poll::Ready(frame) = Pin::new(inner).poll_frame(cx) {
            if let RequestMessages::Stream = messages {
                *due = Instant::now() + MAX_SILENCE;
                *timer = None;
            }
            return Poll::Ready(frame);
        }
        let timer = timer.get_or_insert_with(|| Box::pin(time::sleep_until(*due)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(status(
            Code::DeadlineExceeded,
            "REQUEST_TIMEOUT",
            "the request message did not arrive in time; the client must half-close the stream after it",
        ))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

//! One call from its request to the last frame of its response: logged and counted, ended at its deadline and when a
//! shutdown cannot wait for it, and the only call that a panic of its handler ends.
//!
//! tonic has layers for this kind of work. Here one function and one body do it: the order is plain to read, and a
//! stream has one allocation for all of it. What the handlers do is not known here.

use std::future::{self, Future};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use tokio::time::{self, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt;

use super::access_log::AccessRecord;
use super::call_metrics::CallMetrics;
use super::connections::OpenCall;
use super::deadline::{self, Deadline};
use super::library_status;
use super::request_body::RequestBody;
use super::request_form;
use super::stalled_call;
use super::status::status;
use crate::status::{cut_by_shutdown, trailers};

/// h2 takes a frame as a whole, whatever it may buffer of a stream. So a large frame is handed on in parts of this size,
/// and what is beyond stays here until the client reads.
const MAX_PART_BYTES: usize = 16 * 1024;

/// What the calls of a connection share.
#[derive(Debug)]
pub(super) struct Calls {
    pub routes: Routes,
    pub metrics: Arc<CallMetrics>,
    /// When it is cancelled, calls end with UNAVAILABLE.
    pub grace_over: CancellationToken,
    /// How long a request message may take to arrive.
    pub request_timeout: Duration,
}

impl Calls {
    /// Handles one call, which lasts as long as `call`.
    pub(super) async fn handle(
        self: Arc<Self>,
        mut request: Request<Body>,
        call: OpenCall,
    ) -> Response<Body> {
        let in_flight = self.metrics.start(request.uri().path());
        let messages = in_flight.request_messages();
        // Outermost, so that it has the status that the client gets and the whole duration.
        let mut record = AccessRecord::start(&request, in_flight);
        let (mut response, deadline) = match request_form::refuse(&request) {
            Some(refusal) => (refusal, None),
            None => match Deadline::take(&mut request) {
                Ok(deadline) => {
                    let request = request.map(|body| {
                        Body::new(RequestBody::new(messages, body, self.request_timeout))
                    });
                    (respond(&self, request, deadline).await, deadline)
                }
                Err(status) => (status.into_http(), None),
            },
        };
        library_status::complete(response.headers_mut(), record.method());
        record.record_status(response.headers());
        if response.body().is_end_stream() {
            record.record_end();
        }
        response.map(|body| {
            let deadline = deadline.map(|Deadline(instant)| Box::pin(time::sleep_until(instant)));
            let inner = Some(body);
            Body::new(CallBody {
                record,
                calls: self,
                deadline,
                cut: None,
                inner,
                rest: Bytes::new(),
                _call: call,
            })
        })
    }
}

/// The response of the handler, or the status of what ended it. Unwind safety: what panicked is dropped and never
/// used again.
async fn respond(
    calls: &Calls,
    request: Request<Body>,
    deadline: Option<Deadline>,
) -> Response<Body> {
    let handler = async {
        let Ok(response) = calls.routes.clone().oneshot(request).await;
        response
    };
    let handler = async {
        let deadline = async {
            match deadline {
                None => future::pending().await,
                Some(Deadline(instant)) => time::sleep_until(instant).await,
            }
        };
        tokio::select! {
            biased;
            response = handler => response,
            () = deadline => deadline::exceeded().into_http(),
            () = calls.grace_over.cancelled() => cut_by_shutdown().into_http(),
        }
    };
    let response = AssertUnwindSafe(handler).catch_unwind().await;
    response.unwrap_or_else(|_| panicked().into_http())
}

/// The text of the panic is for the log, where the panic hook writes it; clients do not get it.
fn panicked() -> Status {
    status(Code::Internal, "INTERNAL", "internal error")
}

/// The body of a response. It ends with trailers of its own at the deadline, after a panic and when a shutdown cuts it,
/// where tonic would reset the stream, which clients take for CANCELLED.
struct CallBody {
    record: AccessRecord,
    calls: Arc<Calls>,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Waits for the end of the grace period. The body of a unary call never waits, and so has none.
    cut: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// None after its end by deadline or panic: what the handler still holds is dropped at once.
    inner: Option<Body>,
    /// The rest of a frame that is too large to be handed on as a whole.
    rest: Bytes,
    _call: OpenCall,
}

type PollFrame = Poll<Option<Result<Frame<Bytes>, Status>>>;

impl CallBody {
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> PollFrame {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        // First, because a stream that always has a message ready would never get to it.
        if self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            return self.end(&deadline::exceeded());
        }
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(mem::take(&mut self.rest)))));
        }
        if let Poll::Ready(frame) = Pin::new(inner).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        let Self { calls, cut, .. } = self;
        let cut = cut.get_or_insert_with(|| Box::pin(calls.grace_over.clone().cancelled_owned()));
        ready!(cut.as_mut().poll(cx));
        self.end(&cut_by_shutdown())
    }

    fn end(&mut self, status: &Status) -> PollFrame {
        self.inner = None;
        self.rest = Bytes::new();
        Poll::Ready(Some(Ok(Frame::trailers(trailers(status)))))
    }
}

impl http_body::Body for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PollFrame {
        stalled_call::polled();
        let polled = catch_unwind(AssertUnwindSafe(|| self.poll_inner(cx)));
        let mut frame = ready!(polled.unwrap_or_else(|_| self.end(&panicked())));
        match &mut frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    library_status::complete(trailers, self.record.method());
                    self.record.record_status(trailers);
                }
            }
            Some(Err(_)) | None => self.record.record_end(),
        }
        match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(mut data))) => {
                let part = data.split_to(data.len().min(MAX_PART_BYTES));
                self.rest = data;
                stalled_call::part_yielded();
                Poll::Ready(Some(Ok(Frame::data(part))))
            }
            Some(Ok(Err(frame))) => Poll::Ready(Some(Ok(frame))),
            Some(Err(status)) => Poll::Ready(Some(Err(status))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.as_ref().is_none_or(Body::is_end_stream)
    }
}

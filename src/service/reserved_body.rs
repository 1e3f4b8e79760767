//! The body of a unary response, whose message keeps its reserved memory until it has been sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tonic::Status;
use tonic::body::Body;

use crate::response_budget::Reservation;

#[derive(Debug)]
pub(super) struct ReservedBody {
    inner: Body,
    /// None once the message has it.
    reservation: Option<Reservation>,
}

impl ReservedBody {
    pub(super) fn new(inner: Body, reservation: Reservation) -> Self {
        Self { inner, reservation: Some(reservation) }
    }
}

impl http_body::Body for ReservedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { inner, reservation } = &mut *self;
        let frame = ready!(Pin::new(inner).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.is_data() {
                true => frame.map_data(|bytes| match reservation.take() {
                    Some(reservation) => reservation.hold(bytes),
                    None => bytes,
                }),
                false => frame,
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

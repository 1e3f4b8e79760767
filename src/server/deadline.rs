//! The caller's deadline, kept for the whole call: the wait for the first byte and the stream after it.
//!
//! tonic bounds only the wait for the response head, and answers CANCELLED where the protocol says
//! DEADLINE_EXCEEDED. Calls without a deadline are not bounded here.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use tokio::time::{self, Instant, Sleep};
use tonic::body::Body;
use tonic::{Code, Status};

use super::status::status;
use crate::status::trailers;

const HEADER: &str = "grpc-timeout";

/// When the caller stops waiting: an extension of the requests that have a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

/// Ends the call at its deadline, whatever it is doing then.
pub(super) async fn bounded<F>(
    mut request: Request<Body>,
    next: impl FnOnce(Request<Body>) -> F,
) -> Response<Body>
where
    F: Future<Output = Response<Body>>,
{
    // Taken out, because there is but one who keeps it.
    let Some(timeout) = request.headers_mut().remove(HEADER) else {
        return next(request).await;
    };
    let Some(timeout) = parse(&timeout) else {
        // The protocol is silent here. Ignoring it would give a caller who asked for a bound, perhaps
        // on a write, a call without any.
        let problem = "grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n";
        return status(Code::InvalidArgument, "INVALID_TIMEOUT", problem).into_http();
    };
    // Further away than the clock can count is as good as none.
    let Some(deadline) = Instant::now().checked_add(timeout) else {
        return next(request).await;
    };
    request.extensions_mut().insert(Deadline(deadline));
    match time::timeout_at(deadline, next(request)).await {
        Ok(response) => response.map(|body| {
            let expiry = Box::pin(time::sleep_until(deadline));
            Body::new(BoundedBody { expiry, rest: Some(body) })
        }),
        Err(_) => exceeded().into_http(),
    }
}

fn exceeded() -> Status {
    status(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        "the deadline of the call passed before it ended",
    )
}

/// The protocol's `TimeoutValue TimeoutUnit`.
fn parse(timeout: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = timeout.as_bytes().split_last()?;
    if digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(value * 3600)),
        b'M' => Some(Duration::from_secs(value * 60)),
        b'S' => Some(Duration::from_secs(value)),
        b'm' => Some(Duration::from_millis(value)),
        b'u' => Some(Duration::from_micros(value)),
        b'n' => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// A body that the deadline ends, between two messages, with trailers of its own.
struct BoundedBody {
    expiry: Pin<Box<Sleep>>,
    /// Dropped at the deadline, and with it what the handler still holds.
    rest: Option<Body>,
}

impl http_body::Body for BoundedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { expiry, rest } = &mut *self;
        let Some(body) = rest else { return Poll::Ready(None) };
        // The clock first: a stream that always has something to send would never look at it.
        if expiry.as_mut().poll(cx).is_ready() {
            *rest = None;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers(&exceeded())))));
        }
        Pin::new(body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(Body::is_end_stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(timeout: &'static str) -> Option<Duration> {
        parse(&HeaderValue::from_static(timeout))
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(parsed("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parsed("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parsed("4S"), Some(Duration::from_secs(4)));
        assert_eq!(parsed("5m"), Some(Duration::from_millis(5)));
        assert_eq!(parsed("6u"), Some(Duration::from_micros(6)));
        assert_eq!(parsed("7n"), Some(Duration::from_nanos(7)));
        assert_eq!(parsed("0n"), Some(Duration::ZERO));
        assert_eq!(parsed("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
    }

    #[test]
    fn anything_else_is_refused() {
        for timeout in ["", "S", "5", "5s", "123456789S", "-1S", "+1S", "1.5S", " 1S", "1 S"] {
            assert_eq!(parsed(timeout), None, "{timeout:?}");
        }
    }
}

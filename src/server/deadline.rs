//! The deadline of a call, from its `grpc-timeout` header (gRPC over HTTP/2), and the statuses that go with it.
//!
//! It bounds the whole call, streams included; `call.rs` enforces it. tonic bounds only the wait for the response
//! head, and returns CANCELLED where the specification says DEADLINE_EXCEEDED. Calls without a deadline are not
//! bounded here.

use std::time::Duration;

use http::{HeaderValue, Request};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::status::status;
pub use crate::model::Deadline;

const HEADER: &str = "grpc-timeout";

impl Deadline {
    /// Takes the header out of a request, so that tonic does not see it, and puts the deadline into its extensions.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a malformed header. The specification leaves this open; ignoring it would leave a call, perhaps
    /// a write, without the deadline that the client set.
    pub(super) fn take<B>(request: &mut Request<B>) -> Result<Option<Self>, Status> {
        let Some(header) = request.headers_mut().remove(HEADER) else { return Ok(None) };
        let Some(timeout) = parse(&header) else {
            let problem = "grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n";
            return Err(status(Code::InvalidArgument, "INVALID_TIMEOUT", problem));
        };
        // A deadline beyond the range of the clock is as good as none.
        let Some(instant) = Instant::now().checked_add(timeout) else { return Ok(None) };
        request.extensions_mut().insert(Self(instant));
        Ok(Some(Self(instant)))
    }
}

/// The status of a call whose deadline has passed.
pub(super) fn exceeded() -> Status {
    status(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        "the deadline of the call passed before it ended",
    )
}

/// `TimeoutValue TimeoutUnit` of the specification.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(timeout: &'static str) -> Option<Duration> {
        parse(&HeaderValue::from_static(timeout))
    }

    #[test]
    fn every_unit_is_parsed() {
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
    fn anything_else_is_rejected() {
        for timeout in ["", "S", "5", "5s", "123456789S", "-1S", "+1S", "1.5S", " 1S", "1 S"] {
            assert_eq!(parsed(timeout), None, "{timeout:?}");
        }
    }
}

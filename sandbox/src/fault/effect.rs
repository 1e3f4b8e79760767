//! What a fault does to a request.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

/// The effect on a request, and a delay before it. `V` are the faults that only the vendor has.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault<V> {
    /// The delay of the request, in real time.
    pub(crate) latency: Duration,
    pub(crate) effect: Effect<V>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect<V> {
    /// The request is not executed, and there is no response.
    NoResponse(NoResponse),
    /// The request is executed, and the connection is reset before the first byte of the response.
    ReplyLost(Option<V>),
    Response {
        content: Content<V>,
        content_type: Option<HeaderValue>,
        delivery: Delivery,
    },
}

/// What the client sees instead of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// The connection is closed.
    Closed,
    /// The connection is reset.
    Reset,
    /// The connection stays open.
    Silence,
}

/// Where the response comes from. Only the first two execute the request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content<V> {
    Real,
    VendorFault(V),
    /// The vendor's own error with this status.
    Error {
        status: StatusCode,
        retry_after: Option<u32>,
    },
    /// The page of a proxy in front of the vendor.
    Html(StatusCode),
    Canned(Canned),
}

/// A response that is sent as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Canned {
    /// The HTTP status. An invalid status or header makes the response an empty 500.
    pub status: u16,
    /// Names and values. Only headers that HTTP itself needs are added.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// How a response is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) framing: Framing,
    pub(crate) bytes_per_second: Option<NonZeroU32>,
    pub(crate) end: BodyEnd,
}

/// Whether the response has a `Content-Length`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    #[default]
    Length,
    Chunked,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    #[default]
    Complete,
    /// The stream (HTTP/2) or the connection ends inside the body.
    Truncated(Portion),
    /// The connection is reset inside the body.
    Reset(Portion),
    /// The connection is reset after the body.
    ResetAfter,
}

/// How much of a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// A number of bytes, or all of a body that is not longer.
    Bytes(usize),
    /// At most 100, rounded down to bytes.
    Percent(u8),
}

impl Portion {
    /// Half of the body.
    pub const HALF: Self = Self::Percent(50);

    pub(crate) fn of(self, length: usize) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.min(length),
            Self::Percent(percent) => length * usize::from(percent.min(100)) / 100,
        }
    }
}

/// When a connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetTime {
    /// Instead of a response; the request is not executed.
    Before,
    /// After this portion of the response's body.
    During(Portion),
    /// After the whole response.
    After,
}

impl<V> Fault<V> {
    fn response(content: Content<V>) -> Self {
        let delivery = Delivery::default();
        let effect = Effect::Response { content, content_type: None, delivery };
        Self { latency: Duration::ZERO, effect }
    }

    fn delivered(delivery: Delivery) -> Self {
        let effect = Effect::Response { content: Content::Real, content_type: None, delivery };
        Self { latency: Duration::ZERO, effect }
    }

    fn no_response(reason: NoResponse) -> Self {
        Self { latency: Duration::ZERO, effect: Effect::NoResponse(reason) }
    }

    /// The real response after a delay.
    pub fn latency(latency: Duration) -> Self {
        Self { latency, ..Self::response(Content::Real) }
    }

    /// The vendor's own error with `status`.
    pub fn error(status: StatusCode) -> Self {
        Self::response(Content::Error { status, retry_after: None })
    }

    /// The vendor's own error with `status` and `Retry-After`, in seconds.
    pub fn error_with_retry_after(status: StatusCode, seconds: u32) -> Self {
        Self::response(Content::Error { status, retry_after: Some(seconds) })
    }

    /// Exactly this response.
    pub fn canned(canned: Canned) -> Self {
        Self::response(Content::Canned(canned))
    }

    /// Exactly this response, without headers.
    pub fn status(status: u16, body: &str) -> Self {
        Self::canned(Canned { status, headers: Vec::new(), body: body.to_owned().into() })
    }

    /// The page of a proxy or of its logon, with `status`.
    pub fn html(status: StatusCode) -> Self {
        Self::response(Content::Html(status))
    }

    /// A fault that only this vendor has.
    pub fn vendor(fault: V) -> Self {
        Self::response(Content::VendorFault(fault))
    }

    /// The real response with another `Content-Type`.
    pub fn content_type(content_type: HeaderValue) -> Self {
        let (content, delivery) = (Content::Real, Delivery::default());
        let content_type = Some(content_type);
        let effect = Effect::Response { content, content_type, delivery };
        Self { latency: Duration::ZERO, effect }
    }

    /// The real response with its body at this rate, in real time.
    pub fn slow(bytes_per_second: NonZeroU32) -> Self {
        let bytes_per_second = Some(bytes_per_second);
        Self::delivered(Delivery { bytes_per_second, ..Delivery::default() })
    }

    /// A portion of the real response's body, with the `Content-Length` of all of it.
    pub fn truncate(portion: Portion) -> Self {
        Self::delivered(Delivery { end: BodyEnd::Truncated(portion), ..Delivery::default() })
    }

    /// A TCP reset.
    pub fn reset(time: ResetTime) -> Self {
        let end = match time {
            ResetTime::Before => return Self::no_response(NoResponse::Reset),
            ResetTime::During(portion) => BodyEnd::Reset(portion),
            ResetTime::After => BodyEnd::ResetAfter,
        };
        Self::delivered(Delivery { end, ..Delivery::default() })
    }

    /// The request is executed, and the connection is reset before the response.
    pub fn lose_reply() -> Self {
        Self { latency: Duration::ZERO, effect: Effect::ReplyLost(None) }
    }

    /// The connection is closed instead of a response; the request is not executed.
    pub fn hang_up() -> Self {
        Self::no_response(NoResponse::Closed)
    }

    /// No response, however long the client waits; the request is not executed.
    pub fn silence() -> Self {
        Self::no_response(NoResponse::Silence)
    }
}

//! What can go wrong between a client and a simulated vendor: one vocabulary for both vendors, for tests, the
//! admin path and the command line.
//!
//! A fault stands for proxies and broken networks as well as for the vendor, so it is asked about before the
//! vendor looks at the request. What only one vendor can do wrong is its [`Own`], and kept with the vendor.

mod deliver;
mod read;
mod script;
mod words;

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

pub(super) use deliver::{deliver, html, verbatim};
pub use read::Own;
pub(super) use script::{Entry, Script};
pub use script::{Matching, Rule};
pub use words::{Complaint, Fields};

/// What happens to a request that is hit. `O` is what only its vendor can do.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault<O> {
    /// How long the request is on its way, in real time.
    pub(super) latency: Duration,
    pub(super) outcome: Outcome<O>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome<O> {
    /// It is not carried out, and nothing comes back.
    Unheard(Unheard),
    /// It is carried out, and the connection is reset before the first byte of the answer.
    Lost(Option<O>),
    /// Something comes back.
    Answered { answer: Answer<O>, content_type: Option<HeaderValue>, delivery: Delivery },
}

/// What the client has instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unheard {
    /// The connection is closed.
    HungUp,
    /// The connection is reset.
    Reset,
    /// Nothing, for as long as it waits.
    Silence,
}

/// Only the first two carry the request out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer<O> {
    Real,
    Own(O),
    /// The vendor's own words for this status.
    Refusal {
        status: StatusCode,
        retry_after: Option<u32>,
    },
    /// The page of something that stands in front of the vendor.
    Html(StatusCode),
    Canned(Canned),
}

/// An answer given verbatim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Canned {
    /// The HTTP status. One that HTTP does not know makes the answer an empty 500, and so does a header.
    pub status: u16,
    /// Names and values; nothing is added to these but what HTTP itself needs.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// How an answer arrives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) framing: Framing,
    pub(super) bytes_per_second: Option<NonZeroU32>,
    pub(super) end: End,
}

/// Whether the head says how long the body is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Framing {
    #[default]
    Length,
    Chunked,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Whole,
    /// The stream (HTTP/2) or the connection ends inside the body.
    Truncated(Portion),
    /// The connection is reset inside the body.
    Reset(Portion),
    /// The connection is reset after the body.
    ResetAfter,
}

/// How much of a body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// So many bytes, or all of a body that is no longer.
    Bytes(usize),
    /// At most 100, rounded down to bytes.
    Percent(u8),
}

impl Portion {
    /// Half of it.
    pub const HALF: Self = Self::Percent(50);

    fn of(self, whole: usize) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.min(whole),
            Self::Percent(percent) => whole * usize::from(percent.min(100)) / 100,
        }
    }
}

/// When a connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// In place of an answer; the request is not carried out.
    Before,
    /// After this much of the answer's body.
    During(Portion),
    /// After all of the answer.
    After,
}

impl<O> Fault<O> {
    fn answered(answer: Answer<O>) -> Self {
        let delivery = Delivery::default();
        let outcome = Outcome::Answered { answer, content_type: None, delivery };
        Self { latency: Duration::ZERO, outcome }
    }

    fn delivered(delivery: Delivery) -> Self {
        let outcome = Outcome::Answered { answer: Answer::Real, content_type: None, delivery };
        Self { latency: Duration::ZERO, outcome }
    }

    fn unheard(unheard: Unheard) -> Self {
        Self { latency: Duration::ZERO, outcome: Outcome::Unheard(unheard) }
    }

    /// The real answer, so much later.
    pub fn latency(latency: Duration) -> Self {
        Self { latency, ..Self::answered(Answer::Real) }
    }

    /// A refusal in the vendor's own words for `status`.
    pub fn refuse(status: StatusCode) -> Self {
        Self::answered(Answer::Refusal { status, retry_after: None })
    }

    /// A refusal with `Retry-After`, in seconds.
    pub fn refuse_for(status: StatusCode, seconds: u32) -> Self {
        Self::answered(Answer::Refusal { status, retry_after: Some(seconds) })
    }

    /// Exactly this answer.
    pub fn answer(canned: Canned) -> Self {
        Self::answered(Answer::Canned(canned))
    }

    /// Exactly this answer, without headers.
    pub fn status(status: u16, body: &str) -> Self {
        Self::answer(Canned { status, headers: Vec::new(), body: body.to_owned().into() })
    }

    /// The page of a proxy or of its logon, under `status`.
    pub fn html(status: StatusCode) -> Self {
        Self::answered(Answer::Html(status))
    }

    /// What only this vendor can do.
    pub fn own(own: O) -> Self {
        Self::answered(Answer::Own(own))
    }

    /// The real answer under another `Content-Type`.
    pub fn content_type(content_type: HeaderValue) -> Self {
        let (answer, delivery) = (Answer::Real, Delivery::default());
        let content_type = Some(content_type);
        let outcome = Outcome::Answered { answer, content_type, delivery };
        Self { latency: Duration::ZERO, outcome }
    }

    /// The real answer, its body at this pace in real time.
    pub fn slow(bytes_per_second: NonZeroU32) -> Self {
        let bytes_per_second = Some(bytes_per_second);
        Self::delivered(Delivery { bytes_per_second, ..Delivery::default() })
    }

    /// The real answer, whose head promises all of the body.
    pub fn truncate(portion: Portion) -> Self {
        Self::delivered(Delivery { end: End::Truncated(portion), ..Delivery::default() })
    }

    /// The real answer in chunks, of which the last does not come.
    pub fn truncate_chunks(portion: Portion) -> Self {
        let (framing, end) = (Framing::Chunked, End::Truncated(portion));
        Self::delivered(Delivery { framing, end, ..Delivery::default() })
    }

    /// A TCP reset.
    pub fn reset(moment: Moment) -> Self {
        let end = match moment {
            Moment::Before => return Self::unheard(Unheard::Reset),
            Moment::During(portion) => End::Reset(portion),
            Moment::After => End::ResetAfter,
        };
        Self::delivered(Delivery { end, ..Delivery::default() })
    }

    /// The request takes effect, and the connection is reset before the answer.
    pub fn lose_reply() -> Self {
        Self { latency: Duration::ZERO, outcome: Outcome::Lost(None) }
    }

    /// The connection is closed in place of an answer; the request is not carried out.
    pub fn hang_up() -> Self {
        Self::unheard(Unheard::HungUp)
    }

    /// Nothing, for as long as the client waits; the request is not carried out.
    pub fn silence() -> Self {
        Self::unheard(Unheard::Silence)
    }
}

//! Why a call fails. `status.rs` turns these errors into gRPC statuses.
//!
//! The texts reach callers: no secrets, no vendor stack traces, no URLs with signatures.

use std::time::Duration;

use jiff::Timestamp;

/// The RetryInfo of an unavailable vendor that sends no Retry-After.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why a call fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request is malformed.
    #[error("{field}: {problem}")]
    InvalidArgument {
        /// What kind of input is malformed.
        kind: InvalidKind,
        /// The request field, `names[2]` for an element.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The resource does not exist.
    #[error("{name} was not found{}", suffix(detail))]
    NotFound {
        /// Name of the resource.
        name: String,
        /// The request field that names it, if the request does.
        field: Option<String>,
        /// The vendor's text, if it helps.
        detail: String,
    },
    /// The id is taken by something else.
    #[error("{name} already exists: {difference}")]
    AlreadyExists {
        /// Name of the resource.
        name: String,
        /// How it differs from the request.
        difference: String,
    },
    /// An operation in progress must end first.
    #[error("{problem}")]
    Aborted {
        /// Which operation, on what.
        problem: String,
    },
    /// A rule of the vendor forbids it in the present state.
    #[error("{description}")]
    FailedPrecondition {
        /// The rule, UPPER_SNAKE_CASE.
        rule: &'static str,
        /// Name of the resource that violates it.
        subject: String,
        /// The rule in words and what to do about it.
        description: String,
    },
    /// A rule of the vendor forbids it for now, and will allow it without anyone doing anything.
    #[error("{description}")]
    NotYetAllowed {
        /// The rule, UPPER_SNAKE_CASE.
        rule: &'static str,
        /// Name of the resource that violates it.
        subject: String,
        /// The rule in words.
        description: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The backend cannot do this at all.
    #[error("backends/{backend} does not support `{capability}`: {reason}")]
    Unsupported {
        /// The backend.
        backend: String,
        /// A field of the contract's `Capabilities`, or `read`, which every backend is expected to support.
        capability: &'static str,
        /// The vendor's limit, for people.
        reason: &'static str,
    },
    /// The vendor throttles the gateway.
    #[error("backends/{backend} is throttled by the vendor: {detail}")]
    Throttled {
        /// The backend.
        backend: String,
        /// When to retry.
        retry_after: Duration,
        /// The vendor's text.
        detail: String,
    },
    /// The gateway's own rate limit for the backend: too many requests are waiting.
    #[error("the rate limit of backends/{backend} is reached: too many requests are waiting")]
    RateLimited {
        /// The backend.
        backend: String,
        /// When to retry.
        retry_after: Duration,
    },
    /// A long quota of the vendor is exhausted, such as ARM's three copies an hour into one collection.
    #[error("a quota of backends/{backend} is exhausted: {detail}")]
    QuotaExhausted {
        /// The backend.
        backend: String,
        /// What the quota is on.
        subject: String,
        /// When to retry, if the vendor reports it.
        retry_after: Option<Duration>,
        /// The vendor's text.
        detail: String,
    },
    /// The vendor cannot be reached or does not respond.
    #[error("backends/{backend} is unavailable: {detail}")]
    Unavailable {
        /// The backend.
        backend: String,
        /// When to retry.
        retry_after: Duration,
        /// What happened.
        detail: String,
    },
    /// The circuit breaker of the backend is open: the vendor has not responded to many requests in a row.
    #[error(
        "backends/{backend} has not responded since {since}, and its circuit breaker is open for another \
         {:.1} s: {detail}",
        retry_after.as_secs_f64()
    )]
    CircuitOpen {
        /// The backend.
        backend: String,
        /// When the first of these requests failed.
        since: Timestamp,
        /// When to retry.
        retry_after: Duration,
        /// Why the last of them failed.
        detail: String,
    },
    /// The vendor's response ended before it was complete.
    #[error("the response of backends/{backend} was interrupted: {detail}")]
    Interrupted {
        /// The backend.
        backend: String,
        /// Where, and the error of the connection.
        detail: String,
    },
    /// The vendor refuses the gateway's own credential; the caller's is not at fault.
    #[error("backends/{backend} refuses the gateway's credential: {detail}")]
    CredentialRefused {
        /// The backend.
        backend: String,
        /// The vendor's text.
        detail: String,
    },
    /// The vendor authenticates the gateway's identity and forbids it this operation.
    #[error("backends/{backend} forbids this to the gateway's identity: {detail}")]
    Forbidden {
        /// The backend.
        backend: String,
        /// The vendor's text.
        detail: String,
    },
    /// The vendor's response is not what its API defines.
    #[error("invalid response from backends/{backend}: {problem}")]
    InvalidResponse {
        /// The backend.
        backend: String,
        /// What is wrong with it; never the body itself.
        problem: String,
    },
    /// The response is larger than a gRPC client accepts by default.
    #[error(
        "the response has {bytes} bytes, more than the limit of {limit}; request a smaller page, or view BASIC or \
         FULL in place of RAW"
    )]
    ResponseTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// There is no memory for the response: clients have not read the responses before it.
    #[error(
        "the responses of {whose} that clients have not read yet take all of the memory for them"
    )]
    Overloaded {
        /// Which responses.
        whose: &'static str,
        /// When to retry.
        retry_after: Duration,
    },
    /// The gateway itself is at fault.
    #[error("internal error: {problem}")]
    Internal {
        /// What happened.
        problem: String,
    },
}

/// What kind of input is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidKind {
    /// A resource name or an id.
    Name,
    /// Any other value.
    Value,
    /// A filter or an order.
    Filter,
    /// A page token.
    PageToken,
    /// A resume token.
    ResumeToken,
}

impl Error {
    /// An INVALID_ARGUMENT on one field.
    pub fn invalid(kind: InvalidKind, field: &str, problem: impl Into<String>) -> Self {
        Self::InvalidArgument { kind, field: field.to_owned(), problem: problem.into() }
    }

    /// The same error on the request's own field: a backend that refuses or misses a name does not know whether it
    /// came as `name`, `source` or `destination`.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        match self {
            Self::InvalidArgument { kind: InvalidKind::Name, problem, .. } => {
                Self::invalid(InvalidKind::Name, field, problem)
            }
            Self::NotFound { name, detail, .. } => {
                Self::NotFound { name, field: Some(field.to_owned()), detail }
            }
            other => other,
        }
    }

    /// When to retry, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. }
            | Self::RateLimited { retry_after, .. }
            | Self::Unavailable { retry_after, .. }
            | Self::CircuitOpen { retry_after, .. }
            | Self::Overloaded { retry_after, .. }
            | Self::NotYetAllowed { retry_after, .. } => Some(*retry_after),
            Self::QuotaExhausted { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same error with another time to retry; others are unchanged.
    #[must_use]
    pub fn with_retry_after(mut self, left: Duration) -> Self {
        match &mut self {
            Self::Throttled { retry_after, .. }
            | Self::RateLimited { retry_after, .. }
            | Self::Unavailable { retry_after, .. }
            | Self::CircuitOpen { retry_after, .. }
            | Self::NotYetAllowed { retry_after, .. } => *retry_after = left,
            Self::QuotaExhausted { retry_after, .. } => *retry_after = Some(left),
            _ => {}
        }
        self
    }

    /// Whether the same read may succeed later without a change to the request or the configuration.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::RateLimited { .. }
                | Self::Unavailable { .. }
                | Self::CircuitOpen { .. }
                | Self::Interrupted { .. }
        )
    }
}

fn suffix(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

//! What can go wrong, in the words of the house. `status.rs` turns it into what gRPC says.
//!
//! The texts reach callers: no secrets, no vendor stack traces, no URLs with signatures.

use std::time::Duration;

use jiff::Timestamp;

/// A failure of a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request is malformed.
    #[error("{field}: {problem}")]
    InvalidArgument {
        /// What kind of thing is malformed.
        what: Invalid,
        /// The request field, `names[2]` for an element.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The resource is not there.
    #[error("{name} was not found{}", said(detail))]
    NotFound {
        /// Name of the resource.
        name: String,
        /// The request field that named it, if it was the request.
        field: Option<String>,
        /// What the vendor said, if it helps.
        detail: String,
    },
    /// The id is taken by something else.
    #[error("{name} exists already: {difference}")]
    AlreadyExists {
        /// Name of the resource.
        name: String,
        /// In what it differs from the request.
        difference: String,
    },
    /// Something else is under way that must end first.
    #[error("{problem}")]
    Aborted {
        /// What is under way, on what.
        problem: String,
    },
    /// A vendor's rule forbids it in the present state.
    #[error("{description}")]
    FailedPrecondition {
        /// The rule, UPPER_SNAKE_CASE.
        rule: &'static str,
        /// Name of the resource that stands in the way.
        subject: String,
        /// The rule in words and what to do about it.
        description: String,
    },
    /// The backend cannot do this at all.
    #[error("backends/{backend} cannot {capability}: {why}")]
    Unsupported {
        /// The backend.
        backend: String,
        /// Field of `Capabilities`, or `read`, which no backend claims since all can.
        capability: &'static str,
        /// The vendor's limit, for people.
        why: &'static str,
    },
    /// The vendor asks for a pause.
    #[error("backends/{backend} is throttled by the vendor: {detail}")]
    Throttled {
        /// The backend.
        backend: String,
        /// When to come again.
        retry_after: Duration,
        /// What the vendor said.
        detail: String,
    },
    /// More calls wait for this vendor than the gateway may send it in a reasonable time.
    #[error("so many calls wait for backends/{backend} that its budget of requests is spent")]
    BudgetSpent {
        /// The backend.
        backend: String,
        /// When to come again.
        retry_after: Duration,
    },
    /// A long quota is used up, such as ARM's three copies an hour into one collection.
    #[error("a quota of backends/{backend} is used up: {detail}")]
    QuotaExhausted {
        /// The backend.
        backend: String,
        /// What the quota is on.
        subject: String,
        /// When to come again, if the vendor tells.
        retry_after: Option<Duration>,
        /// What the vendor said.
        detail: String,
    },
    /// The vendor does not answer, or not sensibly for now.
    #[error("backends/{backend} does not answer: {detail}")]
    Unavailable {
        /// The backend.
        backend: String,
        /// When to come again.
        retry_after: Duration,
        /// What happened.
        detail: String,
    },
    /// The vendor has left so many calls unanswered that it is not asked for a while.
    #[error(
        "backends/{backend} has not answered since {since}, and is not asked for {:.1} s: {detail}",
        retry_after.as_secs_f64()
    )]
    Outage {
        /// The backend.
        backend: String,
        /// When the first of them failed.
        since: Timestamp,
        /// When to come again.
        retry_after: Duration,
        /// What happened last.
        detail: String,
    },
    /// The vendor's answer broke off before its end.
    #[error("the answer of backends/{backend} broke off: {detail}")]
    Interrupted {
        /// The backend.
        backend: String,
        /// Where, and what the connection said.
        detail: String,
    },
    /// The vendor refused the gateway's own credential: the caller's is fine.
    #[error("backends/{backend} refuses the gateway's credential: {detail}")]
    CredentialRefused {
        /// The backend.
        backend: String,
        /// What the vendor said.
        detail: String,
    },
    /// The vendor knows the gateway's identity and forbids it this.
    #[error("backends/{backend} forbids it to the gateway's identity: {detail}")]
    Forbidden {
        /// The backend.
        backend: String,
        /// What the vendor said.
        detail: String,
    },
    /// The vendor's answer makes no sense.
    #[error("backends/{backend} gave an answer that makes no sense: {problem}")]
    ResponseInvalid {
        /// The backend.
        backend: String,
        /// What is wrong with it; never the body itself.
        problem: String,
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
pub enum Invalid {
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
    pub fn invalid(what: Invalid, field: &str, problem: impl Into<String>) -> Self {
        Self::InvalidArgument { what, field: field.to_owned(), problem: problem.into() }
    }

    /// The same error with the request's own field in place of the one a backend guessed: a backend
    /// that refuses or misses a name does not know whether it came as `name`, `source` or `destination`.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        match self {
            Self::InvalidArgument { what: Invalid::Name, problem, .. } => {
                Self::invalid(Invalid::Name, field, problem)
            }
            Self::NotFound { name, detail, .. } => {
                Self::NotFound { name, field: Some(field.to_owned()), detail }
            }
            other => other,
        }
    }

    /// Whether a later attempt of the same read may succeed by itself.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::BudgetSpent { .. }
                | Self::Unavailable { .. }
                | Self::Outage { .. }
                | Self::Interrupted { .. }
        )
    }
}

fn said(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

//! Why a request has no complete response.
//!
//! Nothing here is a response of the vendor: what an error status means is the backends' business.

use std::time::Duration;

use super::breaker::CircuitOpen;
use super::redact::chain;
use crate::model::{DEFAULT_RETRY_AFTER, Error};

/// Why a request has no complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// No connection: DNS, routing, refusal, TLS. The request has had no effect.
    NotSent(String),
    /// Not sent: the gateway's own rate limit is reached for so long.
    RateLimited(Duration),
    /// Not sent: the circuit breaker is open.
    CircuitOpen(CircuitOpen),
    /// Not sent: a Retry-After of the vendor has not passed yet.
    HeldBack(Error),
    /// Sent, perhaps with effect, but no response came.
    NoResponse(String),
    /// The response ended early.
    Interrupted(String),
    /// The response is larger than the gateway reads, in bytes.
    TooLarge(u64),
}

impl RequestError {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let text = chain(error);
        if error.is_connect() || error.is_builder() {
            Self::NotSent(text)
        } else if error.is_body() || error.is_decode() {
            Self::Interrupted(text)
        } else {
            Self::NoResponse(text)
        }
    }

    /// The error as callers of a backend see it.
    pub fn into_error(self, backend: &str) -> Error {
        let backend = backend.to_owned();
        match self {
            Self::NotSent(detail) | Self::NoResponse(detail) => {
                Error::Unavailable { backend, retry_after: DEFAULT_RETRY_AFTER, detail }
            }
            Self::RateLimited(retry_after) => Error::RateLimited { backend, retry_after },
            Self::CircuitOpen(CircuitOpen { since, retry_after, last_error }) => {
                Error::CircuitOpen { backend, since, retry_after, detail: last_error }
            }
            Self::HeldBack(error) => error,
            Self::Interrupted(detail) => Error::Interrupted { backend, detail },
            Self::TooLarge(limit) => {
                let problem = format!("larger than {limit} bytes");
                Error::InvalidResponse { backend, problem }
            }
        }
    }
}

//! The one way to send a request to a vendor: trust, timeouts, bounds on what is read, rate limit, circuit breaker,
//! retries of reads, redaction, metrics.
//!
//! What a status code or a body means is the backends' business.

mod body;
mod breaker;
mod client;
mod error;
mod exchange;
mod metrics;
mod rate_limit;
mod redact;
mod retry;
mod retry_after;
mod trust;

pub use body::{BodyReader, collect};
pub use breaker::CircuitOpen;
pub use client::Client;
pub use error::RequestError;
pub use metrics::{RequestMetrics, StatusClass};
pub use rate_limit::{RateLimit, RateLimited, RateLimiter, RateLimiterState};
pub use redact::{redact_text, redact_url};
pub use retry::retry_reads;
pub use trust::{Trust, TrustError};

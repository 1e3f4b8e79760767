//! The one way to send a request to a vendor or its authority: [`Client::send`] has the layers, and [`Intent`] what a
//! request is.
//!
//! What a status code or a body means is the backends' business.

mod body;
mod breaker;
mod client;
mod connection;
mod error;
mod exchange;
mod intent;
mod metrics;
mod rate_limit;
mod redact;
mod retry;
mod retry_after;
mod retry_budget;
mod trust;

pub use body::{BodyReader, collect};
pub use breaker::CircuitOpen;
pub use client::Client;
pub use connection::{Connection, Proxy, ProxyUrl};
pub use error::RequestError;
pub use intent::{Effect, Intent, Sensitivity};
pub use metrics::{RequestMetrics, StatusClass, Upstream};
pub use rate_limit::{RateLimit, RateLimited, RateLimiter, RateLimiterState};
pub use redact::{redact_text, redact_url};
pub use trust::{Trust, TrustError};

//! The one way to call a vendor: trust, timeouts, bounds on what is read, repeated reads, redaction, no calls in
//! vain, and counts of those that were made.
//!
//! What a status code or a body means is the adapters' business.

mod body;
mod breaker;
mod budget;
mod client;
mod redact;
mod repeat;
mod trust;
mod usage;

pub use body::{collect, next_piece};
pub use breaker::Outage;
pub use budget::{Allowance, Budget, Rate, Spent};
pub use client::{Client, Failure, RETRY_AFTER_OUTAGE};
pub use redact::{redact_text, redact_url};
pub use repeat::reads;
pub use trust::{Trust, TrustError};
pub use usage::{Outcome, Usage};

//! The one way to call a vendor: trust, timeouts, bounds on what is read, repeated reads, redaction, and counts
//! of what was asked.
//!
//! What a status code or a body means is the adapters' business.

mod body;
mod budget;
mod client;
mod redact;
mod repeat;
mod usage;

pub use body::{collect, next_piece};
pub use budget::{Allowance, Budget, Rate, Spent};
pub use client::{Client, Failure, RETRY_AFTER_OUTAGE, Trust, TrustError};
pub use redact::{redact_text, redact_url};
pub use repeat::reads;
pub use usage::{Outcome, Usage};

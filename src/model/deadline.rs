//! The time at which a caller stops waiting.

use tokio::time::Instant;

/// When the caller of an RPC stops waiting: an extension of the requests that have a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

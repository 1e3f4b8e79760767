//! The steps of an orderly shutdown and how long each may take. `mod.rs` goes through them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long each part of an orderly shutdown may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// The lame duck period: health is NOT_SERVING while calls are still accepted, so that load balancers stop
    /// sending new ones first.
    pub lame_duck: Duration,
    /// The time after it for calls in flight to end. Clients have been sent GOAWAY (RFC 9113 §6.8).
    pub grace: Duration,
    /// The time after it in which the calls that are left send their clients UNAVAILABLE. What is left at its end is
    /// aborted.
    pub responding: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            lame_duck: Duration::ZERO,
            grace: Duration::from_secs(10),
            responding: Duration::from_secs(1),
        }
    }
}

/// The steps of a shutdown, in their order. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Cancelled from outside to request an orderly shutdown.
    pub requested: CancellationToken,
    /// Cancelled by the server when the lame duck period is over. Long-lived streams end themselves when they see it.
    pub draining: CancellationToken,
    /// Cancelled by the server when the grace period is over, or earlier from outside. The calls that are left end with
    /// UNAVAILABLE.
    pub grace_over: CancellationToken,
    /// Cancelled by the server when the time to respond is over, or earlier from outside. Everything left is dropped.
    pub abort: CancellationToken,
}

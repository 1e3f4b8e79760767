//! Retries of reads that failed with a transient error. Writes are never retried here: after a lost reply the backend
//! looks whether the write has had its effect before it sends it again.
//!
//! The pause is random up to the backoff ("full jitter"), so that callers who failed together do not return
//! together.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::Instant;

use super::intent::Effect;
use super::retry_budget::RetryBudget;
use crate::model::{DEFAULT_RETRY_AFTER, Error};

const MAX_ATTEMPTS: usize = 3;
/// No attempt is made later than this after the first: a vendor that is silent until the time limit of a request costs a
/// caller that limit once.
const MAX_RETRY_TIME: Duration = Duration::from_secs(10);
const MIN_BACKOFF: Duration = Duration::from_millis(100);
/// No pause is shorter: by then a failed request for a token may be repeated (see the token cache).
const MIN_PAUSE: Duration = Duration::from_millis(60);
/// A longer pause is returned to the caller as RetryInfo instead of being waited for.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Runs `attempt`, for a read until it succeeds, fails with a permanent error, the vendor requests a long pause, or it has
/// been tried three times. The vendor's own Retry-After takes precedence over the backoff.
///
/// # Errors
/// The last error.
pub(super) async fn retry<T, F>(
    budget: &RetryBudget,
    effect: Effect,
    attempt: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let backoff = ExponentialBuilder::default()
        .with_min_delay(MIN_BACKOFF)
        .with_max_delay(MAX_BACKOFF)
        .with_max_times(MAX_ATTEMPTS - 1);
    let started = Instant::now();
    attempt
        .retry(backoff)
        .when(|error| {
            effect == Effect::Read && error.is_transient() && started.elapsed() < MAX_RETRY_TIME
        })
        .adjust(|error, backoff| {
            let backoff = backoff.map(|pause| pause.mul_f64(fastrand::f64()).max(MIN_PAUSE));
            let pause = match error {
                // The gateway's own limits: an immediate retry has the same result.
                Error::RateLimited { .. } | Error::CircuitOpen { .. } => None,
                // Any other pause than the gateway's own default is one that the vendor requested.
                Error::Unavailable { retry_after, .. } if *retry_after == DEFAULT_RETRY_AFTER => {
                    backoff
                }
                Error::Throttled { retry_after, .. } | Error::Unavailable { retry_after, .. } => {
                    let pause = backoff.map(|pause| pause.max(*retry_after));
                    pause.filter(|pause| *pause <= MAX_BACKOFF)
                }
                _ => backoff,
            };
            // Taken last: what is not retried for another reason costs nothing.
            pause.filter(|_| budget.withdraw())
        })
        .await
}

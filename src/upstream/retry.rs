//! Retries of reads that failed with a transient error. Writes are never retried here: after a lost reply the backend
//! looks whether the write has had its effect before it sends it again.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::Instant;

use crate::model::{DEFAULT_RETRY_AFTER, Error};

const MAX_ATTEMPTS: usize = 3;
/// No attempt is made later than this after the first: a vendor that is silent until the time limit of a request costs a
/// caller that limit once.
const MAX_RETRY_TIME: Duration = Duration::from_secs(10);
const MIN_BACKOFF: Duration = Duration::from_millis(100);
/// A longer pause is returned to the caller as RetryInfo instead of being waited for.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Runs `read` until it succeeds, fails with a permanent error, the vendor requests a long pause, or it has been tried
/// three times. Backoff is exponential with jitter; the vendor's own Retry-After takes precedence.
///
/// # Errors
/// The last error.
pub async fn retry_reads<T, F>(read: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let backoff = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(MIN_BACKOFF)
        .with_max_delay(MAX_BACKOFF)
        .with_max_times(MAX_ATTEMPTS - 1);
    let started = Instant::now();
    read.retry(backoff)
        .when(|error| error.is_transient() && started.elapsed() < MAX_RETRY_TIME)
        .adjust(|error, backoff| match error {
            Error::Throttled { retry_after, .. } => {
                backoff.map(|pause| pause.max(*retry_after)).filter(|pause| *pause <= MAX_BACKOFF)
            }
            // Any other pause than the gateway's own default is one that the vendor requested.
            Error::Unavailable { retry_after, .. } if *retry_after != DEFAULT_RETRY_AFTER => {
                backoff.map(|pause| pause.max(*retry_after)).filter(|pause| *pause <= MAX_BACKOFF)
            }
            // The gateway's own limits: an immediate retry has the same result.
            Error::RateLimited { .. } | Error::CircuitOpen { .. } => None,
            _ => backoff,
        })
        .await
}

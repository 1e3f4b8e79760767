//! Repeating reads that failed for a passing reason. Writes are never repeated here: whoever lost the
//! reply of a write looks before it writes again.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::client::RETRY_AFTER_OUTAGE;
use crate::model::Error;

const ATTEMPTS: usize = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A caller waits; a longer pause is told to him instead of being slept through.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Calls `read` until it succeeds, fails for good, asks for a long pause, or has been tried three
/// times. The vendor's own Retry-After wins over the growing pause.
///
/// # Errors
/// The last failure.
pub async fn reads<T, F>(read: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(ATTEMPTS - 1);
    read.retry(pauses)
        .when(Error::is_passing)
        .adjust(|error, pause| match error {
            Error::Throttled { retry_after, .. } => {
                pause.map(|pause| pause.max(*retry_after)).filter(|pause| *pause <= LONGEST_PAUSE)
            }
            // More than the gateway itself would tell a caller: the vendor has asked for it.
            Error::Unavailable { retry_after, .. } => {
                pause.filter(|_| *retry_after <= RETRY_AFTER_OUTAGE)
            }
            // The gateway's own word: nothing else comes of asking it again at once.
            Error::BudgetSpent { .. } | Error::Outage { .. } => None,
            _ => pause,
        })
        .await
}

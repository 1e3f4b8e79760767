//! Waiting for an event without sleeping. No test measures time: the timeout only makes a test that hangs fail.

use std::panic::Location;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::timeout;

/// The longest time that a test waits for one event.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The output of `future`. Panics with the place of the call if there is none within [`TEST_TIMEOUT`].
#[track_caller]
pub fn in_time<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    async move {
        let output = timeout(TEST_TIMEOUT, future).await;
        output.unwrap_or_else(|_| panic!("timed out after {TEST_TIMEOUT:?} at {caller}"))
    }
}

/// Yields to the runtime until `condition` is true, for what the gateway does without an event that a client could
/// wait for. Panics as [`in_time`] does.
#[track_caller]
pub fn eventually(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    in_time(async move {
        while !condition() {
            yield_now().await;
        }
    })
}

/// Advances the clock of the runtime: that of gateways and clients on it. The clock is real before and after.
pub async fn advance(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

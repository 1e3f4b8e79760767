//! A value that one attempt at a time acquires for all calls: an access token, a logon session.
//!
//! An attempt is a task of its own, so that a call which gives up does not cancel it: a directory counts a failed logon
//! whether or not its response is read. Its result goes to all calls that wait for it. After a failure no attempt is made
//! for as long as the backoff says; calls get the error at once.
//!
//! When a value is no longer usable is the caller's to decide.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;

type Outcome<T, E> = BoxFuture<'static, Result<Arc<T>, E>>;
type Attempt<T, E> = Shared<Outcome<T, E>>;

/// How long to wait after a failure, given the wait after the failure before it.
pub(super) type Backoff<E> = fn(&E, Option<Duration>) -> Duration;

/// The value, the attempt in flight, and the last failure.
pub(super) struct Acquirer<T, E> {
    state: Arc<Mutex<State<T, E>>>,
    backoff: Backoff<E>,
}

struct State<T, E> {
    current: Option<Arc<T>>,
    /// Its task owns it, and it owns this state: one that a shutdown drops leaves nothing behind.
    attempt: Option<WeakShared<Outcome<T, E>>>,
    /// The last attempt failed.
    failure: Option<Failure<E>>,
}

struct Failure<E> {
    error: E,
    backoff: Duration,
    retry_at: Instant,
}

impl<T, E> Acquirer<T, E>
where
    T: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// Without a value.
    pub(super) fn new(backoff: Backoff<E>) -> Self {
        let state = State { current: None, attempt: None, failure: None };
        Self { state: Arc::new(Mutex::new(state)), backoff }
    }

    /// The value that was acquired last, unless [`Acquirer::acquire`] has found it unusable.
    pub(super) fn current(&self) -> Option<Arc<T>> {
        lock(&self.state).current.clone()
    }

    /// A value in place of `unusable`: of another call's attempt, or of a new one.
    ///
    /// # Errors
    /// That of the attempt, or of the last one during the backoff after it.
    pub(super) async fn acquire(
        &self,
        unusable: Option<&Arc<T>>,
        attempt: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<Arc<T>, E> {
        let attempt = {
            let mut state = lock(&self.state);
            match &state.current {
                Some(current)
                    if unusable.is_none_or(|unusable| !Arc::ptr_eq(unusable, current)) =>
                {
                    return Ok(Arc::clone(current));
                }
                _ => state.current = None,
            }
            self.join_or_start(&mut state, attempt)?
        };
        attempt.await
    }

    /// Starts an attempt in the background, unless one is in flight or the backoff forbids it. The current value stays
    /// usable.
    pub(super) fn renew(&self, attempt: impl Future<Output = Result<T, E>> + Send + 'static) {
        let attempt = self.join_or_start(&mut lock(&self.state), attempt);
        // During the backoff there is nothing to do: the error is known.
        drop(attempt);
    }

    /// Takes the value; during an attempt, when it has ended.
    pub(super) async fn take(&self) -> Option<Arc<T>> {
        self.settled().await;
        lock(&self.state).current.take()
    }

    /// Waits until no attempt is in flight.
    pub(super) async fn settled(&self) {
        let attempt = lock(&self.state).in_flight();
        if let Some(attempt) = attempt {
            drop(attempt.await);
        }
    }

    fn join_or_start(
        &self,
        state: &mut State<T, E>,
        attempt: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<Attempt<T, E>, E> {
        if let Some(attempt) = state.in_flight() {
            return Ok(attempt);
        }
        if let Some(failure) = &state.failure
            && Instant::now() < failure.retry_at
        {
            return Err(failure.error.clone());
        }
        let (shared, backoff) = (Arc::clone(&self.state), self.backoff);
        let attempt = async move {
            let _in_flight = InFlight(Arc::clone(&shared));
            let result = attempt.await.map(Arc::new);
            lock(&shared).record(&result, backoff);
            result
        };
        let attempt = attempt.boxed().shared();
        state.attempt = attempt.downgrade();
        tokio::spawn(attempt.clone());
        Ok(attempt)
    }
}

impl<T, E: Clone> State<T, E> {
    fn in_flight(&self) -> Option<Attempt<T, E>> {
        self.attempt.as_ref().and_then(WeakShared::upgrade)
    }

    fn record(&mut self, result: &Result<Arc<T>, E>, backoff: Backoff<E>) {
        match result {
            Ok(value) => {
                self.current = Some(Arc::clone(value));
                self.failure = None;
            }
            Err(error) => {
                let backoff = backoff(error, self.failure.as_ref().map(|last| last.backoff));
                let retry_at = Instant::now() + backoff;
                self.failure = Some(Failure { error: error.clone(), backoff, retry_at });
            }
        }
    }
}

/// Ends with the attempt, even by a panic: then the next call makes another.
struct InFlight<T, E>(Arc<Mutex<State<T, E>>>);

impl<T, E> Drop for InFlight<T, E> {
    fn drop(&mut self) {
        // Dropped after the lock is released: the attempt refers to this state.
        let ended = lock(&self.0).attempt.take();
        drop(ended);
    }
}

fn lock<T, E>(state: &Mutex<State<T, E>>) -> MutexGuard<'_, State<T, E>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The value may be a secret.
impl<T, E> fmt::Debug for Acquirer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acquirer(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::{join_all, poll_immediate};
    use tokio::sync::Semaphore;
    use tokio::time::advance;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    /// Attempts that each need a permit to end, and return their number.
    struct Source {
        started: AtomicUsize,
        permits: Semaphore,
    }

    impl Source {
        fn new(permits: usize) -> Arc<Self> {
            Arc::new(Self { started: AtomicUsize::new(0), permits: Semaphore::new(permits) })
        }

        async fn succeed(self: Arc<Self>) -> Result<usize, usize> {
            let number = self.started.fetch_add(1, Ordering::SeqCst);
            self.permits.acquire().await.unwrap().forget();
            Ok(number)
        }

        async fn fail(self: Arc<Self>) -> Result<usize, usize> {
            self.succeed().await.map_or_else(Err, Err)
        }

        fn started(&self) -> usize {
            self.started.load(Ordering::SeqCst)
        }
    }

    fn acquirer() -> Acquirer<usize, usize> {
        Acquirer::new(|_, previous| previous.map_or(S, |previous| previous * 2))
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_give_up_cancel_no_attempt_and_make_no_other() {
        let (source, acquirer) = (Source::new(0), acquirer());
        for _ in 0..100 {
            let call = acquirer.acquire(None, Arc::clone(&source).succeed());
            assert!(tokio::time::timeout(S, call).await.is_err());
        }
        assert_eq!(source.started(), 1);
        source.permits.add_permits(1);
        assert_eq!(*acquirer.acquire(None, Arc::clone(&source).succeed()).await.unwrap(), 0);
        assert_eq!(source.started(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_and_followed_by_a_growing_pause() {
        let (source, acquirer) = (Source::new(1000), acquirer());
        for (attempt, pause) in [S, 2 * S, 4 * S].into_iter().enumerate() {
            let calls = (0..50).map(|_| acquirer.acquire(None, Arc::clone(&source).fail()));
            assert!(join_all(calls).await.iter().all(|result| *result == Err(attempt)));
            advance(pause - Duration::from_millis(1)).await;
            let refused = acquirer.acquire(None, Arc::clone(&source).fail()).await;
            assert_eq!((refused, source.started()), (Err(attempt), attempt + 1));
            advance(Duration::from_millis(1)).await;
        }
        let acquired = acquirer.acquire(None, Arc::clone(&source).succeed()).await.unwrap();
        let failed = acquirer.acquire(Some(&acquired), Arc::clone(&source).fail()).await;
        assert_eq!(failed, Err(4));
        advance(S).await;
        let again = acquirer.acquire(None, Arc::clone(&source).succeed()).await;
        assert_eq!(again.map(|value| *value), Ok(5), "after a success the pause starts again");
    }

    #[tokio::test]
    async fn an_unusable_value_is_replaced_once() {
        let (source, acquirer) = (Source::new(2), acquirer());
        let first = acquirer.acquire(None, Arc::clone(&source).succeed()).await.unwrap();
        let calls = (0..50).map(|_| acquirer.acquire(Some(&first), Arc::clone(&source).succeed()));
        assert!(join_all(calls).await.iter().all(|result| **result.as_ref().unwrap() == 1));
        assert_eq!(source.started(), 2);
    }

    #[tokio::test]
    async fn a_renewal_leaves_the_value_usable_until_it_has_another() {
        let (source, acquirer) = (Source::new(1), acquirer());
        acquirer.acquire(None, Arc::clone(&source).succeed()).await.unwrap();
        (0..10).for_each(|_| acquirer.renew(Arc::clone(&source).succeed()));
        tokio::task::yield_now().await;
        assert_eq!((acquirer.current().map(|value| *value), source.started()), (Some(0), 2));
        source.permits.add_permits(1);
        assert_eq!(acquirer.take().await.map(|value| *value), Some(1));
        assert_eq!(acquirer.current(), None);
    }

    #[test]
    fn a_runtime_that_ends_leaves_nothing_of_an_attempt() {
        let (source, acquirer) = (Source::new(0), acquirer());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut call = Box::pin(acquirer.acquire(None, Arc::clone(&source).succeed()));
            assert!(poll_immediate(&mut call).await.is_none());
        });
        assert!(Arc::strong_count(&source) > 1);
        drop((runtime, acquirer));
        assert_eq!(Arc::strong_count(&source), 1);
    }

    #[tokio::test]
    async fn a_panic_ends_its_attempt_only() {
        let acquirer = acquirer();
        let call = acquirer.acquire(None, async { panic!("a defect") });
        assert!(std::panic::AssertUnwindSafe(call).catch_unwind().await.is_err());
        let mut next = Box::pin(acquirer.acquire(None, async { Ok(7) }));
        let value = match poll_immediate(&mut next).await {
            Some(result) => result,
            None => next.await,
        };
        assert_eq!(value.map(|value| *value), Ok(7));
    }
}

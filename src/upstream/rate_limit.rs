//! The rate limit of one backend: a token bucket that all callers and pollers share, first come, first served.
//!
//! A request that would wait too long is refused at once, with the time after which a retry makes sense.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A request that would wait longer is refused.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// How many requests a backend may send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Sustained rate.
    pub per_second: f64,
    /// Size of the bucket: requests that may be sent at once after a pause.
    pub burst: u32,
}

/// A token bucket with a FIFO queue.
#[derive(Debug)]
pub struct RateLimiter {
    limit: RateLimit,
    bucket: Mutex<Bucket>,
    /// Held by the head of the queue; tokio's mutex is fair.
    queue: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Bucket {
    available: f64,
    refilled: Instant,
}

/// A request is refused: a retry makes sense after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited(pub Duration);

/// The state of a rate limiter at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimiterState {
    /// Requests that may be sent at once.
    pub available: f64,
    /// Requests in the queue.
    pub waiting: usize,
}

impl RateLimiter {
    /// A limiter with a full bucket.
    pub fn new(limit: RateLimit) -> Self {
        let bucket = Bucket { available: f64::from(limit.burst), refilled: Instant::now() };
        Self {
            limit,
            bucket: Mutex::new(bucket),
            queue: tokio::sync::Mutex::default(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Waits until one request may be sent.
    ///
    /// # Errors
    /// When the queue is so long that the wait would exceed five seconds.
    pub async fn acquire(&self) -> Result<(), RateLimited> {
        let slot = QueueSlot::new(&self.waiting);
        #[allow(clippy::cast_precision_loss, reason = "a queue is far shorter than 2^52")]
        let wait = Duration::from_secs_f64(slot.ahead as f64 / self.limit.per_second);
        if wait > MAX_WAIT {
            return Err(RateLimited(wait));
        }
        let _head = self.queue.lock().await;
        loop {
            let refill = match self.bucket().take(self.limit, Instant::now()) {
                Ok(()) => return Ok(()),
                Err(refill) => refill,
            };
            sleep_until(refill).await;
        }
    }

    /// The present state.
    pub fn state(&self) -> RateLimiterState {
        let mut bucket = self.bucket();
        bucket.refill(self.limit, Instant::now());
        let waiting = self.waiting.load(Ordering::Relaxed);
        RateLimiterState { available: bucket.available, waiting }
    }

    /// Lowers the available requests to what the vendor reports as remaining.
    pub fn lower_to(&self, remaining: u32) {
        let mut bucket = self.bucket();
        bucket.available = bucket.available.min(f64::from(remaining));
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn refill(&mut self, limit: RateLimit, now: Instant) {
        let added = now.saturating_duration_since(self.refilled).as_secs_f64() * limit.per_second;
        self.available = (self.available + added).min(f64::from(limit.burst));
        self.refilled = now;
    }

    /// Takes one token, or returns when there will be one.
    fn take(&mut self, limit: RateLimit, now: Instant) -> Result<(), Instant> {
        self.refill(limit, now);
        if self.available < 1.0 {
            let missing = Duration::from_secs_f64((1.0 - self.available) / limit.per_second);
            // One nanosecond more than rounding may have cut off.
            return Err(now + missing + Duration::from_nanos(1));
        }
        self.available -= 1.0;
        Ok(())
    }
}

/// A place in the queue, released on drop: the caller may give up.
struct QueueSlot<'a> {
    waiting: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> QueueSlot<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::sync::Arc;

    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_beyond_the_burst_keep_to_the_rate() {
        let limiter = RateLimiter::new(RateLimit { per_second: 25.0, burst: 10 });
        let start = Instant::now();
        join_all((0..110).map(|_| limiter.acquire()))
            .await
            .into_iter()
            .for_each(|acquired| acquired.unwrap());
        let seconds = start.elapsed().as_secs_f64();
        assert!((4.0..4.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_served_in_order() {
        let limiter = Arc::new(RateLimiter::new(RateLimit { per_second: 10.0, burst: 1 }));
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let acquirers = (0..20).map(|number| {
            let (limiter, order) = (&limiter, &order);
            async move {
                limiter.acquire().await.unwrap();
                order.lock().unwrap().push(number);
            }
        });
        join_all(acquirers).await;
        assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_at_the_end_of_a_long_queue_is_refused_with_the_wait() {
        let limiter = RateLimiter::new(RateLimit { per_second: 1.0, burst: 1 });
        let acquired = join_all((0..10).map(|_| limiter.acquire())).await;
        let refused: Vec<_> = acquired.iter().filter_map(|acquired| acquired.err()).collect();
        assert_eq!(refused.len(), 3, "one is sent at once, and six wait at most 5 s");
        assert_eq!(refused[0], RateLimited(Duration::from_secs(6)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_state_shows_available_and_waiting_requests() {
        let limiter = RateLimiter::new(RateLimit { per_second: 1.0, burst: 2 });
        assert_eq!(limiter.state(), RateLimiterState { available: 2.0, waiting: 0 });
        let mut queue = Box::pin(join_all((0..5).map(|_| limiter.acquire())));
        assert!(futures::poll!(&mut queue).is_pending());
        assert_eq!(limiter.state(), RateLimiterState { available: 0.0, waiting: 3 });
        drop(queue);
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(limiter.state(), RateLimiterState { available: 1.5, waiting: 0 });
    }

    #[tokio::test(start_paused = true)]
    async fn the_vendor_can_lower_what_is_available() {
        let limiter = RateLimiter::new(RateLimit { per_second: 1.0, burst: 100 });
        limiter.lower_to(0);
        let start = Instant::now();
        limiter.acquire().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 1);
    }
}

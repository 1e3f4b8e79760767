//! What one vendor may be asked, all callers and pollers together: so many requests a second, and a reserve
//! for bursts.
//!
//! Whoever waits longest goes first. Whoever would wait too long is refused at once, with the time after
//! which it is worth another try.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How long a call waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many requests a vendor may get.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// In the long run, a second.
    pub per_second: f64,
    /// At once, after a silence.
    pub burst: u32,
}

/// A bucket of requests that fills again.
#[derive(Debug)]
pub struct Budget {
    rate: Rate,
    bucket: Mutex<Bucket>,
    /// Held by the first of the queue: it is given in the order of asking.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    filled: Instant,
}

/// The budget is spent; another try is worth it after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent(pub Duration);

/// What a budget allows at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Requests that may be made at once.
    pub left: f64,
    /// Calls that wait for their turn to make one.
    pub waiting: usize,
}

impl Budget {
    /// A full bucket.
    pub fn new(rate: Rate) -> Self {
        let bucket = Bucket { left: f64::from(rate.burst), filled: Instant::now() };
        Self {
            rate,
            bucket: Mutex::new(bucket),
            turn: tokio::sync::Mutex::default(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Waits for the right to one request.
    ///
    /// # Errors
    /// When so many wait already that it would take too long.
    pub async fn take(&self) -> Result<(), Spent> {
        let place = Place::new(&self.waiting);
        #[allow(clippy::cast_precision_loss, reason = "a queue is far shorter than 2^52")]
        let wait = Duration::from_secs_f64(place.ahead as f64 / self.rate.per_second);
        if wait > PATIENCE {
            return Err(Spent(wait));
        }
        let _turn = self.turn.lock().await;
        loop {
            let full = match self.bucket().take(self.rate, Instant::now()) {
                Taken::Now => return Ok(()),
                Taken::At(full) => full,
            };
            sleep_until(full).await;
        }
    }

    /// What it allows now.
    pub fn allowance(&self) -> Allowance {
        let mut bucket = self.bucket();
        bucket.fill(self.rate, Instant::now());
        Allowance { left: bucket.left, waiting: self.waiting.load(Ordering::Relaxed) }
    }

    /// Believes the vendor that no more than so many requests are left at the moment.
    pub fn at_most(&self, left: u32) {
        let mut bucket = self.bucket();
        bucket.left = bucket.left.min(f64::from(left));
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Taken {
    Now,
    /// Not before this.
    At(Instant),
}

impl Bucket {
    fn fill(&mut self, rate: Rate, now: Instant) {
        let grown = now.saturating_duration_since(self.filled).as_secs_f64() * rate.per_second;
        self.left = (self.left + grown).min(f64::from(rate.burst));
        self.filled = now;
    }

    fn take(&mut self, rate: Rate, now: Instant) -> Taken {
        self.fill(rate, now);
        if self.left < 1.0 {
            let missing = Duration::from_secs_f64((1.0 - self.left) / rate.per_second);
            // A nanosecond more than what rounding may have taken.
            return Taken::At(now + missing + Duration::from_nanos(1));
        }
        self.left -= 1.0;
        Taken::Now
    }
}

/// A place in the queue, given up whenever its holder goes.
struct Place<'a> {
    waiting: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Place<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Place<'_> {
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
    async fn never_more_than_the_rate_beyond_the_reserve() {
        let budget = Budget::new(Rate { per_second: 25.0, burst: 10 });
        let start = Instant::now();
        join_all((0..110).map(|_| budget.take()))
            .await
            .into_iter()
            .for_each(|taken| taken.unwrap());
        let seconds = start.elapsed().as_secs_f64();
        assert!((4.0..4.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_longest_goes_first() {
        let budget = Arc::new(Budget::new(Rate { per_second: 10.0, burst: 1 }));
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let takers = (0..20).map(|number| {
            let (budget, order) = (&budget, &order);
            async move {
                budget.take().await.unwrap();
                order.lock().unwrap().push(number);
            }
        });
        join_all(takers).await;
        assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_too_long_is_refused_with_the_time_it_would_take() {
        let budget = Budget::new(Rate { per_second: 1.0, burst: 1 });
        let taken = join_all((0..10).map(|_| budget.take())).await;
        let refused: Vec<_> = taken.iter().filter_map(|taken| taken.err()).collect();
        assert_eq!(refused.len(), 3, "one goes at once, and six wait at most 6 s");
        assert_eq!(refused[0], Spent(Duration::from_secs(6)));
    }

    #[tokio::test(start_paused = true)]
    async fn it_tells_what_is_left_and_who_waits() {
        let budget = Budget::new(Rate { per_second: 1.0, burst: 2 });
        assert_eq!(budget.allowance(), Allowance { left: 2.0, waiting: 0 });
        let mut queue = Box::pin(join_all((0..5).map(|_| budget.take())));
        assert!(futures::poll!(&mut queue).is_pending());
        assert_eq!(budget.allowance(), Allowance { left: 0.0, waiting: 3 });
        drop(queue);
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(budget.allowance(), Allowance { left: 1.5, waiting: 0 });
    }

    #[tokio::test(start_paused = true)]
    async fn the_vendor_may_know_of_less() {
        let budget = Budget::new(Rate { per_second: 1.0, burst: 100 });
        budget.at_most(0);
        let start = Instant::now();
        budget.take().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 1);
    }
}

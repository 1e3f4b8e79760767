//! How many retries one upstream gets: a fifth of its requests, and a small reserve.
//!
//! Three attempts at each request would triple the load on a vendor that fails because of its load. A request is what one
//! caller asks for; how often it is tried is what the budget bounds.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Retries that each request adds to the budget.
const PER_REQUEST: f64 = 0.2;
/// Retries that may be saved up, which are there from the start.
const MAX: f64 = 20.0;
/// One retry is added in this time whatever is requested, so that the budget of a quiet backend recovers.
const REFILL: Duration = Duration::from_secs(2);

/// The retries that are left.
#[derive(Debug)]
pub(super) struct RetryBudget(Mutex<Balance>);

#[derive(Debug)]
struct Balance {
    retries: f64,
    refilled: Instant,
}

/// Full.
impl Default for RetryBudget {
    fn default() -> Self {
        Self(Mutex::new(Balance { retries: MAX, refilled: Instant::now() }))
    }
}

impl RetryBudget {
    /// A request begins.
    pub(super) fn deposit(&self) {
        self.with(|balance| balance.retries = (balance.retries + PER_REQUEST).min(MAX));
    }

    /// Takes one retry, if there is one.
    pub(super) fn withdraw(&self) -> bool {
        self.with(|balance| {
            let is_allowed = balance.retries >= 1.0;
            if is_allowed {
                balance.retries -= 1.0;
            }
            is_allowed
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Balance) -> T) -> T {
        let mut balance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let idle = now.saturating_duration_since(balance.refilled);
        balance.retries = (balance.retries + idle.div_duration_f64(REFILL)).min(MAX);
        balance.refilled = now;
        act(&mut balance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_many_requests_is_retried() {
        let budget = RetryBudget::default();
        let mut retried = 0;
        for _ in 0..1000 {
            budget.deposit();
            retried += u32::from(budget.withdraw()) + u32::from(budget.withdraw());
        }
        assert!((215..=221).contains(&retried), "{retried}");
        tokio::time::advance(REFILL * 2).await;
        assert!(budget.withdraw() && budget.withdraw());
    }
}

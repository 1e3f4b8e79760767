//! Counts of the requests to one upstream, in atomics that a request updates without a lock.
//!
//! How they are exposed is not known here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use reqwest::StatusCode;

use super::rate_limit::RateLimiterState;
use crate::histogram::{Histogram, HistogramSnapshot};

/// The class of a response's status, or that there was no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// 2xx.
    Success,
    /// 3xx; no vendor sends one.
    Redirection,
    /// 4xx other than 429.
    ClientError,
    /// 429.
    Throttled,
    /// 5xx.
    ServerError,
    /// No response: the vendor could not be reached, or the caller gave up.
    NoResponse,
}

impl StatusClass {
    /// All classes.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::Redirection,
        Self::ClientError,
        Self::Throttled,
        Self::ServerError,
        Self::NoResponse,
    ];

    /// The value of the metric's label `status`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::Throttled => "429",
            Self::ServerError => "5xx",
            Self::NoResponse => "none",
        }
    }

    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS => Self::Throttled,
            _ if status.is_success() => Self::Success,
            _ if status.is_redirection() => Self::Redirection,
            _ if status.is_client_error() => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

/// What requests are sent to. Each has a rate limit, a circuit breaker and counts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// The vendor's API.
    Vendor,
    /// What issues tokens for it: Microsoft Entra ID, or the metadata service of a virtual machine.
    Authority,
}

impl Upstream {
    /// The value of the metric's label `upstream`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Authority => "authority",
        }
    }
}

/// The requests to one upstream so far, and the state of its rate limiter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestMetrics {
    /// What they were sent to.
    pub upstream: Upstream,
    /// Requests by the class of their response, in the order of [`StatusClass::ALL`]. A request that the rate limiter
    /// refused is not counted.
    pub requests: [(StatusClass, u64); StatusClass::ALL.len()],
    /// From sending a request to the head of its response, or until the caller gave up.
    pub durations: HistogramSnapshot,
    /// The rate limiter, if there is one.
    pub rate_limiter: Option<RateLimiterState>,
}

/// No requests.
impl Default for RequestMetrics {
    fn default() -> Self {
        RequestCounter::default().snapshot(Upstream::Vendor, None)
    }
}

/// Counts the requests of a client and its clones.
#[derive(Debug, Default)]
pub(super) struct RequestCounter {
    requests: [AtomicU64; StatusClass::ALL.len()],
    durations: Histogram,
}

impl RequestCounter {
    /// Counts a request when it ends; dropped without a response, it counts as one without.
    pub(super) fn start(&self) -> InFlightRequest<'_> {
        InFlightRequest { counter: self, started: Instant::now(), class: StatusClass::NoResponse }
    }

    pub(super) fn snapshot(
        &self,
        upstream: Upstream,
        rate_limiter: Option<RateLimiterState>,
    ) -> RequestMetrics {
        let count = |class| self.requests[class as usize].load(Ordering::Relaxed);
        RequestMetrics {
            upstream,
            requests: StatusClass::ALL.map(|class| (class, count(class))),
            durations: self.durations.snapshot(),
            rate_limiter,
        }
    }
}

/// A request whose response has not come yet.
#[derive(Debug)]
pub(super) struct InFlightRequest<'a> {
    counter: &'a RequestCounter,
    started: Instant,
    class: StatusClass,
}

impl InFlightRequest<'_> {
    /// The head of the response has come.
    pub(super) fn finish(mut self, status: StatusCode) {
        self.class = StatusClass::of(status);
    }
}

impl Drop for InFlightRequest<'_> {
    fn drop(&mut self) {
        self.counter.requests[self.class as usize].fetch_add(1, Ordering::Relaxed);
        self.counter.durations.observe(self.started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_counted_by_its_status_class() {
        let counter = RequestCounter::default();
        for status in [200, 201, 304, 404, 412, 429, 503] {
            counter.start().finish(StatusCode::from_u16(status).unwrap_or_default());
        }
        drop(counter.start());
        let metrics = counter.snapshot(Upstream::Vendor, None);
        let counts: Vec<_> =
            metrics.requests.iter().map(|(class, count)| (class.label(), *count)).collect();
        let expected = [("2xx", 2), ("3xx", 1), ("4xx", 2), ("429", 1), ("5xx", 1), ("none", 1)];
        assert_eq!(counts, expected);
        assert_eq!(metrics.durations.counts.iter().sum::<u64>(), 8);
    }
}

//! What a client has asked of its vendor, counted as it happens in plain atomics.
//!
//! Who reads the figures, and how they are shown, is not known here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use reqwest::StatusCode;

use super::budget::Allowance;
use crate::histogram::{Histogram, HistogramSnapshot};

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx.
    Success,
    /// 3xx; neither vendor sends one.
    Redirection,
    /// 4xx other than 429.
    Refusal,
    /// 429: the vendor wants to be asked less.
    Throttling,
    /// 5xx.
    Fault,
    /// No answer: the vendor could not be reached, or nobody waited long enough.
    Silence,
}

impl Outcome {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::Redirection,
        Self::Refusal,
        Self::Throttling,
        Self::Fault,
        Self::Silence,
    ];

    /// The class of its status, as figures name it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::Refusal => "4xx",
            Self::Throttling => "429",
            Self::Fault => "5xx",
            Self::Silence => "none",
        }
    }

    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS => Self::Throttling,
            _ if status.is_success() => Self::Success,
            _ if status.is_redirection() => Self::Redirection,
            _ if status.is_client_error() => Self::Refusal,
            _ => Self::Fault,
        }
    }
}

/// What has been asked of a vendor so far, and what may be asked of it now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// The requests, in the order of [`Outcome::ALL`]. One that the budget refused is none.
    pub requests: [(Outcome, u64); Outcome::ALL.len()],
    /// From sending each to the head of its answer, or until it was given up.
    pub timed: HistogramSnapshot,
    /// What the budget allows, if there is one.
    pub allowance: Option<Allowance>,
}

/// The counts of a client.
#[derive(Debug, Default)]
pub(super) struct Meter {
    requests: [AtomicU64; Outcome::ALL.len()],
    timing: Histogram,
}

impl Meter {
    /// Counts a request when it is over, whichever way: a caller who goes away drops it.
    pub(super) fn begin(&self) -> Asked<'_> {
        Asked { meter: self, began: Instant::now(), outcome: Outcome::Silence }
    }

    pub(super) fn usage(&self, allowance: Option<Allowance>) -> Usage {
        let count = |outcome| self.requests[outcome as usize].load(Ordering::Relaxed);
        Usage {
            requests: Outcome::ALL.map(|outcome| (outcome, count(outcome))),
            timed: self.timing.snapshot(),
            allowance,
        }
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    meter: &'a Meter,
    began: Instant,
    outcome: Outcome,
}

impl Asked<'_> {
    /// The head of an answer has come, and with it the end.
    pub(super) fn answered(mut self, status: StatusCode) {
        self.outcome = Outcome::of(status);
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.meter.requests[self.outcome as usize].fetch_add(1, Ordering::Relaxed);
        self.meter.timing.observe(self.began.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_counted_as_what_it_was() {
        let meter = Meter::default();
        for status in [200, 201, 304, 404, 412, 429, 503] {
            meter.begin().answered(StatusCode::from_u16(status).unwrap_or_default());
        }
        drop(meter.begin());
        let usage = meter.usage(None);
        let told: Vec<_> =
            usage.requests.iter().map(|(outcome, count)| (outcome.class(), *count)).collect();
        assert_eq!(told, [("2xx", 2), ("3xx", 1), ("4xx", 2), ("429", 1), ("5xx", 1), ("none", 1)]);
        assert_eq!(usage.timed.counts.iter().sum::<u64>(), 8);
    }
}

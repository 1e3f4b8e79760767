//! How often watched targets are polled: a backend's own table, else `[watch]`, else the default of its kind.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::source::{ConfigError, SourceFile};
use crate::model::BackendId;

/// How often the targets of one backend are polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollPolicy {
    /// The interval after a change; creating a point takes seconds.
    pub min_interval: Duration,
    /// The interval that grows while nothing changes stops here.
    pub max_interval: Duration,
    /// How often the vendor updates the progress of a copy, so that an earlier poll shows the same; zero if it has no
    /// fixed interval.
    pub progress_interval: Duration,
    /// How long a target without watchers is kept: a watcher that reconnects finds it.
    pub idle_ttl: Duration,
}

impl Default for PollPolicy {
    fn default() -> Self {
        Self {
            min_interval: Duration::from_secs(5),
            max_interval: Duration::from_secs(60),
            progress_interval: Duration::ZERO,
            idle_ttl: Duration::from_secs(10),
        }
    }
}

/// The policies of all backends.
#[derive(Debug, Clone, Default)]
pub struct PollPolicies {
    by_backend: BTreeMap<BackendId, PollPolicy>,
    default: PollPolicy,
}

impl PollPolicies {
    /// The policy of one backend.
    pub fn of(&self, backend: &BackendId) -> PollPolicy {
        self.by_backend.get(backend).copied().unwrap_or(self.default)
    }
}

/// One policy for all backends.
impl From<PollPolicy> for PollPolicies {
    fn from(default: PollPolicy) -> Self {
        Self { by_backend: BTreeMap::new(), default }
    }
}

/// A policy for each backend, and the default for any other.
impl FromIterator<(BackendId, PollPolicy)> for PollPolicies {
    fn from_iter<T: IntoIterator<Item = (BackendId, PollPolicy)>>(policies: T) -> Self {
        Self { by_backend: policies.into_iter().collect(), default: PollPolicy::default() }
    }
}

/// A table `[watch]` or `[backends.NAME.watch]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchKeys {
    min_interval: Option<Spanned<String>>,
    max_interval: Option<Spanned<String>>,
    progress_interval: Option<Spanned<String>>,
    idle_ttl: Option<Spanned<String>>,
}

/// Lays `tables` over `default`; a later table overrides an earlier one.
pub(super) fn policy(
    source: &SourceFile,
    default: PollPolicy,
    tables: &[&WatchKeys],
) -> Result<PollPolicy, ConfigError> {
    let mut policy = default;
    for table in tables {
        for (key, text, value) in [
            ("min_interval", &table.min_interval, &mut policy.min_interval),
            ("max_interval", &table.max_interval, &mut policy.max_interval),
            ("progress_interval", &table.progress_interval, &mut policy.progress_interval),
            ("idle_ttl", &table.idle_ttl, &mut policy.idle_ttl),
        ] {
            if let Some(given) = source.duration(key, text.as_ref())? {
                *value = given;
            }
        }
        if let (Some(given), Duration::ZERO) = (&table.min_interval, policy.min_interval) {
            let problem = "invalid duration `0s` for `min_interval`: expected more than 0";
            return Err(source.at(given).error(problem));
        }
    }
    if policy.max_interval < policy.min_interval {
        // The line of the most specific table that sets either.
        let mut given =
            tables.iter().rev().filter_map(|t| t.max_interval.as_ref().or(t.min_interval.as_ref()));
        let location = given.next().map_or_else(|| source.location(0..0), |given| source.at(given));
        return Err(location.error(format!(
            "`max_interval` ({:?}) must not be shorter than `min_interval` ({:?}): set both",
            policy.max_interval, policy.min_interval
        )));
    }
    Ok(policy)
}

//! `[limits]`: what clients may take of the gateway.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::source::{ConfigError, SourceFile};

/// What clients may take of the gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsConfig {
    /// How many connections may be open; by default what the process can have.
    pub max_connections: Option<NonZeroUsize>,
    /// How long a connection may be without calls.
    pub max_connection_idle: Option<Duration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsKeys {
    max_connections: Option<Spanned<i64>>,
    max_connection_idle: Option<Spanned<String>>,
}

/// Checks the table.
///
/// # Errors
/// A limit of nothing.
pub(super) fn check(
    source: &SourceFile,
    limits: Option<&LimitsKeys>,
) -> Result<LimitsConfig, ConfigError> {
    let Some(LimitsKeys { max_connections, max_connection_idle }) = limits else {
        return Ok(LimitsConfig::default());
    };
    let connections = |given: &Spanned<i64>| {
        let number = usize::try_from(*given.get_ref()).ok().and_then(NonZeroUsize::new);
        number.ok_or_else(|| {
            let problem = format!(
                "invalid value `{}` for `max_connections`: expected a number from 1",
                given.get_ref()
            );
            source.at(given).error(problem)
        })
    };
    let idle = source.duration("max_connection_idle", max_connection_idle.as_ref())?;
    if let (Some(Duration::ZERO), Some(given)) = (idle, max_connection_idle) {
        let problem = "invalid duration `0s` for `max_connection_idle`: expected more than 0";
        return Err(source.at(given).error(problem));
    }
    Ok(LimitsConfig {
        max_connections: max_connections.as_ref().map(connections).transpose()?,
        max_connection_idle: idle,
    })
}

//! `[limits]`: what clients may take of the gateway.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
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
    /// How many MiB responses may take that clients have not read.
    pub response_memory_mib: Option<u16>,
    /// Those of one connection.
    pub connection_response_memory_mib: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsKeys {
    max_connections: Option<Spanned<i64>>,
    max_connection_idle: Option<Spanned<String>>,
    response_memory_mib: Option<Spanned<i64>>,
    connection_response_memory_mib: Option<Spanned<i64>>,
}

/// The largest response must fit.
const RESPONSE_MEMORY_MIB: RangeInclusive<u16> = 2..=2048;

/// Checks the table.
///
/// # Errors
/// A limit of nothing.
pub(super) fn check(
    source: &SourceFile,
    limits: Option<&LimitsKeys>,
) -> Result<LimitsConfig, ConfigError> {
    let Some(keys) = limits else { return Ok(LimitsConfig::default()) };
    let LimitsKeys {
        max_connections,
        max_connection_idle,
        response_memory_mib,
        connection_response_memory_mib,
    } = keys;
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
    let memory = |key: &str, given: &Option<Spanned<i64>>| {
        let Some(given) = given else { return Ok(None) };
        let mib = u16::try_from(*given.get_ref()).ok();
        mib.filter(|mib| RESPONSE_MEMORY_MIB.contains(mib)).map(Some).ok_or_else(|| {
            let problem = format!(
                "invalid value `{}` for `{key}`: expected {} to {}",
                given.get_ref(),
                RESPONSE_MEMORY_MIB.start(),
                RESPONSE_MEMORY_MIB.end()
            );
            source.at(given).error(problem)
        })
    };
    let connection = "connection_response_memory_mib";
    Ok(LimitsConfig {
        response_memory_mib: memory("response_memory_mib", response_memory_mib)?,
        connection_response_memory_mib: memory(connection, connection_response_memory_mib)?,
        max_connections: max_connections.as_ref().map(connections).transpose()?,
        max_connection_idle: idle,
    })
}

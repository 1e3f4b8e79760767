//! `check`: validates a configuration, probes each backend, and reports the results.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::assemble::{self, Configuration};
use super::certificate;
use super::error::CommandError;
use crate::backend::{self, Configured};

/// For one backend.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The file alone: no secret is read, and no request is sent.
    ConfigOnly,
    /// Everything that `serve` needs; each backend is probed.
    Everything,
}

/// Checks the configuration at `path` and reports to stdout.
///
/// # Errors
/// When the configuration is wrong, or a backend cannot be used.
pub async fn check(path: &Path, depth: Depth) -> Result<(), CommandError> {
    let config = Configuration::load(path, Configured::read)?;
    let mut out = io::stdout().lock();
    let count = config.backends.len();
    writeln!(out, "{}: valid, {count} backends", path.display()).map_err(CommandError::other)?;
    if depth == Depth::ConfigOnly {
        return Ok(());
    }
    if let Some(tls) = &config.tls
        && let Some(warning) = certificate::check(tls)?
    {
        writeln!(out, "warning: {warning}").map_err(CommandError::other)?;
    }
    assemble::token_keys(&config.token_keys)?;
    let backends = assemble::backends(&config)?;
    let mut unusable = 0;
    for (id, checked) in &backends {
        let result = match backend::probe(id, &**checked, PROBE_TIMEOUT).await {
            Ok(()) => "reachable, and the credential is accepted".to_owned(),
            Err(error) => {
                unusable += 1;
                error.to_string()
            }
        };
        checked.close().await;
        writeln!(out, "{id} ({}): {result}", checked.kind().name()).map_err(CommandError::other)?;
    }
    match unusable {
        0 => Ok(()),
        _ => Err(CommandError::Other(format!("{unusable} of {count} backends cannot be used"))),
    }
}

//! `check`: validates a configuration, logs on to each backend, and says what it found.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::certificate::Certificate;
use super::{Failure, assemble};
use crate::backend;
use crate::config::Config;

/// How long one backend may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The file alone: no secrets are read, nobody is called.
    Form,
    /// Everything that `serve` needs, and each vendor is asked.
    Everything,
}

/// Checks the configuration at `path` and reports to stdout.
///
/// # Errors
/// When the configuration is wrong, or a backend cannot be used.
pub async fn check(path: &Path, depth: Depth) -> Result<(), Failure> {
    let config = Config::load(path)?;
    let mut out = io::stdout().lock();
    let count = config.backends.len();
    writeln!(out, "{}: the form is right, {count} backends", path.display())
        .map_err(Failure::other)?;
    if depth == Depth::Form {
        return Ok(());
    }
    if let Some(tls) = &config.tls {
        Certificate::read(tls)?;
    }
    assemble::sealer(config.token_key.as_ref())?;
    let backends = assemble::backends(&config)?;
    let mut unusable = 0;
    for (id, checked) in &backends {
        let verdict = match backend::probe(id, &**checked, PATIENCE).await {
            Ok(()) => "it answers, and the credential is accepted".to_owned(),
            Err(error) => {
                unusable += 1;
                error.to_string()
            }
        };
        checked.close().await;
        writeln!(out, "{id} ({}): {verdict}", checked.kind().as_str_name())
            .map_err(Failure::other)?;
    }
    match unusable {
        0 => Ok(()),
        _ => Err(Failure::Other(format!("{unusable} of {count} backends cannot be used"))),
    }
}

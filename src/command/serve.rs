//! `serve`: the gateway in front of the configured vendors.

use std::path::Path;

use super::{Failure, assemble, listeners, run};
use crate::config::{Config, LogFormat};
use crate::server::telemetry;

/// Runs the gateway that the configuration at `path` describes until it is told to stop.
///
/// # Errors
/// When the configuration is wrong, or an address cannot be listened on.
pub async fn serve(path: &Path) -> Result<(), Failure> {
    let config = Config::load(path)?;
    telemetry::init(match config.log {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    })
    .map_err(Failure::other)?;
    let sealer = assemble::sealer(config.token_key.as_ref())?;
    let registry = assemble::registry(&config)?;
    let listeners = listeners::open(&config.listen, config.tls.as_ref()).await?;
    run::run(run::Parts { registry, sealer, watch: config.watch, listeners, drain: config.drain })
        .await
}

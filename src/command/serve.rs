//! `serve`: the gateway in front of the configured backends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::assemble::{self, Configuration};
use super::certificate::Certificate;
use super::error::CommandError;
use super::{limits, listeners, run};
use crate::backend::{Backends, Configured, Registry};
use crate::config::{LogFormat, PollPolicies};
use crate::model::Sealer;
use crate::server::telemetry;

/// Runs the gateway that the configuration at `path` describes until a signal stops it.
///
/// # Errors
/// When the configuration is wrong, or an address cannot be bound.
pub async fn serve(path: &Path) -> Result<(), CommandError> {
    let config = Configuration::load(path, Configured::read)?;
    telemetry::init(match config.log {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    })
    .map_err(CommandError::other)?;
    let sealer = assemble::sealer(&config.token_keys)?;
    let registry = Registry::new(assemble::backends(&config)?);
    let certificate = config.tls.as_ref().map(Certificate::read).transpose()?;
    let listeners = listeners::bind_all(&config.listen, certificate.as_ref()).await?;
    let metrics = match &config.metrics {
        Some(address) => Some(listeners::bind(address, certificate.as_ref()).await?),
        None => None,
    };
    run::run(run::Parts {
        registry,
        sealer: Arc::clone(&sealer),
        policies: assemble::poll_policies(&config),
        listeners,
        metrics,
        drain: config.drain,
        certificate_expiry: certificate.as_ref().map(|certificate| certificate.expiry()),
        limits: limits::server_limits(config.limits),
        reload: Some(Box::new(reload(path.to_owned(), config, certificate, sealer))),
    })
    .await
}

/// Reads the file again: backends, poll policies, the certificate and the token keys are replaced. All other settings last for the life
/// of the process; the log names those that have changed.
fn reload(
    path: PathBuf,
    started: Configuration,
    certificate: Option<Arc<Certificate>>,
    sealer: Arc<Sealer>,
) -> impl FnMut() -> Result<(Backends, PollPolicies), CommandError> + Send {
    move || {
        let config = Configuration::load(&path, Configured::read)?;
        let backends = assemble::backends(&config)?;
        let token_keys = assemble::token_keys(&config.token_keys)?;
        // Last, since these take effect at once.
        if let (Some(certificate), Some(tls)) = (&certificate, &config.tls) {
            certificate.reload(tls)?;
        }
        if let Some((current, previous)) = token_keys {
            sealer.replace_keys(current, previous);
        }
        let changed = started.needing_restart(&config);
        if !changed.is_empty() {
            let settings = changed.join(", ");
            tracing::warn!(settings, "changed settings take effect only after a restart");
        }
        Ok((backends, assemble::poll_policies(&config)))
    }
}

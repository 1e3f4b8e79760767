//! `serve`: the gateway in front of the configured vendors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::certificate::Certificate;
use super::{Failure, assemble, listeners, run};
use crate::backend::{Backends, Registry};
use crate::config::{Config, LogFormat};
use crate::server::telemetry;
use crate::watch::Paces;

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
    let registry = Registry::new(assemble::backends(&config)?);
    let certificate = config.tls.as_ref().map(Certificate::read).transpose()?;
    let listeners = listeners::bind_all(&config.listen, certificate.as_ref()).await?;
    let metrics = match &config.metrics {
        Some(address) => Some(listeners::bind(address, certificate.as_ref()).await?),
        None => None,
    };
    run::run(run::Parts {
        registry,
        sealer,
        watch: config.watch,
        listeners,
        metrics,
        drain: config.drain,
        reload: Some(Box::new(reload(path.to_owned(), certificate))),
    })
    .await
}

/// Reads the file anew: backends and certificate are exchanged. Where to listen and the token key are for the
/// life of the process.
fn reload(
    path: PathBuf,
    certificate: Option<Arc<Certificate>>,
) -> impl FnMut() -> Result<(Backends, Paces), Failure> + Send {
    move || {
        let config = Config::load(&path)?;
        let backends = assemble::backends(&config)?;
        // Last, since it takes effect at once.
        if let (Some(certificate), Some(tls)) = (&certificate, &config.tls) {
            certificate.reload(tls)?;
        }
        Ok((backends, config.watch))
    }
}

//! From a checked configuration to running parts. Here secrets are read.

use secrecy::ExposeSecret;

use super::error::CommandError;
use crate::backend::{Backends, Configured};
use crate::config::{Config, PollPolicies, SecretRef};
use crate::model::Sealer;

/// The configuration file with its backends.
pub(super) type Configuration = Config<Configured>;

/// The backends of a configuration.
///
/// # Errors
/// A secret or certificate that is absent or unusable.
pub(super) fn backends(config: &Configuration) -> Result<Backends, CommandError> {
    let build = |backend: &Configured| Ok((backend.id.clone(), backend.build()?));
    config.backends.iter().map(build).collect()
}

/// How often the targets of each backend are polled.
pub(super) fn poll_policies(config: &Configuration) -> PollPolicies {
    config.backends.iter().map(|backend| (backend.id.clone(), backend.poll)).collect()
}

/// The sealer of tokens, with the key that replicas share if there is one.
///
/// # Errors
/// A key that is absent or too short.
pub(super) fn sealer(key: Option<&SecretRef>) -> Result<Sealer, CommandError> {
    match key {
        Some(key) => {
            let sealer = Sealer::new(key.read()?.expose_secret().as_bytes());
            sealer.map_err(|error| key.error(error.to_string()).into())
        }
        None => {
            tracing::warn!(
                "no `token_key_file` or `token_key_env` is configured: page and resume tokens are valid on this \
                 replica only, and until it stops"
            );
            Sealer::random().map_err(CommandError::other)
        }
    }
}

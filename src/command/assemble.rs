//! From a checked configuration to running parts. Here secrets are read.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::error::CommandError;
use crate::backend::{Backends, Configured};
use crate::config::{Config, PollPolicies, SecretRef};
use crate::model::{Sealer, TokenKey};

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

/// The keys that replicas share, the current one and those before it; none if the configuration has none.
///
/// # Errors
/// A key that is absent or too short.
pub(super) fn token_keys(
    keys: &[SecretRef],
) -> Result<Option<(TokenKey, Vec<TokenKey>)>, CommandError> {
    let read = |key: &SecretRef| {
        let secret = key.read()?;
        let token_key = TokenKey::new(secret.expose_secret().as_bytes());
        token_key.map_err(|error| CommandError::from(key.error(error.to_string())))
    };
    let Some((current, previous)) = keys.split_first() else { return Ok(None) };
    Ok(Some((read(current)?, previous.iter().map(read).collect::<Result<_, _>>()?)))
}

/// The sealer of tokens.
///
/// # Errors
/// Those of [`token_keys`].
pub(super) fn sealer(keys: &[SecretRef]) -> Result<Arc<Sealer>, CommandError> {
    let (current, previous) = match token_keys(keys)? {
        Some(keys) => keys,
        None => {
            tracing::warn!(
                "no token key is configured (`token_key_file`): page and resume tokens are valid on this replica \
                 only, and until it stops"
            );
            (TokenKey::random().map_err(CommandError::other)?, Vec::new())
        }
    };
    Ok(Arc::new(Sealer::new(current, previous)))
}

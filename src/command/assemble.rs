//! From a checked configuration to the backends that it names. Here secrets are read.

use std::sync::Arc;

use crate::backend::azure::{self, Azure};
use crate::backend::veeam_em::{self, Veeam};
use crate::backend::{Backend, Backends};
use crate::config::{
    AzureConfig, BackendConfig, Config, ConfigError, CredentialConfig, FileRef, RateConfig,
    SecretRef, TrustConfig, VeeamConfig,
};
use crate::model::{BackendId, Sealer};
use crate::upstream::{Rate, Trust};

use super::Failure;

/// The backends of a configuration.
///
/// # Errors
/// A secret or certificate that is not where the configuration says.
pub(super) fn backends(config: &Config) -> Result<Backends, Failure> {
    let mut backends = Backends::new();
    for (id, backend) in &config.backends {
        let backend: Arc<dyn Backend> = match backend {
            BackendConfig::Azure(config) => Arc::new(self::azure(id, config)?),
            BackendConfig::Veeam(config) => Arc::new(self::veeam(id, config)?),
        };
        backends.insert(id.clone(), backend);
    }
    Ok(backends)
}

/// The sealer of tokens, with the replicas' common key if there is one.
///
/// # Errors
/// A key that is not where the configuration says.
pub(super) fn sealer(key: Option<&SecretRef>) -> Result<Sealer, Failure> {
    use secrecy::ExposeSecret;
    match key {
        Some(key) => Sealer::new(key.read()?.expose_secret().as_bytes()).map_err(Failure::Other),
        None => {
            tracing::warn!(
                "no token key is configured: page and resume tokens are valid on this replica only, \
                 and until it stops"
            );
            Sealer::random().map_err(Failure::Other)
        }
    }
}

fn azure(id: &BackendId, config: &AzureConfig) -> Result<Azure, Failure> {
    let version = config.api_version.clone();
    Azure::new(azure::Settings {
        id: id.clone(),
        subscription_id: config.subscription_id.clone(),
        endpoint: config.endpoint.clone(),
        authority: config.authority.clone(),
        api_version: version.unwrap_or_else(|| azure::DEFAULT_API_VERSION.to_owned()),
        credential: credential(&config.credential)?,
        trust: trust(&config.trust)?,
        rate: rate(config.rate, azure::DEFAULT_RATE),
    })
    .map_err(Failure::other)
}

fn rate(config: RateConfig, default: Rate) -> Rate {
    Rate {
        per_second: config.per_second.unwrap_or(default.per_second),
        burst: config.at_once.unwrap_or(default.burst),
    }
}

fn credential(config: &CredentialConfig) -> Result<azure::Credential, ConfigError> {
    Ok(match config {
        CredentialConfig::ClientSecret { tenant_id, client_id, secret } => {
            azure::Credential::ClientSecret {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                secret: secret.read()?,
            }
        }
        CredentialConfig::ClientCertificate { tenant_id, client_id, certificate } => {
            azure::Credential::ClientCertificate {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                pem: certificate.read()?,
            }
        }
        CredentialConfig::WorkloadIdentity { tenant_id, client_id, token_file } => {
            azure::Credential::WorkloadIdentity {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                token_file: token_file.path().to_owned(),
            }
        }
        CredentialConfig::ManagedIdentity { client_id, metadata_service } => {
            azure::Credential::ManagedIdentity {
                client_id: client_id.clone(),
                metadata_service: metadata_service.clone(),
            }
        }
        CredentialConfig::AzureCli => azure::Credential::AzureCli,
        CredentialConfig::StaticToken(token) => azure::Credential::StaticToken(token.read()?),
    })
}

fn veeam(id: &BackendId, config: &VeeamConfig) -> Result<Veeam, Failure> {
    let tenant = match &config.tenant {
        None => None,
        Some((username, password)) => {
            Some(veeam_em::Tenant { username: username.clone(), password: password.read()? })
        }
    };
    Veeam::new(veeam_em::Settings {
        id: id.clone(),
        url: config.url.clone(),
        username: config.username.clone(),
        password: config.password.read()?,
        tenant,
        trust: trust(&config.trust)?,
        rate: rate(config.rate, veeam_em::DEFAULT_RATE),
    })
    .map_err(Failure::other)
}

fn trust(config: &TrustConfig) -> Result<Trust, ConfigError> {
    Ok(match config {
        TrustConfig::Platform => Trust::Platform,
        TrustConfig::CaFile(file) => Trust::PlatformAnd(pem(file)?),
        TrustConfig::Sha256(sha256) => Trust::Pinned(*sha256),
    })
}

fn pem(file: &FileRef) -> Result<Vec<u8>, ConfigError> {
    let pem = file.read()?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(pem),
        _ => Err(file.error("it holds no PEM certificate")),
    }
}

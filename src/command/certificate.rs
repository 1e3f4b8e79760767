//! The certificate that the gateway shows to its callers. It can be exchanged while the gateway runs: the
//! next handshake shows the new one.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::CommandError;
use crate::config::{ConfigError, TlsConfig};

/// The certificate in use.
#[derive(Debug)]
pub(super) struct Certificate {
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// A file that is not there, holds something else, or a key that is another certificate's.
    pub(super) fn read(config: &TlsConfig) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self { current: ArcSwap::from_pointee(certified_key(config)?) }))
    }

    /// Reads it anew; the old one stays in use if that fails.
    ///
    /// # Errors
    /// As [`Certificate::read`].
    pub(super) fn renew(&self, config: &TlsConfig) -> Result<(), ConfigError> {
        self.current.store(Arc::new(certified_key(config)?));
        Ok(())
    }

    /// The server side of TLS with this certificate.
    ///
    /// # Errors
    /// When the cryptography library cannot be set up.
    pub(super) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, CommandError> {
        Ok(ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(CommandError::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn certified_key(config: &TlsConfig) -> Result<CertifiedKey, ConfigError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&config.cert.read()?)
        .collect::<Result<_, _>>()
        .map_err(|error| config.cert.error(&format!("invalid PEM certificate: {error}")))?;
    if chain.is_empty() {
        return Err(config.cert.error("no PEM certificate found"));
    }
    let key = PrivateKeyDer::from_pem_slice(&config.key.read()?)
        .map_err(|error| config.key.error(&format!("invalid PEM private key: {error}")))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
        config.key.error(&format!("the key does not match the certificate: {error}"))
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

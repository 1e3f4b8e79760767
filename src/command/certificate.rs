//! The TLS certificate of the listeners. It can be replaced while the gateway runs: the next handshake uses the new
//! one.
//!
//! Client certificates are not requested: clients are not authenticated here.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::error::CommandError;
use crate::config::{ConfigError, TlsConfig};

/// The certificate in use, with its private key.
#[derive(Debug)]
pub(super) struct Certificate {
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// When a file cannot be read or is not PEM, or the key does not belong to the certificate.
    pub(super) fn read(config: &TlsConfig) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self { current: ArcSwap::from_pointee(certified_key(config)?) }))
    }

    /// Reads the files again. When that fails, the certificate stays as it was.
    ///
    /// # Errors
    /// As [`Certificate::read`].
    pub(super) fn reload(&self, config: &TlsConfig) -> Result<(), ConfigError> {
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
        .map_err(|error| config.cert.error(&format!("not a PEM certificate: {error}")))?;
    if chain.is_empty() {
        return Err(config.cert.error("contains no PEM certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(&config.key.read()?)
        .map_err(|error| config.key.error(&format!("not a PEM private key: {error}")))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
        config.key.error(&format!("the key does not belong to the certificate: {error}"))
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

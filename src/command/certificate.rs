//! The TLS certificate of the listeners. It can be replaced while the gateway runs: the next handshake uses the new
//! one.
//!
//! Client certificates are not requested: clients are not authenticated here.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::error::CommandError;
use super::validity::Validity;
use crate::config::{ConfigError, TlsConfig};
use crate::server::CertificateExpiry;

/// The certificate in use, with its private key.
#[derive(Debug)]
pub(super) struct Certificate {
    current: ArcSwap<CertifiedKey>,
    expiry: Arc<CertificateExpiry>,
}

/// What the files hold.
struct Loaded {
    key: CertifiedKey,
    validity: Validity,
}

impl Certificate {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// When a file cannot be read or is not PEM, the key does not belong to the certificate, or the certificate is not
    /// valid now.
    pub(super) fn read(config: &TlsConfig) -> Result<Arc<Self>, ConfigError> {
        let Loaded { key, validity } = load(config)?;
        log_warning(config, validity);
        let expiry = Arc::new(CertificateExpiry::default());
        expiry.set(validity.not_after().as_second());
        Ok(Arc::new(Self { current: ArcSwap::from_pointee(key), expiry }))
    }

    /// Reads the files again. When that fails, the certificate stays as it was.
    ///
    /// # Errors
    /// As [`Certificate::read`].
    pub(super) fn reload(&self, config: &TlsConfig) -> Result<(), ConfigError> {
        let Loaded { key, validity } = load(config)?;
        log_warning(config, validity);
        self.current.store(Arc::new(key));
        self.expiry.set(validity.not_after().as_second());
        Ok(())
    }

    /// When the certificate in use expires, kept up to date.
    pub(super) fn expiry(&self) -> Arc<CertificateExpiry> {
        Arc::clone(&self.expiry)
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

/// Checks the files, and what to warn of: the certificate expires soon.
///
/// # Errors
/// As [`Certificate::read`].
pub(super) fn check(config: &TlsConfig) -> Result<Option<String>, ConfigError> {
    Ok(warning(config, load(config)?.validity))
}

fn warning(config: &TlsConfig, validity: Validity) -> Option<String> {
    let warning = validity.warning(Timestamp::now())?;
    Some(config.cert.error(&warning).to_string())
}

fn log_warning(config: &TlsConfig, validity: Validity) {
    if let Some(warning) = warning(config, validity) {
        tracing::warn!("{warning}");
    }
}

fn load(config: &TlsConfig) -> Result<Loaded, ConfigError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&config.cert.read()?)
        .collect::<Result<_, _>>()
        .map_err(|error| config.cert.error(&format!("not a PEM certificate: {error}")))?;
    let Some(certificate) = chain.first() else {
        return Err(config.cert.error("contains no PEM certificate"));
    };
    let problem = |problem: String| config.cert.error(&problem);
    let validity = Validity::of(certificate).map_err(problem)?;
    validity.check(Timestamp::now()).map_err(problem)?;
    let key = PrivateKeyDer::from_pem_slice(&config.key.read()?)
        .map_err(|error| config.key.error(&format!("not a PEM private key: {error}")))?;
    let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
        config.key.error(&format!("the key does not belong to the certificate: {error}"))
    })?;
    Ok(Loaded { key, validity })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

//! The certificates of the simulated vendors, generated at start and never written to disk.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::start_error::StartError;

/// A temporary certificate authority. Clients of the simulators trust its [`CertificateAuthority::pem`].
#[derive(Debug)]
pub struct CertificateAuthority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// Generates a new authority.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn generate() -> Result<Self, StartError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "restore point sandbox CA");
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Issues a certificate for the loopback names, for a server that offers the protocols `alpn`.
    ///
    /// # Errors
    /// When the certificate cannot be generated.
    pub fn issue(&self, alpn: &[&str]) -> Result<ServerCertificate, StartError> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(loopback_names())?.signed_by(&key, &self.issuer)?;
        ServerCertificate::new(&leaf, &key, alpn)
    }
}

/// A server certificate with its private key.
#[derive(Debug)]
pub struct ServerCertificate {
    tls: Arc<rustls::ServerConfig>,
    der: Vec<u8>,
    pem: String,
}

impl ServerCertificate {
    /// A self-signed certificate, as the installer of Enterprise Manager generates one.
    ///
    /// # Errors
    /// When it cannot be generated.
    pub fn self_signed(alpn: &[&str]) -> Result<Self, StartError> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(loopback_names())?.self_signed(&key)?;
        Self::new(&leaf, &key, alpn)
    }

    /// The certificate, DER: the bytes that a pinning client hashes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn tls_config(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.tls)
    }

    fn new(leaf: &rcgen::Certificate, key: &KeyPair, alpn: &[&str]) -> Result<Self, StartError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der())?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self { tls: Arc::new(config), der: leaf.der().to_vec(), pem: leaf.pem() })
    }
}

fn loopback_names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec()
}

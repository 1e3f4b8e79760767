//! Certificates of the simulated vendors, made at start and never written to disk.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::StartError;

/// A throw-away certificate authority. Clients of the sandbox trust its [`Authority::pem`].
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new authority.
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

    /// The server side of TLS with a leaf for the loopback names, signed by this authority.
    ///
    /// # Errors
    /// When the leaf cannot be made.
    pub fn issue(&self, alpn: &[&str]) -> Result<Identity, StartError> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(loopback_names())?.signed_by(&key, &self.issuer)?;
        Identity::new(&leaf, &key, alpn)
    }
}

/// A server certificate with its key, ready to listen with.
#[derive(Debug)]
pub struct Identity {
    pub(super) tls: Arc<rustls::ServerConfig>,
    der: Vec<u8>,
}

impl Identity {
    /// A self-signed certificate, as Enterprise Manager's installer makes one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn self_signed(alpn: &[&str]) -> Result<Self, StartError> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(loopback_names())?.self_signed(&key)?;
        Self::new(&leaf, &key, alpn)
    }

    /// The certificate, DER: what a client that pins it hashes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    fn new(leaf: &rcgen::Certificate, key: &KeyPair, alpn: &[&str]) -> Result<Self, StartError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der())?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self { tls: Arc::new(config), der: leaf.der().to_vec() })
    }
}

fn loopback_names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec()
}

//! Which server certificates a client accepts. Verification cannot be switched off.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, OtherError, SignatureScheme};

use super::redact::chain;

/// Which certificates are accepted.
#[derive(Debug, Clone)]
pub enum Trust {
    /// The platform's roots.
    Platform,
    /// The platform's roots and these, PEM.
    PlatformAnd(Vec<u8>),
    /// The certificate with this SHA-256, whatever its issuer and name: Enterprise Manager is installed with a
    /// self-signed one.
    Pinned([u8; 32]),
}

impl Trust {
    /// Pins the certificate whose DER this is.
    pub fn pin(der: &[u8]) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, der).as_ref());
        Self::Pinned(sha256)
    }

    /// A client that accepts these certificates.
    ///
    /// # Errors
    /// When the PEM holds no certificate, or TLS cannot be set up.
    pub(super) fn build(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::Client, TrustError> {
        let builder = match self {
            Self::Platform => builder,
            Self::PlatformAnd(pem) => builder.tls_certs_merge(certificates(pem)?),
            Self::Pinned(sha256) => builder.tls_backend_preconfigured(pinned(*sha256)?),
        };
        builder.build().map_err(|error| TrustError(chain(&error)))
    }
}

/// Why a client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TrustError(String);

impl TrustError {
    pub(super) fn new(problem: &str) -> Self {
        Self(problem.to_owned())
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, TrustError> {
    match reqwest::Certificate::from_pem_bundle(pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(TrustError("no PEM certificate found".to_owned())),
        Err(error) => Err(TrustError(format!("invalid PEM certificate: {}", chain(&error)))),
    }
}

fn pinned(sha256: [u8; 32]) -> Result<rustls::ClientConfig, TrustError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Arc::new(PinnedVerifier { sha256, provider: Arc::clone(&provider) });
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts only the pinned certificate. The handshake's signatures are still verified, so that the server must hold its
/// key.
#[derive(Debug)]
struct PinnedVerifier {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

/// The server's certificate is not the pinned one.
#[derive(Debug, thiserror::Error)]
#[error(
    "the certificate does not match its pin: the server presents sha256 {}, pinned is {}",
    fingerprint(.presented), fingerprint(.pinned)
)]
struct PinMismatch {
    presented: Vec<u8>,
    pinned: [u8; 32],
}

/// As `openssl x509 -noout -fingerprint -sha256` prints it.
fn fingerprint(sha256: &[u8]) -> String {
    let bytes: Vec<_> = sha256.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = digest(&SHA256, end_entity);
        if presented.as_ref() == self.sha256 {
            return Ok(ServerCertVerified::assertion());
        }
        let presented = presented.as_ref().to_vec();
        let mismatch = PinMismatch { presented, pinned: self.sha256 };
        Err(rustls::Error::Other(OtherError(Arc::new(mismatch))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

//! An application that proves who it is with a certificate: it signs a short assertion that the authority
//! checks against the certificate it knows.
//!
//! The identity library does this only through OpenSSL, which is not wanted here; it takes the assertion
//! from us instead.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

/// An assertion is used at once; the authority takes none that lives for long.
const LIFE: u64 = 10 * 60;

/// The key of an application's certificate.
#[derive(Clone)]
pub(super) struct CertificateKey {
    key: EncodingKey,
    /// SHA-256 of the certificate, by which the authority finds it.
    thumbprint: String,
    client_id: String,
    audience: String,
}

impl fmt::Debug for CertificateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateKey")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    exp: u64,
}

impl CertificateKey {
    /// Reads a PEM that holds the certificate and its RSA key, in either order.
    ///
    /// # Errors
    /// When one of them is missing or is no such thing; the text holds nothing of the key.
    pub(super) fn read(
        pem: &SecretString,
        authority: &Url,
        tenant_id: &str,
        client_id: &str,
    ) -> Result<Self, String> {
        let pem = pem.expose_secret().as_bytes();
        let certificate = CertificateDer::from_pem_slice(pem)
            .map_err(|_| "it holds no PEM certificate".to_owned())?;
        let key = EncodingKey::from_rsa_pem(&private_key_only(pem))
            .map_err(|_| "it holds no RSA private key in PEM, unencrypted".to_owned())?;
        let authority = authority.as_str().trim_end_matches('/');
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate)),
            client_id: client_id.to_owned(),
            audience: format!("{authority}/{tenant_id}/oauth2/v2.0/token"),
        })
    }

    fn assertion(&self, now: u64) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.thumbprint.clone());
        let claims = Claims {
            aud: &self.audience,
            iss: &self.client_id,
            sub: &self.client_id,
            jti: Uuid::new_v4().to_string(),
            nbf: now,
            exp: now + LIFE,
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}

#[async_trait]
impl ClientAssertion for CertificateKey {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let fail = |problem: String| {
            azure_core::Error::with_message(
                ErrorKind::Credential,
                format!("the client certificate cannot sign: {problem}"),
            )
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| fail("the clock stands before 1970".to_owned()))?;
        self.assertion(now.as_secs()).map_err(|error| fail(error.to_string()))
    }
}

/// The part of a PEM file that is its private key: the reader of keys takes the file's first item, and a
/// certificate for a key.
fn private_key_only(pem: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(pem);
    let begin = text.find("-----BEGIN PRIVATE KEY").or_else(|| text.find("-----BEGIN RSA PRIVATE"));
    let Some(begin) = begin else { return Vec::new() };
    let rest = &text[begin..];
    let end = rest.find("-----END").and_then(|end| rest[end..].find('\n').map(|line| end + line));
    rest.as_bytes()[..end.unwrap_or(rest.len())].to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::Value;

    use super::*;

    fn certificate() -> (rcgen::Certificate, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap();
        (certificate.self_signed(&key).unwrap(), key)
    }

    fn read(pem: String) -> Result<CertificateKey, String> {
        let authority = "https://login.example/".parse().unwrap();
        CertificateKey::read(&pem.into(), &authority, "tenant", "client")
    }

    #[test]
    fn the_authority_can_check_what_is_signed() {
        let (certificate, key) = certificate();
        for pem in [
            format!("{}{}", certificate.pem(), key.serialize_pem()),
            format!("{}{}", key.serialize_pem(), certificate.pem()),
        ] {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let assertion = read(pem).unwrap().assertion(now).unwrap();
            let mut validation = Validation::new(Algorithm::PS256);
            validation.set_audience(&["https://login.example/tenant/oauth2/v2.0/token"]);
            validation.set_issuer(&["client"]);
            let public = DecodingKey::from_rsa_der(key.public_key_raw());
            let decoded = jsonwebtoken::decode::<Value>(&assertion, &public, &validation).unwrap();
            assert_eq!(decoded.claims["sub"], "client");
            let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.der()));
            assert_eq!(decoded.header.x5t_s256, Some(thumbprint));
        }
    }

    #[test]
    fn what_is_missing_is_named_and_the_key_is_not_shown() {
        let (certificate, key) = certificate();
        assert!(read(key.serialize_pem()).unwrap_err().contains("certificate"));
        assert!(read(certificate.pem()).unwrap_err().contains("private key"));
        let whole = read(format!("{}{}", certificate.pem(), key.serialize_pem())).unwrap();
        assert!(!format!("{whole:?}").contains("PRIVATE"));
    }
}

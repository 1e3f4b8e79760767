//! Client credentials with a certificate: the application signs a short-lived JWT assertion (RFC 7523), which Microsoft
//! Entra ID verifies against the registered certificate.
//!
//! azure_identity does this only through OpenSSL, which the gateway does not link, so the assertion is signed here.

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
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

/// In seconds. An assertion is used at once, and the authority rejects long-lived ones.
const ASSERTION_LIFETIME: u64 = 10 * 60;

/// The certificate of an application and its private key.
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
    /// Reads a PEM file that holds the certificate and its unencrypted RSA key, in either order.
    ///
    /// # Errors
    /// What is missing or invalid; the text holds nothing of the key.
    pub(super) fn parse(
        pem: &SecretString,
        authority: &Url,
        tenant_id: &str,
        client_id: &str,
    ) -> Result<Self, String> {
        // The parser's own errors may quote bytes of the key.
        let blocks = pem::parse_many(pem.expose_secret()).map_err(|_| "invalid PEM".to_owned())?;
        let find = |tags: &[&str]| blocks.iter().find(|block| tags.contains(&block.tag()));
        let certificate =
            find(&["CERTIFICATE"]).ok_or_else(|| "expected a certificate in PEM".to_owned())?;
        let key = find(&["PRIVATE KEY", "RSA PRIVATE KEY"])
            .and_then(|key| EncodingKey::from_rsa_pem(pem::encode(key).as_bytes()).ok())
            .ok_or_else(|| "expected an unencrypted RSA private key in PEM".to_owned())?;
        let authority = authority.as_str().trim_end_matches('/');
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.contents())),
            client_id: client_id.to_owned(),
            audience: format!("{authority}/{tenant_id}/oauth2/v2.0/token"),
        })
    }

    /// Signs an assertion; `now` is in seconds since 1970.
    fn sign_assertion(&self, now: u64) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.thumbprint.clone());
        let claims = Claims {
            aud: &self.audience,
            iss: &self.client_id,
            sub: &self.client_id,
            jti: Uuid::new_v4().to_string(),
            nbf: now,
            exp: now + ASSERTION_LIFETIME,
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}

#[async_trait]
impl ClientAssertion for CertificateKey {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let error = |problem: String| {
            azure_core::Error::with_message(
                ErrorKind::Credential,
                format!("cannot sign with the client certificate: {problem}"),
            )
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| error("the system clock is before 1970".to_owned()))?;
        self.sign_assertion(now.as_secs()).map_err(|cause| error(cause.to_string()))
    }
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

    fn parse(pem: String) -> Result<CertificateKey, String> {
        let authority = "https://login.example/".parse().unwrap();
        CertificateKey::parse(&pem.into(), &authority, "tenant", "client")
    }

    #[test]
    fn the_certificate_verifies_the_signed_assertion() {
        let (certificate, key) = certificate();
        for pem in [
            format!("{}{}", certificate.pem(), key.serialize_pem()),
            format!("{}{}", key.serialize_pem(), certificate.pem()),
            format!("Bag Attributes\n{}{}", key.serialize_pem(), certificate.pem()),
        ] {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let assertion = parse(pem).unwrap().sign_assertion(now).unwrap();
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
    fn errors_name_the_missing_block_and_debug_output_has_no_key() {
        let (certificate, key) = certificate();
        assert!(parse(key.serialize_pem()).unwrap_err().contains("certificate"));
        assert!(parse(certificate.pem()).unwrap_err().contains("private key"));
        let both = parse(format!("{}{}", certificate.pem(), key.serialize_pem())).unwrap();
        assert!(!format!("{both:?}").contains("PRIVATE"));
    }
}

//! Client assertions (RFC 7523): how an application without a secret authenticates at the token endpoint,
//! with a JWT signed by its certificate's key, or with a token of a federated service account.
//!
//! A JWT of a certificate is checked in full. A service account's token is only compared, because its issuer
//! is not a part of Azure.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

/// The credentials of the application registration.
#[derive(Debug, Default)]
pub(crate) struct ClientAssertions {
    /// Public keys of its certificates, by their SHA-256 thumbprints in base64url.
    keys: BTreeMap<String, Vec<u8>>,
    /// The accepted token of the service account.
    federated: Option<String>,
    /// The `jti` of each JWT that was used.
    used: BTreeSet<String>,
}

/// Why an assertion is rejected, with the number of the AADSTS error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AssertionError {
    pub(crate) code: u32,
    pub(crate) text: &'static str,
}

const fn error(code: u32, text: &'static str) -> AssertionError {
    AssertionError { code, text }
}

const MALFORMED: AssertionError = error(50_027, "JWT token is invalid or malformed.");
const NOT_REGISTERED: AssertionError = error(
    700_027,
    "The certificate with identifier used to sign the client assertion is not registered on application.",
);
const BAD_SIGNATURE: AssertionError =
    error(700_027, "Client assertion failed signature validation.");
const WRONG_AUDIENCE: AssertionError =
    error(700_023, "Client assertion audience claim does not match Realm issuer.");
const WRONG_CLIENT: AssertionError =
    error(700_021, "Client assertion application identifier doesn't match 'client_id' parameter.");
const NOT_VALID_NOW: AssertionError =
    error(700_024, "Client assertion is not within its valid time range.");
const REPLAYED: AssertionError = error(50_013, "Assertion failed: its jti was used before.");
const NOT_FEDERATED: AssertionError =
    error(70_021, "No matching federated identity record found for presented assertion.");

impl ClientAssertions {
    /// Registers a new certificate of the application and returns it with its key, PEM.
    pub(crate) fn new_certificate(&mut self) -> Result<String, rcgen::Error> {
        let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)?;
        let certificate = CertificateParams::new(Vec::new())?.self_signed(&key)?;
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.der()));
        self.keys.insert(thumbprint, key.public_key_raw().to_vec());
        Ok(certificate.pem() + &key.serialize_pem())
    }

    /// Accepts `token` of the service account, instead of the previous one.
    pub(crate) fn federate(&mut self, token: &str) {
        self.federated = Some(token.to_owned());
    }

    /// Checks an assertion of `client` that was sent to `audience` at `now`, in Unix seconds.
    pub(crate) fn check(
        &mut self,
        assertion: &str,
        client: &str,
        audience: &str,
        now: i64,
    ) -> Result<(), AssertionError> {
        if self.federated.as_deref() == Some(assertion) {
            return Ok(());
        }
        let [header, claims, signature] = assertion.split('.').collect::<Vec<_>>()[..] else {
            return Err(MALFORMED);
        };
        let signed = &assertion[..header.len() + 1 + claims.len()];
        let (header, claims) = (decode(header)?, decode(claims)?);
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| MALFORMED)?;
        let Some(thumbprint) = header["x5t#S256"].as_str() else { return Err(NOT_FEDERATED) };
        let algorithm: &'static dyn VerificationAlgorithm = match header["alg"].as_str() {
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(MALFORMED),
        };
        let key = self.keys.get(thumbprint).ok_or(NOT_REGISTERED)?;
        UnparsedPublicKey::new(algorithm, key)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| BAD_SIGNATURE)?;
        if claims["aud"] != audience {
            return Err(WRONG_AUDIENCE);
        }
        if claims["iss"] != client || claims["sub"] != client {
            return Err(WRONG_CLIENT);
        }
        let not_before = claims["nbf"].as_i64().unwrap_or(i64::MIN);
        let is_valid = not_before <= now && claims["exp"].as_i64().is_some_and(|exp| now < exp);
        if !is_valid {
            return Err(NOT_VALID_NOW);
        }
        match claims["jti"].as_str() {
            Some(id) if self.used.insert(id.to_owned()) => Ok(()),
            Some(_) => Err(REPLAYED),
            None => Err(MALFORMED),
        }
    }
}

fn decode(text: &str) -> Result<Value, AssertionError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MALFORMED)?;
    serde_json::from_slice(&bytes).map_err(|_| MALFORMED)
}

//! Client assertions: how an application without a secret proves who it is at the token endpoint, by a
//! statement signed with its certificate's key, or by a token of a federated service account.
//!
//! A certificate's statement is checked in full. A service account's token is compared only: its issuer is
//! no part of Azure.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

/// What the application registration holds.
#[derive(Debug, Default)]
pub(super) struct Assertions {
    /// Public keys of its certificates, by their SHA-256 thumbprints in base64url.
    keys: BTreeMap<String, Vec<u8>>,
    /// The service account's token that its issuer would vouch for now.
    federated: Option<String>,
    /// Ids of the statements that were used.
    used: BTreeSet<String>,
}

/// Why an assertion is not taken: the directory's number for it and its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) code: u32,
    pub(super) text: &'static str,
}

const fn doubt(code: u32, text: &'static str) -> Doubt {
    Doubt { code, text }
}

const MALFORMED: Doubt = doubt(50_027, "JWT token is invalid or malformed.");
const NOT_REGISTERED: Doubt = doubt(
    700_027,
    "The certificate with identifier used to sign the client assertion is not registered on application.",
);
const BAD_SIGNATURE: Doubt = doubt(700_027, "Client assertion failed signature validation.");
const OTHER_AUDIENCE: Doubt =
    doubt(700_023, "Client assertion audience claim does not match Realm issuer.");
const OTHER_CLIENT: Doubt =
    doubt(700_021, "Client assertion application identifier doesn't match 'client_id' parameter.");
const OUT_OF_TIME: Doubt = doubt(700_024, "Client assertion is not within its valid time range.");
const USED: Doubt = doubt(50_013, "Assertion failed: its jti was used before.");
const NOT_FEDERATED: Doubt =
    doubt(70_021, "No matching federated identity record found for presented assertion.");

impl Assertions {
    /// A new certificate of the application with its key, PEM; registered from now on.
    pub(super) fn new_certificate(&mut self) -> Result<String, rcgen::Error> {
        let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)?;
        let certificate = CertificateParams::new(Vec::new())?.self_signed(&key)?;
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.der()));
        self.keys.insert(thumbprint, key.public_key_raw().to_vec());
        Ok(certificate.pem() + &key.serialize_pem())
    }

    /// Takes `token` of the service account, in the place of the one before.
    pub(super) fn federate(&mut self, token: &str) {
        self.federated = Some(token.to_owned());
    }

    /// Checks an assertion of `client` that was sent to `audience` at `now`, in Unix seconds.
    pub(super) fn check(
        &mut self,
        assertion: &str,
        client: &str,
        audience: &str,
        now: i64,
    ) -> Result<(), Doubt> {
        if self.federated.as_deref() == Some(assertion) {
            return Ok(());
        }
        let [header, claims, signature] = assertion.split('.').collect::<Vec<_>>()[..] else {
            return Err(MALFORMED);
        };
        let signed = &assertion[..header.len() + 1 + claims.len()];
        let (header, claims) = (part(header)?, part(claims)?);
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
            return Err(OTHER_AUDIENCE);
        }
        if claims["iss"] != client || claims["sub"] != client {
            return Err(OTHER_CLIENT);
        }
        let begins = claims["nbf"].as_i64().unwrap_or(i64::MIN);
        let in_time = begins <= now && claims["exp"].as_i64().is_some_and(|ends| now < ends);
        if !in_time {
            return Err(OUT_OF_TIME);
        }
        match claims["jti"].as_str() {
            Some(id) if self.used.insert(id.to_owned()) => Ok(()),
            Some(_) => Err(USED),
            None => Err(MALFORMED),
        }
    }
}

fn part(text: &str) -> Result<Value, Doubt> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MALFORMED)?;
    serde_json::from_slice(&bytes).map_err(|_| MALFORMED)
}

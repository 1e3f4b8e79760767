//! The login service and the check of bearers.
//!
//! Tokens are opaque here, and a client assertion is taken at its word: what it looks like is
//! checked, who signed it is not.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Serialize;

use super::dice::Dice;
use super::refusal::Refusal;
use super::wire;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Debug)]
pub(super) struct Login {
    pub(super) tenant: String,
    pub(super) client: String,
    pub(super) secret: String,
    pub(super) static_token: String,
    lifetime: Duration,
    issued: Mutex<Issued>,
}

/// Issued tokens with the moment each ends. Real time on purpose: the holder was told a number of
/// seconds and counts them by its own clock, however fast the simulated one runs.
#[derive(Debug)]
struct Issued {
    dice: Dice,
    until: BTreeMap<String, Instant>,
}

#[derive(Debug, Serialize)]
struct Grant {
    token_type: &'static str,
    expires_in: u64,
    ext_expires_in: u64,
    access_token: String,
}

#[derive(Debug, Serialize)]
struct Denial {
    error: &'static str,
    error_description: String,
    error_codes: [u32; 1],
}

impl Login {
    pub(super) fn new(seed: u64, lifetime: Duration) -> Self {
        // Apart from the sequence of the world, so that asking for a token changes no identifier.
        let mut dice = Dice::new(!seed);
        Self {
            tenant: dice.guid().to_string(),
            client: dice.guid().to_string(),
            secret: format!("SENSITIVE~{}", dice.guid().simple()),
            static_token: format!("sandbox.SENSITIVE.{}", dice.guid().simple()),
            lifetime,
            issued: Mutex::new(Issued { dice, until: BTreeMap::new() }),
        }
    }

    /// Answers a token request: the status and the body.
    pub(super) fn grant(&self, tenant: &str, form: &[u8]) -> (StatusCode, String) {
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(form).into_owned().collect();
        match self.check(tenant, &form) {
            Ok(()) => (StatusCode::OK, wire::compact(&self.issue())),
            Err((status, denial)) => (status, wire::compact(&denial)),
        }
    }

    fn check(
        &self,
        tenant: &str,
        form: &BTreeMap<String, String>,
    ) -> Result<(), (StatusCode, Denial)> {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let deny = |status, error, code: u32, text: &str| {
            let error_description = format!("AADSTS{code}: {text}");
            Err((status, Denial { error, error_description, error_codes: [code] }))
        };
        let bad = StatusCode::BAD_REQUEST;
        if !tenant.eq_ignore_ascii_case(&self.tenant) {
            return deny(bad, "invalid_request", 90002, &format!("Tenant '{tenant}' not found."));
        }
        if field("grant_type") != "client_credentials" {
            let text = "The app requested an unsupported grant type.";
            return deny(bad, "unsupported_grant_type", 70003, text);
        }
        if !field("client_id").eq_ignore_ascii_case(&self.client) {
            let text = format!(
                "Application with identifier '{}' was not found in the directory.",
                field("client_id")
            );
            return deny(bad, "unauthorized_client", 700_016, &text);
        }
        if !field("scope").ends_with("/.default") {
            let text = "The provided value for scope is not valid. Client credential flows must \
                        have a scope value with /.default suffixed to the resource identifier.";
            return deny(bad, "invalid_scope", 1_002_012, text);
        }
        let assertion = field("client_assertion");
        let assured = field("client_assertion_type") == JWT_BEARER
            && assertion.split('.').filter(|part| !part.is_empty()).count() == 3;
        if field("client_secret") == self.secret || assured {
            return Ok(());
        }
        let text = "Invalid client secret provided.";
        deny(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text)
    }

    fn issue(&self) -> Grant {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let access_token = format!("eyJ.SENSITIVE.{}", issued.dice.guid().simple());
        issued.until.insert(access_token.clone(), Instant::now() + self.lifetime);
        let expires_in = self.lifetime.as_secs();
        Grant { token_type: "Bearer", expires_in, ext_expires_in: expires_in, access_token }
    }

    /// Whether a request with this `Authorization` header may pass.
    pub(super) fn admit(&self, authorization: Option<&str>) -> Result<(), Refusal> {
        let Some(authorization) = authorization else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return Err(self.challenge("AuthenticationFailed", message));
        };
        let scheme = authorization.get(..7).filter(|text| text.eq_ignore_ascii_case("bearer "));
        let token = scheme.and_then(|_| authorization.get(7..)).unwrap_or_default();
        if token == self.static_token {
            return Ok(());
        }
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        match issued.until.get(token) {
            Some(until) if Instant::now() < *until => Ok(()),
            Some(_) => {
                let message = "The access token expiry UTC time is earlier than current UTC time.";
                Err(self.challenge("ExpiredAuthenticationToken", message))
            }
            None => {
                let message = "The access token is invalid.";
                Err(self.challenge("InvalidAuthenticationToken", message))
            }
        }
    }

    fn challenge(&self, code: &str, message: &str) -> Refusal {
        let challenge = format!(
            "Bearer authorization_uri=\"https://login.windows.net/{}\", error=\"invalid_token\", \
             error_description=\"{message}\"",
            self.tenant
        );
        Refusal::gateway(StatusCode::UNAUTHORIZED, code, message)
            .with("www-authenticate", challenge)
    }
}

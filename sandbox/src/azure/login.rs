//! The login service and the check of bearers.
//!
//! Tokens are opaque here, and good for one resource: the resource manager beside it. What proves a client
//! without a secret is checked in [`super::assertion`].

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Serialize;

use super::assertion::Assertions;
use super::dice::Dice;
use super::refusal::Refusal;
use super::server::lock;
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
    pub(super) assertions: Mutex<Assertions>,
}

/// Issued tokens with the moment each ends. Real time on purpose: the holder was told a number of
/// seconds and counts them by its own clock, however fast the simulated one runs.
#[derive(Debug)]
struct Issued {
    dice: Dice,
    until: BTreeMap<String, Instant>,
}

#[derive(Debug, Serialize)]
pub(super) struct Grant {
    token_type: &'static str,
    pub(super) expires_in: u64,
    ext_expires_in: u64,
    pub(super) access_token: String,
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
            assertions: Mutex::default(),
        }
    }

    /// Answers a token request that was sent to `host`: the status and the body.
    pub(super) fn grant(&self, tenant: &str, host: &str, form: &[u8]) -> (StatusCode, String) {
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(form).into_owned().collect();
        match self.check(tenant, host, &form) {
            Ok(()) => (StatusCode::OK, wire::compact(&self.issue())),
            Err((status, denial)) => (status, wire::compact(&denial)),
        }
    }

    /// The body of a refusal with this status, whatever the request.
    pub(super) fn refusal(status: StatusCode) -> String {
        let (error, code) = match status {
            StatusCode::UNAUTHORIZED => ("invalid_client", 7_000_215),
            _ => ("temporarily_unavailable", 90_033),
        };
        let reason = status.canonical_reason().unwrap_or("Unknown");
        let error_description = format!("AADSTS{code}: {reason}.");
        wire::compact(&Denial { error, error_description, error_codes: [code] })
    }

    fn check(
        &self,
        tenant: &str,
        host: &str,
        form: &BTreeMap<String, String>,
    ) -> Result<(), (StatusCode, Denial)> {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let deny = |status, error, code: u32, text: &str| {
            // On several lines, as the real ones are.
            let error_description = format!(
                "AADSTS{code}: {text}\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\n\
                 Correlation ID: aaaa0000-bb11-2222-33cc-444444dddddd\r\n\
                 Timestamp: 2026-03-01 12:00:00Z"
            );
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
        // Beside the one scope that counts, libraries may ask for `openid profile offline_access`.
        let resource =
            field("scope").split_whitespace().find_map(|one| one.strip_suffix("/.default"));
        let Some(resource) = resource else {
            let text = "The provided value for scope is not valid. Client credential flows must \
                        have a scope value with /.default suffixed to the resource identifier.";
            return deny(bad, "invalid_scope", 1_002_012, text);
        };
        // An audience may end with a slash of its own: az asks for `https://…//.default`.
        if resource.strip_suffix('/').unwrap_or(resource) != format!("https://{host}") {
            let text =
                format!("The resource principal named {resource} was not found in the tenant.");
            return deny(bad, "invalid_resource", 500_011, &text);
        }
        if field("client_assertion_type") == JWT_BEARER {
            let audience = format!("https://{host}/{}/oauth2/v2.0/token", self.tenant);
            let now = jiff::Timestamp::now().as_second();
            let checked = lock(&self.assertions).check(
                field("client_assertion"),
                &self.client,
                &audience,
                now,
            );
            return checked.or_else(|doubt| {
                deny(StatusCode::UNAUTHORIZED, "invalid_client", doubt.code, doubt.text)
            });
        }
        if field("client_secret") == self.secret {
            return Ok(());
        }
        let text = "Invalid client secret provided.";
        deny(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text)
    }

    /// Takes back every bearer issued so far, though its holder was told that it would live longer.
    pub(super) fn revoke(&self) {
        lock(&self.issued).until.clear();
    }

    /// A new bearer.
    pub(super) fn issue(&self) -> Grant {
        let mut issued = lock(&self.issued);
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
        let issued = lock(&self.issued);
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

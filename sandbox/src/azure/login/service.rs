//! The login service: it issues bearer tokens and authenticates requests.
//!
//! Tokens are opaque, and valid for one resource: the resource manager beside it. Clients without a secret
//! authenticate with a [client assertion](super::client_assertion).

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Serialize;

use super::client_assertion::ClientAssertions;
use crate::azure::dto::format;
use crate::azure::error_response::ErrorResponse;
use crate::azure::rng::Rng;
use crate::lock::lock;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Debug)]
pub(crate) struct LoginService {
    pub(crate) tenant: String,
    pub(crate) client: String,
    pub(crate) secret: String,
    pub(crate) static_token: String,
    lifetime: Duration,
    issued: Mutex<Issued>,
    pub(crate) assertions: Mutex<ClientAssertions>,
}

/// Issued tokens with their expiry. They expire in real time: their holder received a number of seconds and
/// counts these by its own clock, however fast the simulated one runs.
#[derive(Debug)]
struct Issued {
    rng: Rng,
    expires_at: BTreeMap<String, Instant>,
}

#[derive(Debug, Serialize)]
pub(crate) struct TokenResponse {
    token_type: &'static str,
    pub(crate) expires_in: u64,
    ext_expires_in: u64,
    pub(crate) access_token: String,
}

#[derive(Debug, Serialize)]
struct TokenError {
    error: &'static str,
    error_description: String,
    error_codes: [u32; 1],
}

impl LoginService {
    pub(crate) fn new(seed: u64, lifetime: Duration) -> Self {
        // A sequence of its own, so that a token request changes no identifier in the subscription.
        let mut rng = Rng::new(!seed);
        Self {
            tenant: rng.guid().to_string(),
            client: rng.guid().to_string(),
            secret: format!("SENSITIVE~{}", rng.guid().simple()),
            static_token: format!("sandbox.SENSITIVE.{}", rng.guid().simple()),
            lifetime,
            issued: Mutex::new(Issued { rng, expires_at: BTreeMap::new() }),
            assertions: Mutex::default(),
        }
    }

    /// Status and body of the response to a token request that was sent to `host`.
    pub(crate) fn token(&self, tenant: &str, host: &str, form: &[u8]) -> (StatusCode, String) {
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(form).into_owned().collect();
        match self.check(tenant, host, &form) {
            Ok(()) => (StatusCode::OK, format::compact(&self.issue())),
            Err((status, error)) => (status, format::compact(&error)),
        }
    }

    /// The body of an injected error with this status.
    pub(crate) fn injected_error(status: StatusCode) -> String {
        let (error, code) = match status {
            StatusCode::UNAUTHORIZED => ("invalid_client", 7_000_215),
            _ => ("temporarily_unavailable", 90_033),
        };
        let reason = status.canonical_reason().unwrap_or("Unknown");
        let error_description = format!("AADSTS{code}: {reason}.");
        format::compact(&TokenError { error, error_description, error_codes: [code] })
    }

    fn check(
        &self,
        tenant: &str,
        host: &str,
        form: &BTreeMap<String, String>,
    ) -> Result<(), (StatusCode, TokenError)> {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let deny = |status, error, code: u32, text: &str| {
            // On several lines, as the real ones are.
            let error_description = format!(
                "AADSTS{code}: {text}\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\n\
                 Correlation ID: aaaa0000-bb11-2222-33cc-444444dddddd\r\n\
                 Timestamp: 2026-03-01 12:00:00Z"
            );
            Err((status, TokenError { error, error_description, error_codes: [code] }))
        };
        let bad_request = StatusCode::BAD_REQUEST;
        if !tenant.eq_ignore_ascii_case(&self.tenant) {
            return deny(
                bad_request,
                "invalid_request",
                90002,
                &format!("Tenant '{tenant}' not found."),
            );
        }
        if field("grant_type") != "client_credentials" {
            let text = "The app requested an unsupported grant type.";
            return deny(bad_request, "unsupported_grant_type", 70003, text);
        }
        if !field("client_id").eq_ignore_ascii_case(&self.client) {
            let text = format!(
                "Application with identifier '{}' was not found in the directory.",
                field("client_id")
            );
            return deny(bad_request, "unauthorized_client", 700_016, &text);
        }
        // Beside the scope of the resource, libraries may request `openid profile offline_access`.
        let resource =
            field("scope").split_whitespace().find_map(|one| one.strip_suffix("/.default"));
        let Some(resource) = resource else {
            let text = "The provided value for scope is not valid. Client credential flows must \
                        have a scope value with /.default suffixed to the resource identifier.";
            return deny(bad_request, "invalid_scope", 1_002_012, text);
        };
        // An audience may end with a slash of its own: az sends `https://…//.default`.
        if resource.strip_suffix('/').unwrap_or(resource) != format!("https://{host}") {
            let text =
                format!("The resource principal named {resource} was not found in the tenant.");
            return deny(bad_request, "invalid_resource", 500_011, &text);
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
            return checked.or_else(|error| {
                deny(StatusCode::UNAUTHORIZED, "invalid_client", error.code, error.text)
            });
        }
        if field("client_secret") == self.secret {
            return Ok(());
        }
        let text = "Invalid client secret provided.";
        deny(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text)
    }

    /// Invalidates every issued token before its expiry.
    pub(crate) fn revoke_all(&self) {
        lock(&self.issued).expires_at.clear();
    }

    /// Issues a new token.
    pub(crate) fn issue(&self) -> TokenResponse {
        let mut issued = lock(&self.issued);
        let access_token = format!("eyJ.SENSITIVE.{}", issued.rng.guid().simple());
        issued.expires_at.insert(access_token.clone(), Instant::now() + self.lifetime);
        let expires_in = self.lifetime.as_secs();
        TokenResponse { token_type: "Bearer", expires_in, ext_expires_in: expires_in, access_token }
    }

    /// Rejects a request without a valid token in its `Authorization` header.
    pub(crate) fn authenticate(&self, authorization: Option<&str>) -> Result<(), ErrorResponse> {
        let Some(authorization) = authorization else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return Err(self.unauthorized("AuthenticationFailed", message));
        };
        let scheme = authorization.get(..7).filter(|text| text.eq_ignore_ascii_case("bearer "));
        let token = scheme.and_then(|_| authorization.get(7..)).unwrap_or_default();
        if token == self.static_token {
            return Ok(());
        }
        let issued = lock(&self.issued);
        match issued.expires_at.get(token) {
            Some(expires_at) if Instant::now() < *expires_at => Ok(()),
            Some(_) => {
                let message = "The access token expiry UTC time is earlier than current UTC time.";
                Err(self.unauthorized("ExpiredAuthenticationToken", message))
            }
            None => {
                let message = "The access token is invalid.";
                Err(self.unauthorized("InvalidAuthenticationToken", message))
            }
        }
    }

    fn unauthorized(&self, code: &str, message: &str) -> ErrorResponse {
        let challenge = format!(
            "Bearer authorization_uri=\"https://login.windows.net/{}\", error=\"invalid_token\", \
             error_description=\"{message}\"",
            self.tenant
        );
        ErrorResponse::gateway(StatusCode::UNAUTHORIZED, code, message)
            .with_header("www-authenticate", challenge)
    }
}

//! Logging on and off: the requests, the credentials, and the logon session that a logon returns.
//!
//! The vendor's REST API reference, "Authentication": `POST /sessionMngr/` with Basic credentials returns the header
//! `X-RestSvcSessionId`, which every further request repeats.

use std::fmt;

use quick_xml::escape::escape;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::client::{Client, Target};
use super::kind::Kind;
use super::xml::LogonSession;
use crate::model::Error;
use crate::upstream::Intent;

const SESSION_HEADER: &str = "X-RestSvcSessionId";
/// A usual response has about 65 links in 20 KiB.
const MAX_LOGON_BYTES: u64 = 1024 * 1024;

/// An account of a Cloud Connect tenant: with it the gateway sees what the tenant sees.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Name of the tenant account.
    pub username: String,
    /// Its password.
    pub password: SecretString,
}

/// What the gateway logs on with.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: SecretString,
    pub(super) tenant: Option<Tenant>,
}

/// A logon session of the vendor.
pub(super) struct Logon {
    /// Opaque, and as good as the password while the session lasts.
    token: HeaderValue,
    id: Uuid,
    /// The kinds of restore points that the server serves to this account.
    pub(super) kinds: Vec<Kind>,
}

impl fmt::Debug for Logon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logon(…)")
    }
}

impl Logon {
    /// Logs on with one request. A POST is never retried.
    ///
    /// # Errors
    /// [`Error::CredentialRefused`]; [`Error::InvalidResponse`]; those of [`Client::send`].
    pub(super) async fn new(client: &Client, credentials: &Credentials) -> Result<Self, Error> {
        let Credentials { username, password, tenant } = credentials;
        let target = Target {
            path: "sessionMngr/".to_owned(),
            query: vec![("v", "latest".to_owned())],
            max_bytes: MAX_LOGON_BYTES,
        };
        let request = client
            .request(Method::POST, &target)
            .basic_auth(username, Some(password.expose_secret()));
        let request = match tenant {
            // The server refuses a POST without a length.
            None => request.header(CONTENT_LENGTH, HeaderValue::from_static("0")),
            Some(tenant) => request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/xml"))
                .body(tenant.login_spec()),
        };
        let backend = &client.backend;
        let response = client
            .send(Intent::LOGON, request)
            .await?
            .map_err(|response| response.into_error(backend))?;
        let token = response.headers().get(SESSION_HEADER).cloned();
        let mut token = token.ok_or_else(|| {
            client.invalid(format!("a logon without the header `{SESSION_HEADER}`"))
        })?;
        token.set_sensitive(true);
        let document =
            client.read_document(response, LogonSession::default(), target.max_bytes).await?;
        let (id, links) = document.finish().map_err(|problem| client.invalid(problem))?;
        // Without Cloud Connect there is no link to `/cloud`, and a tenant's session has no other.
        let is_served = |kind: &Kind| links.iter().any(|link| kind.is_served_at(link));
        let kinds: Vec<_> = Kind::ALL.into_iter().filter(is_served).collect();
        tracing::debug!(backend, ?kinds, "logged on");
        Ok(Self { token, id, kinds })
    }

    /// The request, under this session.
    pub(super) fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(SESSION_HEADER, &self.token)
    }

    /// Logs off. If that fails, the vendor ends the session after 15 idle minutes.
    pub(super) async fn end(&self, client: &Client) {
        let path = format!("logonSessions/{}", self.id);
        let target = Target { path, query: Vec::new(), max_bytes: 0 };
        let request = self.authorize(client.request(Method::DELETE, &target));
        let backend = &client.backend;
        match client.send(Intent::LOGOFF, request).await {
            Ok(Ok(_)) => tracing::debug!(backend, "logged off"),
            Ok(Err(error)) => tracing::debug!(backend, %error, "cannot log off"),
            Err(error) => tracing::debug!(backend, %error, "cannot log off"),
        }
    }
}

impl Tenant {
    /// The body of a tenant's logon. It is sent in addition to the Basic credentials.
    fn login_spec(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <LoginSpec xmlns=\"http://www.veeam.com/ent/v1.0\"><TenantCredentials>\
             <Username>{}</Username><Password>{}</Password></TenantCredentials></LoginSpec>",
            escape(self.username.as_str()),
            escape(self.password.expose_secret()),
        )
    }
}

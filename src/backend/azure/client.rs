//! Requests to ARM: URLs, the bearer, and what an answer means before anyone looks into its body.
//!
//! Reads are repeated while it makes sense. A write is sent once; whether it had an effect when no
//! answer came is told to the caller, who must look.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use url::Url;
use uuid::Uuid;

use super::error::Refusal;
use super::quota;
use crate::backend::coalescer::Coalescer;
use crate::backend::token_cache::{Token, TokenCache, TokenSourceError};
use crate::model::{BackendId, Error};
use crate::upstream::{
    Client, DEFAULT_RETRY_AFTER, RequestError, collect, redact_url, retry_reads,
};

/// ARM itself turns provider answers above 8 MB into errors; a list over all regions may be larger.
const LARGEST_LIST: u64 = 32 << 20;
/// A point of a machine with 64 disks has a tenth of it. What is told of it must fit into a message.
const LARGEST_RESOURCE: u64 = 1 << 20;
/// No refusal is larger.
const LARGEST_REFUSAL: u64 = 1 << 20;
/// Signed operation URLs have 3 KiB. A longer one would make tokens that no request can carry.
const LONGEST_URL: usize = 16 * 1024;

/// The first version of the disk provider that tells how far a copy is; every cloud has it.
const DISK_API_VERSION: &str = "2021-08-01";

/// How often a write is sent: once, and if its reply was lost and nothing is there, once more.
pub(super) const ATTEMPTS: usize = 2;

/// One subscription at one endpoint.
#[derive(Debug)]
pub(super) struct Arm {
    pub(super) backend: BackendId,
    pub(super) subscription: String,
    pub(super) endpoint: Url,
    pub(super) api_version: String,
    pub(super) http: Client,
    pub(super) tokens: TokenCache,
    pub(super) lists: Coalescer<Url, Bytes>,
}

/// What a read asks for besides the resource itself; each resource knows one of these only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expand {
    /// Nothing.
    Nothing,
    /// The points of a collection. There is no other way to list them, and no paging in it.
    RestorePoints,
    /// The replication of a point.
    InstanceView,
}

/// A successful answer to a write.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    /// Empty also if it broke off: the write has been accepted all the same.
    pub(super) body: Bytes,
}

/// What became of a write that was sent.
#[derive(Debug)]
pub(super) enum Written {
    /// It was accepted.
    Accepted(Answer),
    /// It had no effect.
    Refused(Refusal),
    /// Nobody knows; the error is why.
    Unknown(Error),
}

enum Unsent {
    Token(Error),
    Http(RequestError),
}

impl Arm {
    /// The URL of a resource. Segments are escaped here.
    pub(super) fn url(&self, path: &[&str], expand: Expand) -> Url {
        self.url_at(&self.api_version, path, expand)
    }

    /// The URL of a resource of the disk provider: it shares a tree with the compute provider, and has
    /// versions of its own.
    pub(super) fn disk_url(&self, path: &[&str]) -> Url {
        self.url_at(DISK_API_VERSION, path, Expand::Nothing)
    }

    fn url_at(&self, version: &str, path: &[&str], expand: Expand) -> Url {
        let mut url = self.endpoint.clone();
        // An endpoint that cannot have a path was refused at the start.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", version);
        match expand {
            Expand::Nothing => {}
            Expand::RestorePoints => drop(query.append_pair("$expand", "restorePoints")),
            Expand::InstanceView => drop(query.append_pair("$expand", "instanceView")),
        }
        drop(query);
        url
    }

    /// A URL that ARM gave out, if it leads to ARM: no other host may ever see the bearer.
    pub(super) fn own_url(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_URL)?;
        let own = url.origin() == self.endpoint.origin()
            && url.username().is_empty()
            && url.password().is_none();
        own.then_some(url)
    }

    /// Reads one resource, again if it fails for a passing reason. `name` is what the caller knows it by.
    ///
    /// # Errors
    /// By the status; [`Error::InvalidResponse`] for a success other than 200.
    pub(super) async fn read(&self, url: &Url, name: &str) -> Result<Bytes, Error> {
        retry_reads(|| self.read_once(url, name, LARGEST_RESOURCE)).await
    }

    /// Reads many resources in one body, together with all who ask for the same: how much is in it is ARM's
    /// choice, so that pages of any size and the readings of pollers come out of one.
    ///
    /// # Errors
    /// As [`Arm::read`].
    pub(super) async fn read_list(
        self: &Arc<Self>,
        url: Url,
        name: String,
    ) -> Result<Bytes, Error> {
        let (arm, at) = (Arc::clone(self), url.clone());
        let read = async move { retry_reads(|| arm.read_once(&at, &name, LARGEST_LIST)).await };
        self.lists.run(url, || read.boxed()).await
    }

    async fn read_once(&self, url: &Url, name: &str, largest: u64) -> Result<Bytes, Error> {
        let backend = self.backend.as_str();
        let response = match self.send(&Method::GET, url, &Bytes::new(), None).await {
            Ok(response) => response,
            Err(Unsent::Token(error)) => return Err(error),
            Err(Unsent::Http(failure)) => return Err(failure.into_error(backend)),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        if status == StatusCode::OK {
            let body = collect(response, largest).await;
            return body.map_err(|failure| failure.into_error(backend));
        }
        // The status alone tells enough when the explanation breaks off.
        let body = collect(response, LARGEST_REFUSAL).await.unwrap_or_default();
        let refusal = Refusal::read(status, &headers, &body);
        Err(refusal.into_error(backend, name))
    }

    /// Sends a PUT once.
    ///
    /// # Errors
    /// When it was certainly not sent.
    pub(super) async fn put(
        &self,
        url: &Url,
        body: Vec<u8>,
        request_id: Option<Uuid>,
    ) -> Result<Written, Error> {
        let backend = self.backend.as_str();
        let response = match self.send(&Method::PUT, url, &Bytes::from(body), request_id).await {
            Ok(response) => response,
            Err(Unsent::Token(error)) => return Err(error),
            Err(Unsent::Http(
                failure @ (RequestError::NotSent(_)
                | RequestError::RateLimited(_)
                | RequestError::CircuitOpen(_)),
            )) => return Err(failure.into_error(backend)),
            Err(Unsent::Http(failure)) => return Ok(Written::Unknown(failure.into_error(backend))),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let largest = if status.is_success() { LARGEST_RESOURCE } else { LARGEST_REFUSAL };
        let body = collect(response, largest).await.unwrap_or_default();
        if status.is_success() {
            return Ok(Written::Accepted(Answer { headers, body }));
        }
        let refusal = Refusal::read(status, &headers, &body);
        if refusal.is_ambiguous() {
            return Ok(Written::Unknown(refusal.into_error(backend, backend)));
        }
        Ok(Written::Refused(refusal))
    }

    /// Sends a request, and once more with a new token if ARM does not take the old one: a 401 has had
    /// no effect.
    async fn send(
        &self,
        method: &Method,
        url: &Url,
        body: &Bytes,
        request_id: Option<Uuid>,
    ) -> Result<reqwest::Response, Unsent> {
        // No token is fetched for a call that is refused.
        self.http.check_available().map_err(Unsent::Http)?;
        let token = self.tokens.get(Timestamp::now()).await;
        let token = token.map_err(|error| Unsent::Token(self.no_token(error)))?;
        let response = self.send_with(&token, method, url, body, request_id).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let token = self.tokens.replace(&token).await;
        let token = token.map_err(|error| Unsent::Token(self.no_token(error)))?;
        self.send_with(&token, method, url, body, request_id).await
    }

    async fn send_with(
        &self,
        token: &Token,
        method: &Method,
        url: &Url,
        body: &Bytes,
        request_id: Option<Uuid>,
    ) -> Result<reqwest::Response, Unsent> {
        let mut request = self
            .http
            .inner()
            .request(method.clone(), url.clone())
            .bearer_auth(token.bearer.expose_secret())
            .header(header::ACCEPT, "application/json");
        if *method != Method::GET {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(id) = request_id {
            request = request.header("x-ms-client-request-id", id.to_string());
        }
        let request = request.build().map_err(|_| {
            Unsent::Http(RequestError::NotSent("the request cannot be built".to_owned()))
        })?;
        let response = self.http.send(request).await.map_err(Unsent::Http)?;
        if let Some(left) = quota::left(response.headers()) {
            self.http.lower_rate_limit(left);
        }
        tracing::debug!(
            backend = self.backend.as_str(), %method, url = redact_url(url),
            status = response.status().as_u16(), "asked ARM"
        );
        Ok(response)
    }

    fn no_token(&self, error: TokenSourceError) -> Error {
        let backend = self.backend.as_str().to_owned();
        match error {
            TokenSourceError::Refused(detail) => Error::CredentialRefused { backend, detail },
            TokenSourceError::Unreachable(detail) => Error::Unavailable {
                backend,
                retry_after: DEFAULT_RETRY_AFTER,
                detail: format!("no token: {detail}"),
            },
        }
    }

    /// An invalid response.
    pub(super) fn invalid_response(&self, problem: impl Into<String>) -> Error {
        let backend = self.backend.as_str().to_owned();
        Error::InvalidResponse { backend, problem: problem.into() }
    }
}

//! Requests to ARM: URLs, the bearer token, and what a response means before its body is decoded.
//!
//! Reads are retried. A PUT is sent again only after a read has shown that it had no effect.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use super::config::{Settings, SettingsError};
use super::error_response::ErrorResponse;
use super::id::Scope;
use super::{credential, dto, quota};
use crate::backend::coalescer::Coalescer;
use crate::backend::token_cache::{Token, TokenCache, TokenSourceError};
use crate::model::{DEFAULT_RETRY_AFTER, Error};
use crate::upstream::{
    Client, Connection, Effect, Intent, RequestError, RequestMetrics, Upstream, collect,
};

/// In bytes. ARM turns responses of its providers above 8 MB into errors; a list over all regions may be larger.
const MAX_LIST_BODY: u64 = 32 << 20;
/// In bytes: ten times a point of a virtual machine with 64 disks. What is mapped from it must fit into a message.
const MAX_RESOURCE_BODY: u64 = 1 << 20;
/// In bytes.
const MAX_ERROR_BODY: u64 = 1 << 20;
/// In bytes. Signed operation URLs have 3 KiB; a token that holds a longer one would not fit into a request.
const MAX_URL: usize = 16 * 1024;

/// A version of the disk provider, by what it is the first to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiskApiVersion {
    /// The progress of a copy; every cloud has it.
    Replication,
    /// `snapshotAccessState`, for every disk.
    SnapshotAccess,
}

impl DiskApiVersion {
    const fn text(self) -> &'static str {
        match self {
            Self::Replication => "2021-08-01",
            Self::SnapshotAccess => "2026-03-02",
        }
    }
}

/// A PUT is sent again once if its response was lost and it had no effect.
const MAX_PUT_ATTEMPTS: usize = 2;

/// The client of one subscription.
#[derive(Debug)]
pub(super) struct ArmClient {
    /// The backend and its subscription.
    pub(super) scope: Scope,
    endpoint: Url,
    api_version: String,
    http: Client,
    tokens: TokenCache,
    /// Of the requests for tokens; none if the credential needs none.
    authority: Option<Client>,
    lists: Coalescer<Url, Bytes>,
}

/// `$expand` of a read; each kind of resource knows only one of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expand {
    /// The resource alone.
    Nothing,
    /// The points of a collection. ARM lists points in no other way, and not in pages.
    RestorePoints,
    /// The replication of a point.
    InstanceView,
}

/// The response to an accepted PUT.
#[derive(Debug)]
pub(super) struct PutResponse {
    pub(super) headers: HeaderMap,
    /// Empty also when it was interrupted: the PUT is accepted all the same.
    pub(super) body: Bytes,
}

/// What became of a PUT.
#[derive(Debug)]
pub(super) enum PutOutcome<T> {
    /// ARM accepted it.
    Accepted(PutResponse),
    /// ARM rejected it: it had no effect.
    Rejected(ErrorResponse),
    /// Its response was lost, and the resource exists.
    Existing(T),
}

/// What became of one attempt of a PUT.
enum PutAttempt {
    Accepted(PutResponse),
    Rejected(ErrorResponse),
    /// It may have had an effect.
    ResponseLost(Error),
}

/// A request to ARM.
#[derive(Clone, Copy)]
enum Call<'a> {
    Get,
    /// ARM knows a resource by its name, so that a second PUT of the same body has no further effect.
    Put(&'a Bytes),
}

impl Call<'_> {
    fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Put(_) => Method::PUT,
        }
    }

    fn intent(self) -> Intent {
        match self {
            Self::Get => Intent::READ,
            Self::Put(_) => Intent::IDEMPOTENT_WRITE,
        }
    }
}

/// Why a request has no response.
enum SendError {
    /// It was not sent.
    NotSent(Error),
    /// It was sent.
    NoResponse(Error),
}

impl ArmClient {
    /// A client with these settings. Sends nothing.
    ///
    /// # Errors
    /// When a setting is invalid whatever Azure replies.
    pub(super) fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.validate()?;
        let Settings { id, subscription_id, endpoint, authority, api_version, credential, .. } =
            settings;
        let connection = Connection { trust: settings.trust, proxy: settings.proxy };
        let limit = settings.rate_limit;
        let http = Client::new(id.as_str(), Upstream::Vendor, &connection, limit)?;
        let (source, authority) =
            credential::token_source(credential, &endpoint, &authority, &http)
                .map_err(|problem| SettingsError::Value { setting: "credential", problem })?;
        Ok(Self {
            scope: Scope { backend: id, subscription: subscription_id },
            endpoint,
            api_version,
            http,
            tokens: TokenCache::new(source),
            authority,
            lists: Coalescer::new(),
        })
    }

    /// Passes unless the circuit breaker is open.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`].
    pub(super) fn check_available(&self) -> Result<(), Error> {
        self.http.check_available().map_err(|error| error.into_error(self.backend()))
    }

    /// The requests sent so far.
    pub(super) fn request_metrics(&self) -> Vec<RequestMetrics> {
        [&self.http].into_iter().chain(&self.authority).map(Client::metrics).collect()
    }

    /// The URL of a resource by its unescaped path segments.
    pub(super) fn url(&self, path: &[&str], expand: Expand) -> Url {
        self.versioned_url(&self.api_version, path, expand)
    }

    /// The URL of a resource of the disk provider, which shares the compute provider's URL tree and has versions of its
    /// own.
    pub(super) fn disk_url(&self, version: DiskApiVersion, path: &[&str]) -> Url {
        self.versioned_url(version.text(), path, Expand::Nothing)
    }

    fn versioned_url(&self, version: &str, path: &[&str], expand: Expand) -> Url {
        let mut url = self.endpoint.clone();
        // An endpoint that cannot have a path is an invalid setting.
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

    /// A URL that ARM returned, such as one of an operation, if it points to ARM: the bearer token is never sent to
    /// another host.
    pub(super) fn own_url(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL)?;
        let is_own = url.origin() == self.endpoint.origin()
            && url.username().is_empty()
            && url.password().is_none();
        is_own.then_some(url)
    }

    /// The URL of a `nextLink`.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] for a URL of another host.
    pub(super) fn next_page_url(&self, link: &str) -> Result<Url, Error> {
        self.own_url(link)
            .ok_or_else(|| self.invalid_response("the nextLink of a page points to another host"))
    }

    /// Reads one resource. `name` is its name in the gateway, for errors.
    ///
    /// # Errors
    /// By the status; [`Error::InvalidResponse`] for a success other than 200.
    pub(super) async fn read(&self, url: &Url, name: &str) -> Result<Bytes, Error> {
        let read = || self.read_once(url, name, MAX_RESOURCE_BODY);
        self.http.retry(Intent::READ, read).await
    }

    /// Reads a list of resources. Concurrent reads of one URL share a request: ARM decides how much one body holds, so
    /// that pages of any size and polls of many points come from the same one.
    ///
    /// # Errors
    /// As [`ArmClient::read`].
    pub(super) async fn read_list(
        self: &Arc<Self>,
        url: Url,
        name: String,
    ) -> Result<Bytes, Error> {
        let (client, target) = (Arc::clone(self), url.clone());
        let read = async move {
            let read = || client.read_once(&target, &name, MAX_LIST_BODY);
            client.http.retry(Intent::READ, read).await
        };
        self.lists.run(url, || read.boxed()).await
    }

    async fn read_once(&self, url: &Url, name: &str, max_body: u64) -> Result<Bytes, Error> {
        let response = match self.send(Call::Get, url, None).await {
            Ok(response) => response,
            Err(SendError::NotSent(error) | SendError::NoResponse(error)) => return Err(error),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        if status == StatusCode::OK {
            let body = collect(response, max_body).await;
            return body.map_err(|error| error.into_error(self.backend()));
        }
        let body = collect(response, MAX_ERROR_BODY).await;
        let response = self.error_response(status, &headers, body)?;
        self.observe(Effect::Read, &response);
        Err(response.into_error(self.backend(), name))
    }

    /// Sends a PUT. If its response is lost, `find_existing` reads whether it had an effect; if it had none, it is sent
    /// again.
    ///
    /// # Errors
    /// When the PUT was not sent; when its response was lost each time and it had no effect; those of `find_existing`.
    pub(super) async fn put<T, F>(
        &self,
        url: &Url,
        body: &impl Serialize,
        request_id: Option<Uuid>,
        find_existing: impl Fn() -> F,
    ) -> Result<PutOutcome<T>, Error>
    where
        F: Future<Output = Result<Option<T>, Error>>,
    {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::Internal { problem: error.to_string() })?;
        let body = Bytes::from(body);
        let mut attempt = 1;
        loop {
            let lost = match self.put_once(url, &body, request_id).await? {
                PutAttempt::Accepted(response) => return Ok(PutOutcome::Accepted(response)),
                PutAttempt::Rejected(response) => return Ok(PutOutcome::Rejected(response)),
                PutAttempt::ResponseLost(error) => error,
            };
            if let Some(existing) = find_existing().await? {
                return Ok(PutOutcome::Existing(existing));
            }
            if attempt == MAX_PUT_ATTEMPTS || !self.http.may_repeat(Intent::IDEMPOTENT_WRITE) {
                return Err(lost);
            }
            attempt += 1;
        }
    }

    async fn put_once(
        &self,
        url: &Url,
        body: &Bytes,
        request_id: Option<Uuid>,
    ) -> Result<PutAttempt, Error> {
        let response = match self.send(Call::Put(body), url, request_id).await {
            Ok(response) => response,
            Err(SendError::NotSent(error)) => return Err(error),
            Err(SendError::NoResponse(error)) => return Ok(PutAttempt::ResponseLost(error)),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let max_body = if status.is_success() { MAX_RESOURCE_BODY } else { MAX_ERROR_BODY };
        let body = collect(response, max_body).await;
        if status.is_success() {
            let body = body.unwrap_or_default();
            return Ok(PutAttempt::Accepted(PutResponse { headers, body }));
        }
        let response = match self.error_response(status, &headers, body) {
            Ok(response) => response,
            // It had no effect. The reason is lost: another attempt has it.
            Err(error) => return Ok(PutAttempt::ResponseLost(error)),
        };
        self.observe(Effect::IdempotentWrite, &response);
        if response.may_have_taken_effect() {
            let error = response.into_error(self.backend(), self.backend());
            return Ok(PutAttempt::ResponseLost(error));
        }
        Ok(PutAttempt::Rejected(response))
    }

    /// The error response with this body.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when the body ended early and only its code says what the status means.
    fn error_response(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: Result<Bytes, RequestError>,
    ) -> Result<ErrorResponse, Error> {
        match body {
            Err(error @ RequestError::Interrupted(_)) if ErrorResponse::needs_code(status) => {
                Err(error.into_error(self.backend()))
            }
            body => Ok(ErrorResponse::parse(status, headers, &body.unwrap_or_default())),
        }
    }

    /// A Retry-After that is not about one resource holds all requests like this one.
    fn observe(&self, effect: Effect, response: &ErrorResponse) {
        if response.holds_backend(effect) {
            let error = response.clone().into_error(self.backend(), self.backend());
            self.http.hold(effect, &error);
        }
    }

    /// Sends a request, and again with a new token if ARM rejects the first: a request with status 401 had no effect.
    async fn send(
        &self,
        call: Call<'_>,
        url: &Url,
        request_id: Option<Uuid>,
    ) -> Result<reqwest::Response, SendError> {
        // While the circuit breaker is open, no token is fetched.
        self.check_available().map_err(SendError::NotSent)?;
        let token = self.tokens.get(Timestamp::now()).await;
        let token = token.map_err(|error| SendError::NotSent(self.token_error(error)))?;
        let response = self.send_with_token(&token, call, url, request_id).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let token = self.tokens.replace(&token).await;
        let token = token.map_err(|error| SendError::NotSent(self.token_error(error)))?;
        self.send_with_token(&token, call, url, request_id).await
    }

    async fn send_with_token(
        &self,
        token: &Token,
        call: Call<'_>,
        url: &Url,
        request_id: Option<Uuid>,
    ) -> Result<reqwest::Response, SendError> {
        let mut request = self
            .http
            .inner()
            .request(call.method(), url.clone())
            .bearer_auth(token.bearer.expose_secret())
            .header(header::ACCEPT, "application/json");
        if let Call::Put(body) = call {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(id) = request_id {
            request = request.header("x-ms-client-request-id", id.to_string());
        }
        let request = request.build().map_err(|_| {
            let error = RequestError::NotSent("the request cannot be built".to_owned());
            self.send_error(error)
        })?;
        let response = self.http.send(call.intent(), request).await;
        let response = response.map_err(|error| self.send_error(error))?;
        if let Some(remaining) = quota::remaining(response.headers()) {
            self.http.lower_rate_limit(remaining);
        }
        Ok(response)
    }

    fn send_error(&self, error: RequestError) -> SendError {
        let is_sent = !matches!(
            error,
            RequestError::NotSent(_)
                | RequestError::RateLimited(_)
                | RequestError::CircuitOpen(_)
                | RequestError::HeldBack(_)
        );
        let error = error.into_error(self.backend());
        if is_sent { SendError::NoResponse(error) } else { SendError::NotSent(error) }
    }

    fn token_error(&self, error: TokenSourceError) -> Error {
        let backend = self.backend().to_owned();
        match error {
            TokenSourceError::Refused(detail) => Error::CredentialRefused { backend, detail },
            TokenSourceError::Unreachable { detail, retry_after } => Error::Unavailable {
                backend,
                retry_after,
                detail: format!("cannot get an access token: {detail}"),
            },
        }
    }

    /// Decodes the body of a response.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`], as [`dto::decode`].
    pub(super) fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        dto::decode(body).map_err(|problem| self.invalid_response(problem))
    }

    /// An [`Error::InvalidResponse`].
    pub(super) fn invalid_response(&self, problem: impl Into<String>) -> Error {
        Error::InvalidResponse { backend: self.backend().to_owned(), problem: problem.into() }
    }

    /// The error of the read that follows an accepted PUT: when ARM does not find the resource, it will later.
    pub(super) fn read_after_put_error(&self, error: Error) -> Error {
        match error {
            Error::NotFound { name, .. } => Error::Unavailable {
                backend: self.backend().to_owned(),
                retry_after: DEFAULT_RETRY_AFTER,
                detail: format!("ARM has accepted {name} but does not return it yet"),
            },
            error => error,
        }
    }

    fn backend(&self) -> &str {
        self.scope.backend.as_str()
    }
}

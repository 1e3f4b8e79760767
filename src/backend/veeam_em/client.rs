//! Sends requests to Enterprise Manager, classifies the status of the response, and reads its document.
//!
//! It does not know logon sessions: the caller adds the credentials or the session header.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::error_response::ErrorResponse;
use super::xml::{Problem, Scanner, Sink};
use crate::model::{DEFAULT_RETRY_AFTER, Error};
use crate::upstream::{self, Intent};

/// A longer Retry-After is shortened to this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A client of one Enterprise Manager.
#[derive(Debug)]
pub(super) struct Client {
    /// The bare id of the backend, as errors name it.
    pub(super) backend: String,
    http: upstream::Client,
    /// `https://host:9398/api/`, with the slash at the end.
    base: Url,
}

/// The target of a request, and a bound on the response.
#[derive(Debug)]
pub(super) struct Target {
    /// The path, below `/api/`.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    /// The largest document that is read.
    pub(super) max_bytes: u64,
}

/// A success, or an error response whose meaning depends on the request.
pub(super) type Reply<T> = Result<T, ErrorResponse>;

impl Client {
    /// A client of the server at `url`, with or without `/api`. User information, query and fragment of the URL are
    /// dropped, since they would be sent with every request and logged.
    pub(super) fn new(backend: String, http: upstream::Client, mut url: Url) -> Self {
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/api").unwrap_or(path);
        let path = format!("{path}/api/");
        url.set_path(&path);
        // These fail only for a URL that cannot have user information.
        url.set_username("").and_then(|()| url.set_password(None)).ok();
        url.set_query(None);
        url.set_fragment(None);
        Self { backend, http, base: url }
    }

    /// A request that accepts only XML: if `Accept` contains JSON anywhere, some releases parse even the body of the
    /// request as JSON.
    pub(super) fn request(&self, method: Method, target: &Target) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path(), target.path));
        if !target.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&target.query);
        }
        let accept = HeaderValue::from_static("application/xml");
        self.http.inner().request(method, url).header(ACCEPT, accept)
    }

    /// Passes unless the circuit breaker is open.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`].
    pub(super) fn check_available(&self) -> Result<(), Error> {
        self.http.check_available().map_err(|error| error.into_error(&self.backend))
    }

    /// The requests sent so far.
    pub(super) fn metrics(&self) -> upstream::RequestMetrics {
        self.http.metrics()
    }

    /// Makes attempts at a request, as its intent allows.
    ///
    /// # Errors
    /// That of the last attempt.
    pub(super) async fn retry<T, F>(
        &self,
        intent: Intent,
        attempt: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.http.retry(intent, attempt).await
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// The transient errors [`Error::Unavailable`], [`Error::CircuitOpen`], [`Error::RateLimited`] and
    /// [`Error::Throttled`]. Any other status but success is returned as an [`ErrorResponse`].
    pub(super) async fn send(
        &self,
        intent: Intent,
        request: RequestBuilder,
    ) -> Result<Reply<Response>, Error> {
        let request = request.build().map_err(|_| Error::Internal {
            problem: format!("a request to backends/{} cannot be built", self.backend),
        })?;
        let response = self.http.send(intent, request).await;
        let response = response.map_err(|error| error.into_error(&self.backend))?;
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        let backend = self.backend.clone();
        let requested = retry_after(&response);
        let retry_after = requested.unwrap_or(DEFAULT_RETRY_AFTER);
        let error = ErrorResponse::read(response).await;
        let error = match status {
            // Of the statuses that the vendor documents, only 503 is transient. The others come from a proxy.
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::REQUEST_TIMEOUT => {
                Error::Unavailable { backend, retry_after, detail: error.to_string() }
            }
            StatusCode::TOO_MANY_REQUESTS => {
                Error::Throttled { backend, retry_after, detail: error.to_string() }
            }
            _ => return Ok(Err(error)),
        };
        if requested.is_some() {
            self.http.hold(intent.effect, &error);
        }
        Err(error)
    }

    /// Passes the document of a response to `sink` while it arrives.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::InvalidResponse`] when the document has more than `max_bytes` or is not the one
    /// that `sink` expects.
    pub(super) async fn read_document<S: Sink>(
        &self,
        response: Response,
        mut sink: S,
        max_bytes: u64,
    ) -> Result<S, Error> {
        let mut scanner = Scanner::default();
        let mut body = upstream::BodyReader::new(response);
        let mut size = 0;
        loop {
            let piece = body.next_piece().await;
            let Some(piece) = piece.map_err(|error| error.into_error(&self.backend))? else {
                break;
            };
            size += piece.len() as u64;
            if size > max_bytes {
                return Err(upstream::RequestError::TooLarge(max_bytes).into_error(&self.backend));
            }
            scanner.push(&piece, &mut sink).map_err(|problem| self.invalid(problem))?;
        }
        scanner.finish().map_err(|problem| self.invalid(problem))?;
        Ok(sink)
    }

    /// The error for a document that is not what the API defines.
    pub(super) fn invalid(&self, problem: impl Into<Problem>) -> Error {
        let problem = problem.into().into_text();
        Error::InvalidResponse { backend: self.backend.clone(), problem }
    }
}

/// The Retry-After of a response in seconds (RFC 9110 §10.2.3), which the vendor does not document.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_url_is_accepted_with_and_without_api() {
        for url in [
            "https://em:9398",
            "https://em:9398/",
            "https://em:9398/api",
            "https://user:secret@em:9398/api/?v=latest#x",
        ] {
            let connection = upstream::Connection {
                trust: upstream::Trust::Platform,
                proxy: upstream::Proxy::Direct,
            };
            let limit = upstream::RateLimit { per_second: 1.0, burst: 1 };
            let vendor = upstream::Upstream::Vendor;
            let http = upstream::Client::new("v", vendor, &connection, limit).expect("a client");
            let client = Client::new("v".to_owned(), http, url.parse().expect("a URL"));
            let query = vec![("filter", r#"ReplicaUid=="urn:x""#.to_owned())];
            let target = Target { path: "query".to_owned(), query, max_bytes: 1 };
            let request = client.request(Method::GET, &target).build().expect("a request");
            assert_eq!(
                request.url().as_str(),
                "https://em:9398/api/query?filter=ReplicaUid%3D%3D%22urn%3Ax%22"
            );
        }
    }
}

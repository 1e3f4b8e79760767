//! Requests to Enterprise Manager and what its status codes mean.
//!
//! It knows nothing of logon sessions: whoever asks brings the header.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::refusal::Refusal;
use super::wire::{Problem, Scanner, Sink};
use crate::model::Error;
use crate::upstream;

const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// One Enterprise Manager.
#[derive(Debug)]
pub(super) struct Client {
    /// The bare id of the backend, as errors name it.
    pub(super) backend: String,
    pub(super) http: upstream::Client,
    /// `https://host:9398/api/`, with the slash.
    base: Url,
}

/// What is asked for: a path below `/api/`, its query, and how much is read of the answer.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) largest: u64,
}

/// An answer, or the refusal of one that no repetition changes.
pub(super) type Answer<T> = Result<T, Refusal>;

impl Client {
    /// A client of the server at `url`, with or without `/api`.
    pub(super) fn new(backend: String, http: upstream::Client, mut url: Url) -> Self {
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/api").unwrap_or(path);
        let path = format!("{path}/api/");
        url.set_path(&path);
        // It would go out with every request, and into logs. Only a URL without a host refuses, which
        // has none.
        url.set_username("").and_then(|()| url.set_password(None)).ok();
        url.set_query(None);
        url.set_fragment(None);
        Self { backend, http, base: url }
    }

    /// A request that accepts XML and nothing else: with JSON anywhere in `Accept`, some releases parse
    /// even the request's body as JSON.
    pub(super) fn request(&self, method: Method, target: &Target) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path(), target.path));
        if !target.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&target.query);
        }
        let accept = HeaderValue::from_static("application/xml");
        self.http.inner().request(method, url).header(ACCEPT, accept)
    }

    /// Whether the server is asked at all at the moment.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`].
    pub(super) fn check_available(&self) -> Result<(), Error> {
        self.http.check_available().map_err(|failure| failure.into_error(&self.backend))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::CircuitOpen`] and [`Error::Throttled`], which pass. All other statuses but success are a
    /// [`Refusal`], which means something else to every caller.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer<Response>, Error> {
        let request = request.build().map_err(|_| Error::Internal {
            problem: format!("a request to backends/{} cannot be built", self.backend),
        })?;
        let response =
            self.http.send(request).await.map_err(|failure| failure.into_error(&self.backend))?;
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        let backend = self.backend.clone();
        let retry_after = pause(&response);
        let refusal = Refusal::read(response).await;
        match status {
            // Of the codes the vendor documents, 503 alone is about this moment. The others come from
            // what may stand in front of it.
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::REQUEST_TIMEOUT => {
                Err(Error::Unavailable { backend, retry_after, detail: refusal.to_string() })
            }
            StatusCode::TOO_MANY_REQUESTS => {
                Err(Error::Throttled { backend, retry_after, detail: refusal.to_string() })
            }
            _ => Ok(Err(refusal)),
        }
    }

    /// Reads a document to its end as it arrives, at most `largest` bytes of it.
    ///
    /// # Errors
    /// [`Error::Interrupted`], or [`Error::InvalidResponse`] when it is not what `sink` takes.
    pub(super) async fn document<S: Sink>(
        &self,
        mut response: Response,
        mut sink: S,
        largest: u64,
    ) -> Result<S, Error> {
        let mut scanner = Scanner::default();
        let mut size = 0;
        loop {
            let piece = upstream::next_piece(&mut response).await;
            let Some(piece) = piece.map_err(|failure| failure.into_error(&self.backend))? else {
                break;
            };
            size += piece.len() as u64;
            if size > largest {
                return Err(upstream::RequestError::TooLarge(largest).into_error(&self.backend));
            }
            scanner.push(&piece, &mut sink).map_err(|problem| self.invalid(problem))?;
        }
        scanner.finish().map_err(|problem| self.invalid(problem))?;
        Ok(sink)
    }

    /// A document that is not what it should be, as an error.
    pub(super) fn invalid(&self, Problem(problem): Problem) -> Error {
        Error::InvalidResponse { backend: self.backend.clone(), problem }
    }
}

/// How long the server asks to stay away, if it says so in seconds; it is not known to say so at all.
fn pause(response: &Response) -> Duration {
    let seconds =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(upstream::DEFAULT_RETRY_AFTER, Duration::from_secs).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_url_is_taken_with_and_without_api() {
        for url in [
            "https://em:9398",
            "https://em:9398/",
            "https://em:9398/api",
            "https://user:secret@em:9398/api/?v=latest#x",
        ] {
            let http = upstream::Client::new(&upstream::Trust::Platform).expect("a client");
            let client = Client::new("v".to_owned(), http, url.parse().expect("a URL"));
            let query = vec![("filter", r#"ReplicaUid=="urn:x""#.to_owned())];
            let target = Target { path: "query".to_owned(), query, largest: 1 };
            let request = client.request(Method::GET, &target).build().expect("a request");
            assert_eq!(
                request.url().as_str(),
                "https://em:9398/api/query?filter=ReplicaUid%3D%3D%22urn%3Ax%22"
            );
        }
    }
}

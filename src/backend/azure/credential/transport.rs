//! The HTTP transports of azure_identity: clients of the upstream module, so that the configured certificates, the proxy
//! and the limits of an upstream apply, with what the library has no options for: readable errors, the address of the
//! metadata service, and a bound on the body.

use async_trait::async_trait;
use azure_core::Result;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::request::Body;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use serde_json::Value;
use url::Url;

use crate::model::{self, DEFAULT_RETRY_AFTER};
use crate::upstream::{Client, Effect, Intent, RequestError, collect};

/// The address of the metadata service (IMDS), a constant in the library.
const METADATA_HOST: &str = "169.254.169.254";

/// In bytes. A token with all its claims takes a few KiB.
const MAX_RESPONSE: u64 = 256 * 1024;
/// A longer Retry-After is shortened to this.
const MAX_RETRY_AFTER: u64 = 3600;

/// The transport to Microsoft Entra ID, the authority.
#[derive(Debug)]
pub(super) struct AuthorityTransport(pub(super) Client);

#[async_trait]
impl HttpClient for AuthorityTransport {
    /// Returns an error for a status other than success. The library would read the error body itself, but only texts
    /// without escapes, and those of Entra ID contain line ends: a wrong secret would look like an invalid response.
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let response = exchange(&self.0, request, request.url().clone()).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.into_body().collect().await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = ["error_description", "error"].iter().find_map(|name| body[*name].as_str());
        let text = text.unwrap_or("no error description");
        let kind = ErrorKind::HttpResponse { status, error_code: None, raw_response: None };
        Err(Error::with_message(kind, format!("HTTP {}, {text}", u16::from(status))))
    }
}

/// The transport to the metadata service of a virtual machine, or to the identity endpoint of App Service.
#[derive(Debug)]
pub(super) struct MetadataServiceTransport {
    pub(super) http: Client,
    /// Scheme, host and port to use in place of [`METADATA_HOST`].
    pub(super) service: Option<Url>,
}

#[async_trait]
impl HttpClient for MetadataServiceTransport {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let url = match &self.service {
            Some(service) if request.url().host_str() == Some(METADATA_HOST) => {
                with_host_of(service, request.url())
            }
            _ => request.url().clone(),
        };
        exchange(&self.http, request, url).await
    }
}

/// Sends `request` to `url`, and reads the whole response.
async fn exchange(client: &Client, request: &Request, url: Url) -> Result<AsyncRawResponse> {
    let failed = |error| Error::new(ErrorKind::Io, unreachable(client.backend(), error));
    let Body::Bytes(body) = request.body() else {
        let problem = "a request for a token is not sent in a stream";
        return Err(Error::with_message(ErrorKind::Other, problem));
    };
    let method = request.method().as_str().parse().unwrap_or(Method::POST);
    let mut sent = client.inner().request(method, url).body(body.clone());
    for (name, value) in request.headers().iter() {
        sent = sent.header(name.as_str(), value.as_str());
    }
    // Its body or its headers hold the credential, which no text shows.
    let sent = sent.build().map_err(|_| {
        Error::with_message(ErrorKind::Other, "the request for a token cannot be built")
    })?;
    let response = client.send(Intent::LOGON, sent).await.map_err(failed)?;
    let (status, headers) = (response.status(), response.headers().clone());
    observe(client, status, &headers);
    let body: Bytes = collect(response, MAX_RESPONSE).await.map_err(failed)?;
    Ok(AsyncRawResponse::from_bytes(status.as_u16().into(), as_headers(&headers), body))
}

/// The error of a request without a complete response. Its text is about the authority, not about the backend.
fn unreachable(backend: &str, error: RequestError) -> model::Error {
    let open = match &error {
        RequestError::CircuitOpen(open) => Some(format!(
            "it has not responded since {}, and its circuit breaker is open: {}",
            open.since, open.last_error
        )),
        _ => None,
    };
    let error = error.into_error(backend);
    let retry_after = error.retry_after().unwrap_or(DEFAULT_RETRY_AFTER);
    let detail = match (open, error) {
        (Some(open), _) => open,
        (None, model::Error::Unavailable { detail, .. }) => detail,
        (None, model::Error::RateLimited { .. }) => "too many requests for one".to_owned(),
        (None, model::Error::InvalidResponse { problem, .. }) => format!("a response {problem}"),
        (None, error) => error.to_string(),
    };
    model::Error::Unavailable { backend: backend.to_owned(), retry_after, detail }
}

/// A Retry-After of a 429 or 503 holds all further requests for tokens.
fn observe(client: &Client, status: StatusCode, headers: &header::HeaderMap) {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let Some(seconds) = seconds.and_then(|text| text.trim().parse::<u64>().ok()) else { return };
    let retry_after = std::time::Duration::from_secs(seconds.min(MAX_RETRY_AFTER));
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        let detail = format!("HTTP {} of the authority", status.as_u16());
        let backend = client.backend().to_owned();
        let error = model::Error::Unavailable { backend, retry_after, detail };
        client.hold(Effect::Write, &error);
    }
}

/// The headers that are text.
fn as_headers(headers: &header::HeaderMap) -> Headers {
    let mut texts = Headers::new();
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            let name = HeaderName::from(name.as_str().to_owned());
            texts.insert(name, HeaderValue::from(value.to_owned()));
        }
    }
    texts
}

fn with_host_of(service: &Url, original: &Url) -> Url {
    let mut url = service.clone();
    url.set_path(original.path());
    url.set_query(original.query());
    url
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::upstream::{Connection, Proxy, RateLimit, Trust, Upstream};

    #[tokio::test]
    async fn an_authority_that_does_not_respond_opens_its_own_circuit_breaker() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let connection = Connection { trust: Trust::Pinned([0; 32]), proxy: Proxy::Direct };
        let limit = RateLimit { per_second: 1e6, burst: 1000 };
        let vendor = Client::new("az", Upstream::Vendor, &connection, limit).unwrap();
        let authority = vendor.sibling(Upstream::Authority, limit);
        let transport = AuthorityTransport(authority.clone());
        let request = Request::new(url, azure_core::http::Method::Post);
        for _ in 0..10 {
            let error = transport.execute_request(&request).await.unwrap_err();
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("refused"), "{cause}");
        }
        let error = transport.execute_request(&request).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("it has not responded since"), "{cause}");
        assert!(authority.check_available().is_err() && vendor.check_available().is_ok());
    }
}

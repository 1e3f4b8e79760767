//! The HTTP client beneath the identity library: ours, so that the configured certificates count there too,
//! with two things put right that the library does not let one set.

use async_trait::async_trait;
use azure_core::Result;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use serde_json::Value;
use url::Url;

/// Where the library looks for the metadata service, whatever one says.
const METADATA_HOST: &str = "169.254.169.254";

/// The way to an authority.
#[derive(Debug)]
pub(super) struct Login(pub(super) reqwest::Client);

#[async_trait]
impl HttpClient for Login {
    /// A denial comes back as an error. The library would read it itself, but only a text without escapes,
    /// and the directory's texts have line ends: a wrong secret would look like an answer without sense.
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let answer = self.0.execute_request(request).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.into_body().collect().await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let said = ["error_description", "error"].iter().find_map(|name| body[*name].as_str());
        let said = said.map_or_else(|| "without an explanation".to_owned(), str::to_owned);
        let kind = ErrorKind::HttpResponse { status, error_code: None, raw_response: None };
        Err(Error::with_message(kind, format!("HTTP {}, {said}", u16::from(status))))
    }
}

/// The way to the metadata service of the machine.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) http: reqwest::Client,
    /// Scheme, host and port of what answers in its place, if something does.
    pub(super) service: Option<Url>,
}

#[async_trait]
impl HttpClient for Metadata {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        match &self.service {
            Some(service) if request.url().host_str() == Some(METADATA_HOST) => {
                let mut request = request.clone();
                *request.url_mut() = moved(request.url(), service);
                self.http.execute_request(&request).await
            }
            _ => self.http.execute_request(request).await,
        }
    }
}

fn moved(asked: &Url, service: &Url) -> Url {
    let mut url = service.clone();
    url.set_path(asked.path());
    url.set_query(asked.query());
    url
}

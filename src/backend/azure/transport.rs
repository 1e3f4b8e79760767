//! The HTTP client beneath the identity library: ours, so that the configured certificates count there too,
//! with three things put right that the library does not let one set.

use async_trait::async_trait;
use azure_core::Result;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use bytes::BytesMut;
use futures::StreamExt;
use serde_json::Value;
use url::Url;

/// Where the library looks for the metadata service, whatever one says.
const METADATA_HOST: &str = "169.254.169.254";

/// A token takes a few KiB, with all its claims.
const LARGEST_ANSWER: usize = 256 * 1024;

/// The way to an authority.
#[derive(Debug)]
pub(super) struct Login(pub(super) reqwest::Client);

#[async_trait]
impl HttpClient for Login {
    /// A denial comes back as an error. The library would read it itself, but only a text without escapes,
    /// and the directory's texts have line ends: a wrong secret would look like an answer without sense.
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let answer = bounded(self.0.execute_request(request).await?).await?;
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
        let answer = match &self.service {
            Some(service) if request.url().host_str() == Some(METADATA_HOST) => {
                let mut request = request.clone();
                *request.url_mut() = moved(request.url(), service);
                self.http.execute_request(&request).await?
            }
            _ => self.http.execute_request(request).await?,
        };
        bounded(answer).await
    }
}

/// The same answer, read to its end, which the library would do however long it is.
async fn bounded(answer: AsyncRawResponse) -> Result<AsyncRawResponse> {
    let (status, headers, mut body) = answer.deconstruct();
    let mut read = BytesMut::new();
    while let Some(piece) = body.next().await {
        read.extend_from_slice(&piece?);
        if read.len() > LARGEST_ANSWER {
            let problem = format!("the answer is larger than {LARGEST_ANSWER} bytes");
            return Err(Error::with_message(ErrorKind::DataConversion, problem));
        }
    }
    Ok(AsyncRawResponse::from_bytes(status, headers, read.freeze()))
}

fn moved(asked: &Url, service: &Url) -> Url {
    let mut url = service.clone();
    url.set_path(asked.path());
    url.set_query(asked.query());
    url
}

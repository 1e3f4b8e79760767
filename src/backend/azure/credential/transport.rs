//! The HTTP transports of azure_identity: the gateway's own HTTP clients, so that the configured certificates apply, with
//! what the library has no options for: readable errors, the address of the metadata service, and a bound on the body.

use async_trait::async_trait;
use azure_core::Result;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use bytes::BytesMut;
use futures::StreamExt;
use serde_json::Value;
use url::Url;

/// The address of the metadata service (IMDS), a constant in the library.
const METADATA_HOST: &str = "169.254.169.254";

/// In bytes. A token with all its claims takes a few KiB.
const MAX_RESPONSE: usize = 256 * 1024;

/// The transport to Microsoft Entra ID, the authority.
#[derive(Debug)]
pub(super) struct AuthorityTransport(pub(super) reqwest::Client);

#[async_trait]
impl HttpClient for AuthorityTransport {
    /// Returns an error for a status other than success. The library would read the error body itself, but only texts
    /// without escapes, and those of Entra ID contain line ends: a wrong secret would look like an invalid response.
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let response = read_bounded(self.0.execute_request(request).await?).await?;
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
    pub(super) http: reqwest::Client,
    /// Scheme, host and port to use in place of [`METADATA_HOST`].
    pub(super) service: Option<Url>,
}

#[async_trait]
impl HttpClient for MetadataServiceTransport {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let response = match &self.service {
            Some(service) if request.url().host_str() == Some(METADATA_HOST) => {
                let mut request = request.clone();
                *request.url_mut() = with_host_of(service, request.url());
                self.http.execute_request(&request).await?
            }
            _ => self.http.execute_request(request).await?,
        };
        read_bounded(response).await
    }
}

/// The response with its whole body. The library reads a body of any size.
async fn read_bounded(response: AsyncRawResponse) -> Result<AsyncRawResponse> {
    let (status, headers, mut body) = response.deconstruct();
    let mut read = BytesMut::new();
    while let Some(chunk) = body.next().await {
        read.extend_from_slice(&chunk?);
        if read.len() > MAX_RESPONSE {
            let problem = format!("the response is larger than {MAX_RESPONSE} bytes");
            return Err(Error::with_message(ErrorKind::DataConversion, problem));
        }
    }
    Ok(AsyncRawResponse::from_bytes(status, headers, read.freeze()))
}

fn with_host_of(service: &Url, original: &Url) -> Url {
    let mut url = service.clone();
    url.set_path(original.path());
    url.set_query(original.query());
    url
}

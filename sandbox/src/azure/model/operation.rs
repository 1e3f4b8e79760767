//! Long-running operations: their signed URLs and their status at a given time.
//!
//! An operation knows only when it ends and with which result; the resource it works on computes its own
//! state from the same times.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use crate::azure::dto::access::AccessUri;
use crate::azure::dto::error::ErrorDetail;
use crate::azure::dto::format;
use crate::azure::dto::operation::{OperationBody, Output};
use crate::azure::error_response::ErrorResponse;
use crate::azure::operation_error::OperationError;
use crate::azure::reply::{OperationLinks, Reply};
use crate::azure::resource_path::{Provider, provider_region};
use crate::azure::rng::Rng;
use crate::azure::settings::Quirks;

/// Signs operation URLs. Every URL contains the certificate, so they are longer than 3,000 bytes.
#[derive(Debug)]
pub(crate) struct UrlSigner {
    /// `None` if URLs are not signed.
    certificate: Option<String>,
}

impl UrlSigner {
    pub(crate) fn new(rng: &mut Rng, quirks: &Quirks) -> Self {
        let mut der = rng.bytes(1880);
        der[..2].copy_from_slice(&[0x30, 0x82]);
        Self { certificate: quirks.signed_urls.then(|| URL_SAFE_NO_PAD.encode(der)) }
    }

    fn query(&self, part: &str, version: &str, now: Timestamp, rng: &mut Rng) -> String {
        let Some(certificate) = &self.certificate else {
            return format!("{part}&api-version={version}");
        };
        // .NET counts 100 ns steps from the year one.
        let ticks = now.as_nanosecond() / 100 + 621_355_968_000_000_000;
        let signature = URL_SAFE_NO_PAD.encode(rng.bytes(256));
        let hash = URL_SAFE_NO_PAD.encode(rng.bytes(32));
        format!("{part}&api-version={version}&t={ticks}&c={certificate}&s={signature}&h={hash}")
    }
}

/// An operation to be started.
#[derive(Debug)]
pub(crate) struct NewOperation<'a> {
    pub(crate) provider: Provider,
    /// The region of the collection, in the plain form.
    pub(crate) region: &'a str,
    pub(crate) ends_at: Timestamp,
    pub(crate) result: OperationResult,
}

#[derive(Debug)]
pub(crate) enum OperationResult {
    Succeeded,
    Failed(OperationError),
    /// Succeeded, with an output in the status and at the monitor URL.
    AccessGranted(AccessUri),
}

impl From<Option<OperationError>> for OperationResult {
    fn from(error: Option<OperationError>) -> Self {
        error.map_or(Self::Succeeded, Self::Failed)
    }
}

#[derive(Debug)]
pub(crate) struct Operation {
    id: Uuid,
    pub(crate) provider: Provider,
    pub(crate) region: String,
    /// Below the subscription.
    path: String,
    started_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    result: OperationResult,
    status_query: String,
    monitor_query: String,
    retry_after: Option<u32>,
}

impl Operation {
    pub(crate) fn new(
        id: Uuid,
        (new, started_at): (NewOperation<'_>, Timestamp),
        version: &str,
        retry_after: Option<u32>,
        (signer, rng): (&UrlSigner, &mut Rng),
    ) -> Self {
        let NewOperation { provider, region, ends_at, result } = new;
        // The disk provider writes regions in the plain form, and has a path of its own.
        let (location, kind, salt) = match provider {
            Provider::Compute => (provider_region(region), "operations", ""),
            Provider::Disk => (region, "DiskOperations", "disk/"),
        };
        // One value per region and provider, for years.
        let part = Uuid::new_v5(&Uuid::NAMESPACE_DNS, format!("{salt}{region}").as_bytes());
        let part = format!("p={part}");
        let monitor = format!("{part}&monitor=true");
        Self {
            id,
            provider,
            region: region.into(),
            path: format!("/providers/Microsoft.Compute/locations/{location}/{kind}/{id}"),
            started_at,
            ends_at,
            result,
            status_query: signer.query(&part, version, started_at, rng),
            monitor_query: signer.query(&monitor, version, started_at, rng),
            retry_after,
        }
    }

    /// Where a client polls it.
    pub(crate) fn links(&self, subscription_url: &str) -> OperationLinks {
        let path = &self.path;
        OperationLinks {
            provider: self.provider,
            status_url: format!("{subscription_url}{path}?{}", self.status_query),
            monitor_url: Some(format!("{subscription_url}{path}?{}", self.monitor_query)),
            retry_after: self.retry_after,
        }
    }

    /// The response to a poll. `query` must be the one of a link, byte for byte.
    pub(crate) fn poll(&self, query: &str, now: Timestamp) -> Result<Reply, ErrorResponse> {
        let ended = now >= self.ends_at;
        let reply = if query == self.status_query {
            Reply::provider(StatusCode::OK, &self.body(now))
        } else if query == self.monitor_query {
            match &self.result {
                _ if !ended => Reply::empty(StatusCode::ACCEPTED),
                OperationResult::AccessGranted(access) => Reply::provider(StatusCode::OK, access),
                _ => Reply::empty(StatusCode::OK),
            }
        } else {
            // It is known that the signature is checked; the response to a wrong one is not recorded.
            let message = "The signature of the operation URL is not valid.";
            let status = StatusCode::BAD_REQUEST;
            return Err(ErrorResponse::gateway(status, "InvalidOperationSignature", message));
        };
        Ok(match self.retry_after {
            Some(seconds) if !ended => reply.with_header("retry-after", seconds.to_string()),
            _ => reply,
        })
    }

    fn body(&self, now: Timestamp) -> OperationBody {
        let ended = now >= self.ends_at;
        let (status, error, properties) = match &self.result {
            _ if !ended => ("InProgress", None, None),
            OperationResult::Succeeded => ("Succeeded", None, None),
            OperationResult::Failed(error) => ("Failed", Some(ErrorDetail::from(error)), None),
            OperationResult::AccessGranted(access) => {
                ("Succeeded", None, Some(Output { output: access.clone() }))
            }
        };
        OperationBody {
            start_time: format::time(self.started_at),
            end_time: ended.then(|| format::time(self.ends_at)),
            status,
            properties,
            error,
            name: self.id.to_string(),
        }
    }
}

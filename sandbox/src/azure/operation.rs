//! Long-running operations: their signed URLs and what they report at a given time.
//!
//! An operation knows only when it ends and how; the thing it works on computes its own state from
//! the same times.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::dice::Dice;
use super::names::{self, Provider};
use super::point::Failure;
use super::refusal::Refusal;
use super::reply::Reply;
use super::settings::Quirks;
use super::wire::{self, AccessUri, ErrorDetail, OperationBody, Output};

/// What signs operation URLs. The certificate travels in every URL, which is why they are longer
/// than 3,000 bytes.
#[derive(Debug)]
pub(super) struct Signer {
    /// `None` where nothing is signed.
    certificate: Option<String>,
}

impl Signer {
    pub(super) fn new(dice: &mut Dice, quirks: &Quirks) -> Self {
        let mut der = dice.bytes(1880);
        der[..2].copy_from_slice(&[0x30, 0x82]);
        Self { certificate: quirks.signed_urls.then(|| URL_SAFE_NO_PAD.encode(der)) }
    }

    fn query(&self, part: &str, version: &str, now: Timestamp, dice: &mut Dice) -> String {
        let Some(certificate) = &self.certificate else {
            return format!("{part}&api-version={version}");
        };
        // .NET counts 100 ns steps from the year one.
        let ticks = now.as_nanosecond() / 100 + 621_355_968_000_000_000;
        let signature = URL_SAFE_NO_PAD.encode(dice.bytes(256));
        let hash = URL_SAFE_NO_PAD.encode(dice.bytes(32));
        format!("{part}&api-version={version}&t={ticks}&c={certificate}&s={signature}&h={hash}")
    }
}

/// What an operation is to do.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) by: Provider,
    /// Of the collection worked on, in the plain form.
    pub(super) region: &'a str,
    pub(super) ends: Timestamp,
    pub(super) outcome: Outcome,
}

/// How an operation ends.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    Failed(Failure),
    /// With something for the client in the status, and at the second URL.
    Granted(AccessUri),
}

impl From<Option<Failure>> for Outcome {
    fn from(failure: Option<Failure>) -> Self {
        failure.map_or(Self::Done, Self::Failed)
    }
}

/// What the answer that starts an operation tells about it.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) by: Provider,
    pub(super) status_url: String,
    pub(super) monitor_url: Option<String>,
    pub(super) retry_after: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Operation {
    id: Uuid,
    pub(super) by: Provider,
    pub(super) region: String,
    /// Below the subscription.
    path: String,
    pub(super) started: Timestamp,
    pub(super) ends: Timestamp,
    outcome: Outcome,
    status_query: String,
    monitor_query: String,
    retry_after: Option<u32>,
}

impl Operation {
    pub(super) fn new(
        id: Uuid,
        (task, started): (Task<'_>, Timestamp),
        version: &str,
        retry_after: Option<u32>,
        (signer, dice): (&Signer, &mut Dice),
    ) -> Self {
        let Task { by, region, ends, outcome } = task;
        // The disk provider writes regions in the plain form, and counts its operations apart.
        let (location, kind, salt) = match by {
            Provider::Compute => (names::provider_region(region), "operations", ""),
            Provider::Disk => (region, "DiskOperations", "disk/"),
        };
        // One value per region and provider, for years.
        let part = Uuid::new_v5(&Uuid::NAMESPACE_DNS, format!("{salt}{region}").as_bytes());
        let part = format!("p={part}");
        let monitor = format!("{part}&monitor=true");
        Self {
            id,
            by,
            region: region.into(),
            path: format!("/providers/Microsoft.Compute/locations/{location}/{kind}/{id}"),
            started,
            ends,
            outcome,
            status_query: signer.query(&part, version, started, dice),
            monitor_query: signer.query(&monitor, version, started, dice),
            retry_after,
        }
    }

    /// What a client is told of it, `root` being the URL of the subscription.
    pub(super) fn introduce(&self, root: &str) -> Started {
        let path = &self.path;
        Started {
            by: self.by,
            status_url: format!("{root}{path}?{}", self.status_query),
            monitor_url: Some(format!("{root}{path}?{}", self.monitor_query)),
            retry_after: self.retry_after,
        }
    }

    /// The answer to a poll with `query`, which must have come back byte for byte.
    pub(super) fn read(&self, query: &str, now: Timestamp) -> Result<Reply, Refusal> {
        let over = now >= self.ends;
        let reply = if query == self.status_query {
            Reply::provider(StatusCode::OK, &self.body(now))
        } else if query == self.monitor_query {
            match &self.outcome {
                _ if !over => Reply::empty(StatusCode::ACCEPTED),
                Outcome::Granted(access) => Reply::provider(StatusCode::OK, access),
                _ => Reply::empty(StatusCode::OK),
            }
        } else {
            // That the signature is checked is known, the answer to a wrong one is not.
            let message = "The signature of the operation URL is not valid.";
            let status = StatusCode::BAD_REQUEST;
            return Err(Refusal::gateway(status, "InvalidOperationSignature", message));
        };
        Ok(match self.retry_after {
            Some(seconds) if !over => reply.with("retry-after", seconds.to_string()),
            _ => reply,
        })
    }

    fn body(&self, now: Timestamp) -> OperationBody {
        let over = now >= self.ends;
        let (status, error, properties) = match &self.outcome {
            _ if !over => ("InProgress", None, None),
            Outcome::Done => ("Succeeded", None, None),
            Outcome::Failed(failure) => ("Failed", Some(ErrorDetail::from(failure)), None),
            Outcome::Granted(access) => {
                ("Succeeded", None, Some(Output { output: access.clone() }))
            }
        };
        OperationBody {
            start_time: wire::time(self.started),
            end_time: over.then(|| wire::time(self.ends)),
            status,
            properties,
            error,
            name: self.id.to_string(),
        }
    }
}

impl From<&Failure> for ErrorDetail {
    fn from(failure: &Failure) -> Self {
        let Failure { code, message } = failure.clone();
        Self { code, message, target: None, details: Vec::new() }
    }
}

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
use super::names;
use super::point::Failure;
use super::refusal::Refusal;
use super::reply::Reply;
use super::wire::{self, ErrorDetail, OperationBody};

/// What signs operation URLs. The certificate travels in every URL, which is why they are longer
/// than 3,000 bytes.
#[derive(Debug)]
pub(super) struct Signer {
    certificate: String,
}

impl Signer {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let mut der = dice.bytes(1880);
        der[..2].copy_from_slice(&[0x30, 0x82]);
        Self { certificate: URL_SAFE_NO_PAD.encode(der) }
    }

    fn query(&self, part: &str, version: &str, now: Timestamp, dice: &mut Dice) -> String {
        // .NET counts 100 ns steps from the year one.
        let ticks = now.as_nanosecond() / 100 + 621_355_968_000_000_000;
        let signature = URL_SAFE_NO_PAD.encode(dice.bytes(256));
        let hash = URL_SAFE_NO_PAD.encode(dice.bytes(32));
        let certificate = &self.certificate;
        format!("{part}&api-version={version}&t={ticks}&c={certificate}&s={signature}&h={hash}")
    }
}

/// What the answer that starts an operation tells about it.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) status_url: String,
    pub(super) monitor_url: Option<String>,
    pub(super) retry_after: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Operation {
    id: Uuid,
    region: String,
    pub(super) started: Timestamp,
    pub(super) ends: Timestamp,
    failure: Option<Failure>,
    status_query: String,
    monitor_query: String,
    retry_after: Option<u32>,
}

impl Operation {
    /// `region` is the one of the collection worked on, in the plain form.
    pub(super) fn new(
        id: Uuid,
        region: &str,
        (started, ends): (Timestamp, Timestamp),
        failure: Option<Failure>,
        version: &str,
        retry_after: Option<u32>,
        (signer, dice): (&Signer, &mut Dice),
    ) -> Self {
        // One value per region and provider, for years.
        let part = format!("p={}", Uuid::new_v5(&Uuid::NAMESPACE_DNS, region.as_bytes()));
        let monitor = format!("{part}&monitor=true");
        Self {
            id,
            region: names::provider_region(region).into(),
            started,
            ends,
            failure,
            status_query: signer.query(&part, version, started, dice),
            monitor_query: signer.query(&monitor, version, started, dice),
            retry_after,
        }
    }

    /// What a client is told of it, `root` being the URL of the subscription.
    pub(super) fn introduce(&self, root: &str) -> Started {
        let Self { id, region, .. } = self;
        let path = format!("{root}/providers/Microsoft.Compute/locations/{region}/operations/{id}");
        Started {
            status_url: format!("{path}?{}", self.status_query),
            monitor_url: Some(format!("{path}?{}", self.monitor_query)),
            retry_after: self.retry_after,
        }
    }

    /// The answer to a poll with `query`, which must have come back byte for byte.
    pub(super) fn read(&self, query: &str, now: Timestamp) -> Result<Reply, Refusal> {
        let over = now >= self.ends;
        let reply = if query == self.status_query {
            Reply::provider(StatusCode::OK, &self.body(now))
        } else if query == self.monitor_query {
            Reply::empty(if over { StatusCode::OK } else { StatusCode::ACCEPTED })
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
        let failure = self.failure.as_ref().filter(|_| over);
        OperationBody {
            start_time: wire::time(self.started),
            end_time: over.then(|| wire::time(self.ends)),
            status: match failure {
                Some(_) => "Failed",
                None if over => "Succeeded",
                None => "InProgress",
            },
            error: failure.map(|failure| ErrorDetail {
                code: failure.code.clone(),
                message: failure.message.clone(),
                target: None,
                details: Vec::new(),
            }),
            name: self.id.to_string(),
        }
    }
}

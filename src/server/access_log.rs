//! The access log: one line for each call when it ends, which for a stream is at its end, and its place in the
//! metrics.
//!
//! A line names the method, the status, the duration and the peer. Metadata values and messages stay out of the
//! log: they may hold credentials.

use std::time::Instant;

use http::{HeaderMap, Request, Uri};
use tonic::{Code, Status};

use super::call_metrics::InFlightCall;
use super::listener::Peer;

/// What is known of a call. The line is written on drop, because a client that goes away has the call dropped at
/// any point.
#[derive(Debug)]
pub(super) struct AccessRecord {
    method: Uri,
    peer: Option<Peer>,
    started: Instant,
    code: Option<Code>,
    in_flight: InFlightCall,
}

impl AccessRecord {
    /// The record of a call that starts now.
    pub(super) fn start<B>(request: &Request<B>, in_flight: InFlightCall) -> Self {
        Self {
            method: request.uri().clone(),
            peer: request.extensions().get().copied(),
            started: Instant::now(),
            code: None,
            in_flight,
        }
    }

    /// The URI of the method.
    pub(super) fn method(&self) -> &Uri {
        &self.method
    }

    /// Takes the status code from a response head or from trailers, if it is there.
    pub(super) fn record_status(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }

    /// The response is complete. Clients take one without a status for UNKNOWN.
    pub(super) fn record_end(&mut self) {
        self.code.get_or_insert(Code::Unknown);
    }
}

impl Drop for AccessRecord {
    fn drop(&mut self) {
        // The response is not complete: the client went away, or the call was aborted.
        let code = self.code.unwrap_or(Code::Cancelled);
        let took = self.started.elapsed();
        self.in_flight.complete(code, took);
        tracing::info!(
            target: "access",
            method = self.method.path(),
            ?code,
            duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            peer = self.peer.as_ref().map(tracing::field::display),
            "call"
        );
    }
}

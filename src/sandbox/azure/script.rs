//! Faults that a test prepares: which requests they hit, and what happens to those.
//!
//! A fault is used up by the requests it was meant for; the first that matches is taken.

use http::Method;

use super::refusal::Refusal;

/// Which requests a fault hits.
#[derive(Debug, Clone)]
pub struct Matching {
    method: Option<Method>,
    part: String,
}

impl Matching {
    /// Requests by `method` whose path contains `part`, in any casing.
    pub fn new(method: Method, part: &str) -> Self {
        Self { method: Some(method), part: part.to_lowercase() }
    }

    /// Requests by any method whose path contains `part`, in any casing.
    pub fn path(part: &str) -> Self {
        Self { method: None, part: part.to_lowercase() }
    }

    fn hits(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && path.to_lowercase().contains(&self.part)
    }
}

/// What happens to a request that is hit.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with exactly this, and has no effect.
    Answer(Canned),
    /// The gateway answers 403 `AuthorizationFailed` for the action that was tried.
    Forbid,
    /// The gateway answers 502 `BadGatewayConnection`, as recorded on operation polls.
    BadGateway,
    /// The gateway answers 504 `GatewayTimeout`.
    GatewayTimeout,
    /// The gateway answers 429 `ResourceRequestsThrottled`, to be retried after so many seconds.
    Throttle {
        /// The value of `Retry-After`.
        seconds: u32,
    },
    /// It takes effect, but the connection breaks before the answer.
    DropReply,
    /// A creation is accepted, and its operation ends `Failed` with this error.
    FailCreation {
        /// Such as `VMRestorePointClientError`.
        code: String,
        /// The text beside it.
        message: String,
    },
}

/// An answer given verbatim.
#[derive(Debug, Clone, Default)]
pub struct Canned {
    /// The HTTP status.
    pub status: u16,
    /// Name and value; nothing is added to these.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: String,
}

#[derive(Debug, Default)]
pub(super) struct Script {
    faults: Vec<(Matching, usize, Fault)>,
}

impl Script {
    pub(super) fn add(&mut self, matching: Matching, times: usize, fault: Fault) {
        self.faults.push((matching, times, fault));
    }

    pub(super) fn take(&mut self, method: &Method, path: &str) -> Option<Fault> {
        self.faults.retain(|(_, left, _)| *left > 0);
        let hit = self.faults.iter_mut().find(|(matching, ..)| matching.hits(method, path));
        hit.map(|(_, left, fault)| {
            *left -= 1;
            fault.clone()
        })
    }
}

pub(super) fn forbidden(client: &str, action: &str, scope: &str) -> Refusal {
    let message = format!(
        "The client '{client}' with object id '{client}' does not have authorization to perform \
         action '{action}' over scope '{scope}' or the scope is invalid. If access was recently \
         granted, please refresh your credentials."
    );
    Refusal::gateway(http::StatusCode::FORBIDDEN, "AuthorizationFailed", &message)
}

pub(super) fn bad_gateway() -> Refusal {
    let message = "The network connectivity issue encountered for 'Microsoft.Compute'; cannot \
                   fulfill the request.";
    Refusal::unreachable(http::StatusCode::BAD_GATEWAY, "BadGatewayConnection", message)
}

pub(super) fn gateway_timeout() -> Refusal {
    let message = "The gateway did not receive a response from 'Microsoft.Compute' within the \
                   specified time period.";
    Refusal::unreachable(http::StatusCode::GATEWAY_TIMEOUT, "GatewayTimeout", message)
}

pub(super) fn throttled(action: &str, seconds: u32) -> Refusal {
    let message = format!(
        "Number of requests for action '{action}' exceeded the limit of '150' for time interval \
         '01:00:00'. Please try again after '{seconds}' seconds."
    );
    let status = http::StatusCode::TOO_MANY_REQUESTS;
    Refusal::gateway(status, "ResourceRequestsThrottled", &message)
        .with("retry-after", seconds.to_string())
}

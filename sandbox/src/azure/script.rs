//! What ARM does wrong: operations that fail after they were accepted, and its words for a refusal that a
//! fault orders.

use http::StatusCode;
use serde_json::Value;

use super::point::Failure;
use super::refusal::Refusal;
use crate::fault::{self, Complaint, Fields};

/// What happens to a request of this vendor.
pub type Fault = fault::Fault<Own>;

/// What only this vendor can do to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// A creation is accepted, and its operation ends `Failed` with this error.
    FailCreation {
        /// Such as `VMRestorePointClientError`.
        code: String,
        /// The text beside it.
        message: String,
    },
}

impl Own {
    pub(super) fn doom(self) -> Failure {
        let Self::FailCreation { code, message } = self;
        Failure { code, message }
    }
}

impl fault::Own for Own {
    fn read(fields: &mut Fields) -> Result<Option<Self>, Complaint> {
        let (code, message) = (fields.text("fail_creation")?, fields.text("message")?);
        match (code, message) {
            (None, None) => Ok(None),
            (None, Some(_)) => {
                let remedy = "give fail_creation too, an error code";
                Err(Complaint::new("message", "it is the message of a failed creation", remedy))
            }
            (Some(code), message) => {
                let message = message.unwrap_or_else(|| "The sandbox was told to fail.".to_owned());
                Ok(Some(Self::FailCreation { code, message }))
            }
        }
    }

    fn words(&self) -> Vec<(&'static str, Value)> {
        let Self::FailCreation { code, message } = self;
        vec![("fail_creation", code.as_str().into()), ("message", message.as_str().into())]
    }
}

/// What the gateway says with this status about `action` on `scope`, which `client` asked for. The texts
/// of 401, 403, 429, 500, 502 and 504 are recorded; the others have the recorded form.
pub(super) fn refusal(
    status: StatusCode,
    retry_after: Option<u32>,
    client: &str,
    action: &str,
    scope: &str,
) -> Refusal {
    match status {
        StatusCode::UNAUTHORIZED => {
            Refusal::gateway(status, "InvalidAuthenticationToken", "The access token is invalid.")
                .with("www-authenticate", "Bearer error=\"invalid_token\"")
        }
        StatusCode::FORBIDDEN => {
            let message = format!(
                "The client '{client}' with object id '{client}' does not have authorization to \
                 perform action '{action}' over scope '{scope}' or the scope is invalid. If access \
                 was recently granted, please refresh your credentials."
            );
            Refusal::gateway(status, "AuthorizationFailed", &message)
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let seconds = retry_after.unwrap_or(324);
            let message = format!(
                "Number of requests for action '{action}' exceeded the limit of '150' for time \
                 interval '01:00:00'. Please try again after '{seconds}' seconds."
            );
            Refusal::gateway(status, "ResourceRequestsThrottled", &message)
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            let message = "Encountered internal server error. Diagnostic information: timestamp \
                           '20260424T104818Z', subscription id '', tracking id '', request \
                           correlation id ''.";
            Refusal::gateway(status, "InternalServerError", message)
        }
        StatusCode::BAD_GATEWAY => {
            let message = "The network connectivity issue encountered for 'Microsoft.Compute'; \
                           cannot fulfill the request.";
            Refusal::unreachable(status, "BadGatewayConnection", message)
        }
        StatusCode::GATEWAY_TIMEOUT => {
            let message = "The gateway did not receive a response from 'Microsoft.Compute' within \
                           the specified time period.";
            Refusal::unreachable(status, "GatewayTimeout", message)
        }
        StatusCode::NOT_FOUND => {
            let message = format!("The Resource '{scope}' was not found.");
            Refusal::gateway(status, "ResourceNotFound", &message)
        }
        StatusCode::CONFLICT => {
            let message = format!("Operation '{action}' is not allowed now.");
            Refusal::provider(status, "OperationNotAllowed", &message)
        }
        _ => {
            let reason = status.canonical_reason().unwrap_or("Unknown");
            Refusal::gateway(status, &reason.replace(' ', ""), &format!("{reason}."))
        }
    }
}

//! The vendor's error responses that a fault injects by status.

use http::StatusCode;

use super::error_response::ErrorResponse;

/// The vendor's error with this status to a request of `client` for `action` on `scope`. The texts of 401,
/// 403, 429, 500, 502 and 504 are recorded; the others have the recorded form.
pub(crate) fn error(
    status: StatusCode,
    retry_after: Option<u32>,
    client: &str,
    action: &str,
    scope: &str,
) -> ErrorResponse {
    match status {
        StatusCode::UNAUTHORIZED => ErrorResponse::gateway(
            status,
            "InvalidAuthenticationToken",
            "The access token is invalid.",
        )
        .with_header("www-authenticate", "Bearer error=\"invalid_token\""),
        StatusCode::FORBIDDEN => {
            let message = format!(
                "The client '{client}' with object id '{client}' does not have authorization to \
                 perform action '{action}' over scope '{scope}' or the scope is invalid. If access \
                 was recently granted, please refresh your credentials."
            );
            ErrorResponse::gateway(status, "AuthorizationFailed", &message)
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let seconds = retry_after.unwrap_or(324);
            let message = format!(
                "Number of requests for action '{action}' exceeded the limit of '150' for time \
                 interval '01:00:00'. Please try again after '{seconds}' seconds."
            );
            ErrorResponse::gateway(status, "ResourceRequestsThrottled", &message)
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            let message = "Encountered internal server error. Diagnostic information: timestamp \
                           '20260424T104818Z', subscription id '', tracking id '', request \
                           correlation id ''.";
            ErrorResponse::gateway(status, "InternalServerError", message)
        }
        StatusCode::BAD_GATEWAY => {
            let message = "The network connectivity issue encountered for 'Microsoft.Compute'; \
                           cannot fulfill the request.";
            ErrorResponse::provider_unreachable(status, "BadGatewayConnection", message)
        }
        StatusCode::GATEWAY_TIMEOUT => {
            let message = "The gateway did not receive a response from 'Microsoft.Compute' within \
                           the specified time period.";
            ErrorResponse::provider_unreachable(status, "GatewayTimeout", message)
        }
        StatusCode::NOT_FOUND => {
            let message = format!("The Resource '{scope}' was not found.");
            ErrorResponse::gateway(status, "ResourceNotFound", &message)
        }
        StatusCode::CONFLICT => {
            let message = format!("Operation '{action}' is not allowed now.");
            ErrorResponse::provider(status, "OperationNotAllowed", &message)
        }
        _ => {
            let reason = status.canonical_reason().unwrap_or("Unknown");
            ErrorResponse::gateway(status, &reason.replace(' ', ""), &format!("{reason}."))
        }
    }
}

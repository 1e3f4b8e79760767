//! The gateway forwards no response above 8 MB: it sends a 500 instead.
//!
//! The effect of the request stays.

use crate::azure::call::Call;
use crate::azure::error_response::ErrorResponse;
use crate::azure::model::subscription::Subscription;
use crate::azure::reply::Reply;

pub(crate) fn check(
    subscription: &Subscription,
    call: &Call,
    reply: Reply,
) -> Result<Reply, ErrorResponse> {
    match subscription.settings.quirks.max_response_bytes {
        Some(limit) if reply.body.len() > limit => {
            Err(ErrorResponse::internal(&subscription.id, call.request_id, call.now))
        }
        _ => Ok(reply),
    }
}

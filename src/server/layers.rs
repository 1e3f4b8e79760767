//! The layers around every call, in their order.
//!
//! Each is a function that takes the rest as a function: the order is plain to read, and there is no
//! readiness to pass on, because nothing in here ever makes a caller wait for its turn.

use std::sync::Arc;

use http::{Request, Response};
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt;

use super::calls::Calls;
use super::{access_log, deadline, panics, too_large};

/// Answers one call.
pub(super) async fn answer(
    routes: Routes,
    calls: Arc<Calls>,
    request: Request<Body>,
) -> Response<Body> {
    let open = calls.begin(request.uri().path());
    // Outermost, so that a line tells what the caller was really told and how long it really took.
    access_log::logged(request, open, |request| {
        // Around all the code that may panic, ours included.
        panics::caught(request, |request| {
            // Innermost of those that answer by themselves: what it drops at expiry is only the call.
            deadline::bounded(request, |request| async {
                let Ok(response) = routes.oneshot(request).await;
                too_large::renamed(response)
            })
        })
    })
    .await
}

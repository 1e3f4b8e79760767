//! The server side of gRPC: sockets, TLS, HTTP/2 connections, what happens around every call, health, reflection,
//! metrics, and a shutdown in bounded time.
//!
//! The accept loop is our own because tonic's waits at shutdown for as long as any client holds a stream
//! or an idle connection. Nothing in here knows what the RPCs do, and clients are not authenticated here.

mod access_log;
mod call;
mod call_metrics;
mod certificate_expiry;
mod coalesced_writes;
mod connection;
mod connections;
mod deadline;
mod health;
mod library_status;
mod listener;
mod metrics;
mod preface;
pub mod reflection;
mod request_body;
mod request_form;
mod shutdown;
mod socket_file;
mod stalled_call;
mod status;
pub mod telemetry;

use std::sync::Arc;
use std::time::Duration;

use tokio::time;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use connection::ConnectionServer;

pub use call_metrics::CallMetrics;
pub use certificate_expiry::CertificateExpiry;
pub use connections::{Connections, Limits};
pub use deadline::Deadline;
pub use health::Health;
pub use listener::{Listener, Peer};
pub use metrics::Metrics;
pub use shutdown::{Drain, Shutdown};

/// How long the server waits for aborted tasks to end. Only a task that blocks its thread takes any time, and the
/// process is about to end anyway.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerExit {
    /// Every call ended by itself.
    Drained,
    /// Calls or connections were aborted.
    Aborted,
}

/// Serves `routes` on all `listeners` within the limits of `connections`, counting calls in `metrics`, until
/// `shutdown.requested`. Then it ends within the times of `drain`, or a second later if a call blocks its thread. Dropping
/// the future aborts everything.
pub async fn serve(
    listeners: Vec<Listener>,
    routes: Routes,
    health: Health,
    metrics: Arc<CallMetrics>,
    connections: Arc<Connections>,
    drain: Drain,
    shutdown: Shutdown,
) -> ServerExit {
    let server = ConnectionServer::new(routes, metrics, connections, &shutdown);
    let Shutdown { requested, draining, grace_over, abort } = shutdown;
    let _abort_on_drop = abort.clone().drop_guard();
    for listener in listeners {
        server.listen(listener);
    }
    // Passes `time`, or less if the step after it begins from outside.
    let until = async |time: Duration, step: &CancellationToken| {
        tokio::select! {
            () = time::sleep(time) => {}
            () = step.cancelled() => {}
            () = abort.cancelled() => {}
        }
    };

    tokio::select! {
        () = requested.cancelled() => tracing::info!("shutting down: health is NOT_SERVING"),
        () = abort.cancelled() => {}
    }
    health.shut_down();
    until(drain.lame_duck, &grace_over).await;

    // This closes the listeners, ends the streams and sends GOAWAY on each connection.
    draining.cancel();
    let tasks = server.close();
    tokio::select! {
        biased;
        () = tasks.wait() => return ServerExit::Drained,
        () = until(drain.grace, &grace_over) => {}
    }
    tracing::warn!(tasks = tasks.len(), "ending the calls that are left");
    grace_over.cancel();
    tokio::select! {
        biased;
        () = tasks.wait() => return ServerExit::Aborted,
        () = until(drain.responding, &abort) => {}
    }
    tracing::warn!(tasks = tasks.len(), "aborting the connections that are left");
    abort.cancel();
    if time::timeout(ABORT_TIMEOUT, tasks.wait()).await.is_err() {
        tracing::error!(tasks = tasks.len(), "calls that block their thread did not end");
    }
    ServerExit::Aborted
}

//! The listening side: sockets, TLS, the layers around every call, health, reflection, figures, and an end
//! that takes a bounded time.
//!
//! The accept loop is our own because tonic's waits at shutdown for as long as any client holds a stream
//! or an idle connection. Nothing in here knows what the RPCs do, and nobody is authenticated here.

mod access_log;
mod calls;
mod connection;
mod cork;
mod deadline;
mod health;
mod layers;
mod listener;
mod metrics;
mod panics;
mod preface;
pub mod reflection;
mod status;
pub mod telemetry;
mod too_large;

use std::sync::Arc;
use std::time::Duration;

use tokio::time;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use connection::Door;

pub use calls::Calls;
pub use deadline::Deadline;
pub use health::Health;
pub use listener::{Listener, Peer};
pub use metrics::Metrics;

/// How long a call that ignores its own cancellation is waited for after the cut. Only one that blocks
/// its thread can need it, and the process is about to end anyway.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How long each part of an orderly end may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// Health says NOT_SERVING and calls are still accepted, so that load balancers look away first.
    pub notice: Duration,
    /// After that clients are told to go elsewhere (GOAWAY) and running calls may end; what is left
    /// then is cut.
    pub grace: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self { notice: Duration::ZERO, grace: Duration::from_secs(10) }
    }
}

/// The three steps of the end of a server. Clones are the same steps.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    /// Cancelled by whoever wants the server to end in order.
    pub stop: CancellationToken,
    /// Cancelled by the server when streams must end: they say goodbye when they see it.
    pub draining: CancellationToken,
    /// Cancelled by the server when the grace is over, or earlier by whoever cannot wait for it.
    pub cut: CancellationToken,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every call had its answer.
    Drained,
    /// Calls or connections were cut off.
    Cut,
}

/// Serves `routes` on all `listeners`, counting in `calls`, until `stages.stop`, then ends within `drain.notice`,
/// `drain.grace` and a second. Dropping the future cuts everything off.
pub async fn serve(
    listeners: Vec<Listener>,
    routes: Routes,
    health: Health,
    calls: Arc<Calls>,
    drain: Drain,
    stages: Stages,
) -> End {
    let Stages { stop, draining, cut } = stages;
    let _cut_when_dropped = cut.clone().drop_guard();
    let door = Door::new(routes, calls, draining.clone(), cut.clone());
    for listener in listeners {
        door.open(listener);
    }

    tokio::select! {
        () = stop.cancelled() => tracing::info!("stopping: health says NOT_SERVING"),
        () = cut.cancelled() => {}
    }
    health.stop();
    cut.run_until_cancelled(time::sleep(drain.notice)).await;

    // The listeners close, the streams hear of it and each connection sends its GOAWAY, all by this.
    draining.cancel();
    let everything = door.close();
    let end = tokio::select! {
        biased;
        () = everything.wait() => End::Drained,
        () = cut.cancelled() => End::Cut,
        () = time::sleep(drain.grace) => End::Cut,
    };
    if end == End::Cut {
        tracing::warn!(tasks = everything.len(), "cutting off the connections and calls left over");
        cut.cancel();
        if time::timeout(LAST_WAIT, everything.wait()).await.is_err() {
            tracing::error!(tasks = everything.len(), "calls that do not yield are left behind");
        }
    }
    end
}

//! Runs an assembled gateway from its start to its end: signals, probes of the backends, reloads, metrics.
//!
//! Where its parts come from, a configuration or the sandbox, is not known here.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic_health::ServingStatus;

use super::error::CommandError;
use super::shutdown_budget;
use crate::backend::{self, Backend, Backends, Registry};
use crate::config::{DrainConfig, PollPolicies};
use crate::model::{BackendId, Sealer};
use crate::server::{
    self, CallMetrics, CertificateExpiry, Connections, Health, Limits, Listener, Metrics, Shutdown,
    reflection,
};
use crate::service::Gateway;
use crate::watch::Hub;

/// How often each backend is probed for its health status.
const PROBE_INTERVAL: Duration = Duration::from_secs(60);
/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long after a reload the replaced backends are closed: calls in flight still use them.
const REPLACED_BACKEND_GRACE: Duration = Duration::from_secs(60);
/// How long closing them may take then.
const REPLACED_BACKEND_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The parts of a gateway.
pub(super) struct Parts {
    pub registry: Registry,
    pub sealer: Arc<Sealer>,
    pub policies: PollPolicies,
    /// Where to serve gRPC.
    pub listeners: Vec<Listener>,
    /// Where to serve metrics.
    pub metrics: Option<Listener>,
    pub drain: DrainConfig,
    /// When the certificate of the listeners expires, if they have one.
    pub certificate_expiry: Option<Arc<CertificateExpiry>>,
    /// What clients may take.
    pub limits: Limits,
    /// Reads the configuration again, on SIGHUP. When it fails, everything stays as it was.
    pub reload: Option<Reload>,
}

/// The backends of the current configuration, and their poll intervals.
pub(super) type Reload = Box<dyn FnMut() -> Result<(Backends, PollPolicies), CommandError> + Send>;

/// Serves until SIGTERM or SIGINT, then drains. A second signal aborts the drain.
///
/// # Errors
/// When signal handlers cannot be installed or a compiled-in descriptor set cannot be decoded.
pub(super) async fn run(parts: Parts) -> Result<(), CommandError> {
    let Parts {
        registry,
        sealer,
        policies,
        listeners,
        metrics,
        drain,
        certificate_expiry,
        limits,
        reload,
    } = parts;
    let shutdown = Shutdown::default();
    let [terminate, interrupt, hang_up] =
        [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    tokio::spawn(shut_down_on_signal(
        terminate.map_err(CommandError::other)?,
        interrupt.map_err(CommandError::other)?,
        shutdown.clone(),
    ));
    let hang_up = hang_up.map_err(CommandError::other)?;

    let hub = Hub::new(registry.clone(), policies);
    let call_metrics = Arc::new(CallMetrics::new().map_err(CommandError::other)?);
    let connections = Connections::new(limits);
    let mut metrics_task = JoinSet::new();
    if let Some(listener) = metrics {
        let metrics = Metrics::new(
            Arc::clone(&call_metrics),
            Arc::clone(&connections),
            certificate_expiry,
            registry.clone(),
            hub.clone(),
        );
        metrics_task.spawn(metrics.serve(listener));
    }
    let gateway = Gateway::new(registry.clone(), sealer, hub.clone(), shutdown.draining.clone());
    let health = Health::new(shutdown.draining.clone());
    let reloaded = Arc::new(Notify::new());
    let mut background = JoinSet::new();
    background.spawn(update_health(registry.clone(), health.clone(), Arc::clone(&reloaded)));
    background.spawn(reload_on_signal(hang_up, reload, registry.clone(), hub, reloaded));

    let routes = gateway.into_routes().add_service(health.service());
    let routes = reflection::add_to(routes).map_err(CommandError::other)?;
    let stopping = shutdown.requested.clone();
    let server_drain = shutdown_budget::server_drain(drain);
    let serving =
        server::serve(listeners, routes, health, call_metrics, connections, server_drain, shutdown);
    let deadline = async {
        stopping.cancelled().await;
        Instant::now() + shutdown_budget::total(drain)
    };
    let (_, deadline) = join(serving, deadline).await;

    // Before the backends are closed: a probe would log on again.
    background.shutdown().await;
    let left = deadline.saturating_duration_since(Instant::now());
    close(&registry.all(), shutdown_budget::closing(left)).await;
    // Last, so that the drain can be observed.
    metrics_task.shutdown().await;
    Ok(())
}

async fn shut_down_on_signal(mut terminate: Signal, mut interrupt: Signal, shutdown: Shutdown) {
    for step in [&shutdown.requested, &shutdown.grace_over] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        step.cancel();
    }
}

async fn reload_on_signal(
    mut hang_up: Signal,
    mut reload: Option<Reload>,
    registry: Registry,
    hub: Hub,
    reloaded: Arc<Notify>,
) {
    while hang_up.recv().await.is_some() {
        let Some(reload) = &mut reload else {
            tracing::warn!("there is no configuration to reload");
            continue;
        };
        match reload() {
            Ok((backends, policies)) => {
                let replaced = registry.replace(backends);
                hub.set_policies(policies);
                reloaded.notify_one();
                tracing::info!("the configuration is reloaded");
                tokio::spawn(async move {
                    sleep(REPLACED_BACKEND_GRACE).await;
                    close(&replaced, REPLACED_BACKEND_CLOSE_TIMEOUT).await;
                });
            }
            Err(error) => tracing::error!(%error, "the configuration stays as it was"),
        }
    }
}

/// Closes all backends at the same time, which logs off from Veeam.
async fn close(backends: &Backends, limit: Duration) {
    let closing = backends.iter().map(async |(id, backend)| {
        if timeout(limit, backend.close()).await.is_err() {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(backend = %id, limit_ms, "the backend was not closed in time");
        }
    });
    join_all(closing).await;
}

/// Keeps the health status of every backend up to date.
async fn update_health(registry: Registry, health: Health, reloaded: Arc<Notify>) {
    let mut known: Vec<String> = Vec::new();
    loop {
        let backends = registry.all();
        let names: Vec<_> = backends.keys().map(ToString::to_string).collect();
        for removed in known.iter().filter(|name| !names.contains(name)) {
            health.remove(removed);
        }
        let probes = backends.iter().map(async |(id, backend)| {
            health.set(&id.to_string(), probe(id, &**backend).await);
        });
        join_all(probes).await;
        known = names;
        tokio::select! {
            () = sleep(PROBE_INTERVAL) => {}
            () = reloaded.notified() => {}
        }
    }
}

async fn probe(id: &BackendId, backend: &dyn Backend) -> ServingStatus {
    match backend::probe(id, backend, PROBE_TIMEOUT).await {
        Ok(()) => ServingStatus::Serving,
        Err(error) => {
            tracing::warn!(backend = %id, %error, "the backend cannot be used");
            ServingStatus::NotServing
        }
    }
}

//! A gateway's life from its parts to its end, whoever put the parts together.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tonic_health::ServingStatus;

use super::CommandError;
use crate::backend::{self, Backend, Backends, Registry};
use crate::config::PollPolicies;
use crate::model::{BackendId, Sealer};
use crate::server::{self, Calls, Drain, Health, Listener, Metrics, Stages, reflection};
use crate::service::Gateway;
use crate::watch::Hub;

/// How often each vendor is asked whether it is there.
const PROBE_EVERY: Duration = Duration::from_secs(60);
/// How long it may take to say so.
const PROBE_PATIENCE: Duration = Duration::from_secs(15);
/// How long vendors may take to log the gateway off.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);
/// How long calls may go on with a backend that a reload has taken away.
const LAST_CALLS: Duration = Duration::from_secs(60);

/// All that a gateway is made of.
pub(super) struct Parts {
    pub registry: Registry,
    pub sealer: Sealer,
    pub policies: PollPolicies,
    pub listeners: Vec<Listener>,
    /// Where figures are shown.
    pub metrics: Option<Listener>,
    pub drain: Drain,
    /// Reads the configuration anew, on SIGHUP; what fails leaves everything as it was.
    pub reload: Option<Reload>,
}

/// The backends of the configuration as it is now, and their paces.
pub(super) type Reload = Box<dyn FnMut() -> Result<(Backends, PollPolicies), CommandError> + Send>;

/// Serves until SIGTERM or Ctrl-C, then drains; a second signal cuts the drain short.
///
/// # Errors
/// When signals cannot be received or the compiled-in descriptions of the services are none.
pub(super) async fn run(parts: Parts) -> Result<(), CommandError> {
    let Parts { registry, sealer, policies, listeners, metrics, drain, reload } = parts;
    let stages = Stages::default();
    let [terminate, interrupt, hang_up] =
        [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    tokio::spawn(stop_on(
        terminate.map_err(CommandError::other)?,
        interrupt.map_err(CommandError::other)?,
        stages.clone(),
    ));
    let hang_up = hang_up.map_err(CommandError::other)?;

    let sealer = Arc::new(sealer);
    let hub = Hub::new(registry.clone(), policies);
    let calls = Arc::new(Calls::new().map_err(CommandError::other)?);
    // Until the very end: the drain is worth seeing.
    let _figures = metrics.map(|listener| {
        let metrics = Metrics::new(Arc::clone(&calls), registry.clone(), hub.clone());
        AbortOnDropHandle::new(tokio::spawn(metrics.serve(listener)))
    });
    let gateway = Gateway::new(registry.clone(), sealer, hub.clone(), stages.draining.clone());
    let health = Health::new(stages.draining.clone());
    let changed = Arc::new(Notify::new());
    let care = tokio::spawn(watch_health(registry.clone(), health.clone(), Arc::clone(&changed)));
    let reloads = tokio::spawn(reload_on(hang_up, reload, registry.clone(), hub, changed));

    let routes = gateway.into_routes().add_service(health.service());
    let routes = reflection::add_to(routes).map_err(CommandError::other)?;
    server::serve(listeners, routes, health, calls, drain, stages).await;

    care.abort();
    reloads.abort();
    close(&registry.all()).await;
    Ok(())
}

async fn stop_on(mut terminate: Signal, mut interrupt: Signal, stages: Stages) {
    for step in [&stages.stop, &stages.cut] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        step.cancel();
    }
}

async fn reload_on(
    mut hang_up: Signal,
    mut reload: Option<Reload>,
    registry: Registry,
    hub: Hub,
    changed: Arc<Notify>,
) {
    while hang_up.recv().await.is_some() {
        let Some(reload) = &mut reload else {
            tracing::warn!("there is no configuration to reload");
            continue;
        };
        match reload() {
            Ok((backends, policies)) => {
                let old = registry.replace(backends);
                hub.set_policies(policies);
                changed.notify_one();
                tracing::info!("the configuration is reloaded");
                tokio::spawn(async move {
                    sleep(LAST_CALLS).await;
                    close(&old).await;
                });
            }
            Err(error) => tracing::error!(%error, "the configuration stays as it was"),
        }
    }
}

async fn close(backends: &Backends) {
    let closing = join_all(backends.values().map(|backend| backend.close()));
    if timeout(CLOSE_PATIENCE, closing).await.is_err() {
        tracing::warn!("a vendor did not answer the gateway's goodbye");
    }
}

/// Keeps the health of all backends true.
async fn watch_health(registry: Registry, health: Health, changed: Arc<Notify>) {
    let mut told: Vec<String> = Vec::new();
    loop {
        let backends = registry.all();
        let names: Vec<_> = backends.keys().map(ToString::to_string).collect();
        for gone in told.iter().filter(|name| !names.contains(name)) {
            health.remove(gone);
        }
        let probes = backends.iter().map(async |(id, backend)| {
            health.set(&id.to_string(), probe(id, &**backend).await);
        });
        join_all(probes).await;
        told = names;
        tokio::select! {
            () = sleep(PROBE_EVERY) => {}
            () = changed.notified() => {}
        }
    }
}

async fn probe(id: &BackendId, probed: &dyn Backend) -> ServingStatus {
    match backend::probe(id, probed, PROBE_PATIENCE).await {
        Ok(()) => ServingStatus::Serving,
        Err(error) => {
            tracing::warn!(backend = %id, %error, "the backend cannot be used");
            ServingStatus::NotServing
        }
    }
}

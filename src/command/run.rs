//! A gateway's life from its parts to its end, whoever put the parts together.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, timeout};
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::ServingStatus;

use super::Failure;
use crate::backend::{Backend, Registry};
use crate::model::{BackendId, Sealer};
use crate::proto::restore_point_service_server::RestorePointServiceServer;
use crate::server::{self, Drain, Health, Listener, Stages, reflection};
use crate::service::Gateway;
use crate::watch::{self, Hub};

/// How often each vendor is asked whether it is there.
const PROBE_EVERY: Duration = Duration::from_secs(60);
/// How long it may take to say so.
const PROBE_PATIENCE: Duration = Duration::from_secs(15);
/// How long vendors may take to log the gateway off.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

/// All that a gateway is made of.
pub(super) struct Parts {
    pub registry: Registry,
    pub sealer: Sealer,
    pub watch: watch::Settings,
    pub listeners: Vec<Listener>,
    pub drain: Drain,
}

/// Serves until SIGTERM or Ctrl-C, then drains; a second signal cuts the drain short.
///
/// # Errors
/// When signals cannot be received or the reflection service cannot be built.
pub(super) async fn run(parts: Parts) -> Result<(), Failure> {
    let Parts { registry, sealer, watch, listeners, drain } = parts;
    let stages = Stages::default();
    on_signals(stages.clone())?;

    let sealer = Arc::new(sealer);
    let hub = Hub::new(registry.clone(), Arc::clone(&sealer), watch);
    let gateway = Gateway::new(registry.clone(), sealer, hub, stages.draining.clone());
    let health = Health::new(stages.draining.clone());
    let probes: Vec<_> = registry
        .iter()
        .map(|(id, backend)| tokio::spawn(probe(id.clone(), Arc::clone(backend), health.clone())))
        .collect();
    let service = RestorePointServiceServer::new(gateway)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let routes = Routes::new(service).add_service(health.service());
    let routes = reflection::add_to(routes).map_err(Failure::other)?;

    server::serve(listeners, routes, health, drain, stages).await;
    probes.iter().for_each(tokio::task::JoinHandle::abort);
    let closing = join_all(registry.iter().map(|(_, backend)| backend.close()));
    if timeout(CLOSE_PATIENCE, closing).await.is_err() {
        tracing::warn!("a vendor did not answer the gateway's goodbye");
    }
    Ok(())
}

fn on_signals(stages: Stages) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::other)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::other)?;
    tokio::spawn(async move {
        for step in [&stages.stop, &stages.cut] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            step.cancel();
        }
    });
    Ok(())
}

/// Keeps the health of one backend true.
async fn probe(id: BackendId, backend: Arc<dyn Backend>, health: Health) {
    let mut turns = interval(PROBE_EVERY);
    loop {
        turns.tick().await;
        let status = match timeout(PROBE_PATIENCE, backend.probe()).await {
            Ok(Ok(())) => ServingStatus::Serving,
            Ok(Err(error)) => {
                tracing::warn!(backend = %id, %error, "the backend cannot be used");
                ServingStatus::NotServing
            }
            Err(_) => {
                tracing::warn!(backend = %id, "the backend does not answer");
                ServingStatus::NotServing
            }
        };
        health.set(&id.to_string(), status);
    }
}

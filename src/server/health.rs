//! `grpc.health.v1.Health`, by the gRPC health checking protocol: a watch of an unknown name gets SERVICE_UNKNOWN and
//! stays open, to get the status when the name appears.
//!
//! Which status a name has is decided elsewhere. `List` is missing from the generated service and so from here.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_check_response::ServingStatus as ProtoStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_server};

use super::status::status;
use crate::proto::restore_point_service_server::SERVICE_NAME;

/// The status of each name. Clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    statuses: Arc<watch::Sender<Statuses>>,
    draining: CancellationToken,
}

/// One channel holds all the names: they are few and change rarely, and a name that does not exist yet can be
/// watched like any other.
#[derive(Debug, Default)]
struct Statuses {
    by_name: HashMap<String, ServingStatus>,
    shut_down: bool,
}

impl Health {
    /// The whole server (the empty name) and the service are SERVING. Watches end when `draining` is cancelled.
    pub fn new(draining: CancellationToken) -> Self {
        let health = Self { statuses: Arc::default(), draining };
        health.set("", ServingStatus::Serving);
        health.set(SERVICE_NAME, ServingStatus::Serving);
        health
    }

    /// Sets the status of `name`: a service, or `backends/{id}`. After [`Health::shut_down`] it stays NOT_SERVING.
    pub fn set(&self, name: &str, status: ServingStatus) {
        self.statuses.send_if_modified(|statuses| {
            // A backend that recovers does not make a server that shuts down serve again.
            let status = if statuses.shut_down { ServingStatus::NotServing } else { status };
            statuses.by_name.insert(name.to_owned(), status) != Some(status)
        });
    }

    /// Removes `name`: its watches get SERVICE_UNKNOWN.
    pub fn remove(&self, name: &str) {
        self.statuses.send_if_modified(|statuses| statuses.by_name.remove(name).is_some());
    }

    /// Sets every name to NOT_SERVING, for good.
    pub fn shut_down(&self) {
        self.statuses.send_modify(|statuses| {
            statuses.shut_down = true;
            statuses.by_name.values_mut().for_each(|status| *status = ServingStatus::NotServing);
        });
    }

    /// The service to add to the routes.
    pub fn service(&self) -> health_server::HealthServer<Self> {
        health_server::HealthServer::new(self.clone())
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.statuses.borrow().by_name.get(&request.get_ref().service) {
            Some(status) => Ok(Response::new(response(Some(*status)))),
            None => Err(status(
                Code::NotFound,
                "HEALTH_NAME_UNKNOWN",
                "nothing of this name is served; backends are named backends/{id}",
            )),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let watch = Watch {
            name: request.into_inner().service,
            statuses: self.statuses.subscribe(),
            draining: self.draining.clone(),
            last: None,
        };
        Ok(Response::new(stream::unfold(watch, Watch::next).boxed()))
    }
}

/// A client's watch of one name.
struct Watch {
    name: String,
    statuses: watch::Receiver<Statuses>,
    draining: CancellationToken,
    last: Option<HealthCheckResponse>,
}

impl Watch {
    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Self)> {
        loop {
            let current = self.statuses.borrow_and_update().by_name.get(&self.name).copied();
            let current = response(current);
            if self.last.replace(current) != Some(current) {
                return Some((Ok(current), self));
            }
            tokio::select! {
                // First, so that NOT_SERVING is sent before the end.
                biased;
                changed = self.statuses.changed() => changed.ok()?,
                () = self.draining.cancelled() => {
                    return Some((Err(crate::status::draining()), self));
                }
            }
        }
    }
}

fn response(status: Option<ServingStatus>) -> HealthCheckResponse {
    let status = status.map_or(ProtoStatus::ServiceUnknown, ProtoStatus::from);
    HealthCheckResponse { status: status.into() }
}

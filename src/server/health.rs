//! `grpc.health.v1.Health`, by its specification: whoever watches a name that is not known is told
//! SERVICE_UNKNOWN and stays, to hear of it when it comes to be.
//!
//! What is healthy is decided elsewhere. `List` is missing from the generated service and so from here.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_check_response::ServingStatus as Told;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_server};

use super::status::status;
use crate::proto::restore_point_service_server::SERVICE_NAME;

/// What the health service says. Clones say the same.
#[derive(Debug, Clone)]
pub struct Health {
    table: Arc<watch::Sender<Table>>,
    draining: CancellationToken,
}

/// One channel holds all the names: they are few and change seldom, and a name that is not there yet
/// can be watched like any other.
#[derive(Debug, Default)]
struct Table {
    statuses: HashMap<String, ServingStatus>,
    stopped: bool,
}

impl Health {
    /// The whole server (the empty name) and the service are SERVING; watches end with `draining`.
    pub fn new(draining: CancellationToken) -> Self {
        let health = Self { table: Arc::default(), draining };
        health.set("", ServingStatus::Serving);
        health.set(SERVICE_NAME, ServingStatus::Serving);
        health
    }

    /// Says `status` of `name`: a service, or `backends/{id}`.
    pub fn set(&self, name: &str, status: ServingStatus) {
        self.table.send_if_modified(|table| {
            // A backend that recovers does not make a server that is stopping serve again.
            let status = if table.stopped { ServingStatus::NotServing } else { status };
            table.statuses.insert(name.to_owned(), status) != Some(status)
        });
    }

    /// Knows nothing of `name` any more: it is SERVICE_UNKNOWN to whoever watches it.
    pub fn remove(&self, name: &str) {
        self.table.send_if_modified(|table| table.statuses.remove(name).is_some());
    }

    /// Says NOT_SERVING of everything, from now on.
    pub fn stop(&self) {
        self.table.send_modify(|table| {
            table.stopped = true;
            table.statuses.values_mut().for_each(|status| *status = ServingStatus::NotServing);
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
        match self.table.borrow().statuses.get(&request.get_ref().service) {
            Some(status) => Ok(Response::new(told(Some(*status)))),
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
            table: self.table.subscribe(),
            draining: self.draining.clone(),
            last: None,
        };
        Ok(Response::new(stream::unfold(watch, Watch::next).boxed()))
    }
}

/// One caller's view of one name.
struct Watch {
    name: String,
    table: watch::Receiver<Table>,
    draining: CancellationToken,
    last: Option<HealthCheckResponse>,
}

impl Watch {
    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Self)> {
        loop {
            let now = told(self.table.borrow_and_update().statuses.get(&self.name).copied());
            if self.last.replace(now) != Some(now) {
                return Some((Ok(now), self));
            }
            tokio::select! {
                // First, so that NOT_SERVING is heard before the end.
                biased;
                changed = self.table.changed() => changed.ok()?,
                () = self.draining.cancelled() => {
                    let end = status(Code::Unavailable, "DRAINING", "the server is stopping");
                    return Some((Err(end), self));
                }
            }
        }
    }
}

fn told(status: Option<ServingStatus>) -> HealthCheckResponse {
    let status = status.map_or(Told::ServiceUnknown, Told::from);
    HealthCheckResponse { status: status.into() }
}

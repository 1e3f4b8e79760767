//! The RPCs, one a file: check the request, call the backend, convert the answer.
//!
//! No vendor is named here, and no status is made here: errors are the model's until `status.rs`.

mod backends;
mod codec;
mod collections;
mod copy;
mod create_collection;
mod events;
#[cfg(fuzzing)]
pub mod fuzzing;
mod get;
mod list;
mod page;
mod walk;
mod watch_status;
mod writing;

use std::sync::Arc;

pub use codec::SmallRequests;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::service::{LayerExt, Routes};
use tonic::{Request, Response, Status};
use tower::util::MapResponseLayer;

use crate::backend::Registry;
use crate::model::Sealer;
use crate::proto;
use crate::proto::restore_point_service_server::{RestorePointService, RestorePointServiceServer};
use crate::watch::Hub;

/// The service over the configured backends. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    registry: Registry,
    sealer: Arc<Sealer>,
    hub: Hub,
    draining: CancellationToken,
}

impl Gateway {
    /// A service over `registry`. Its streams end when `draining` is cancelled.
    pub fn new(
        registry: Registry,
        sealer: Arc<Sealer>,
        hub: Hub,
        draining: CancellationToken,
    ) -> Self {
        Self { registry, sealer, hub, draining }
    }

    /// The service, ready to be called by gRPC.
    pub fn into_routes(self) -> Routes {
        let server = RestorePointServiceServer::new(self)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        Routes::new(MapResponseLayer::new(events::with_events).named_layer(server))
    }
}

#[tonic::async_trait]
impl RestorePointService for Gateway {
    async fn list(
        &self,
        request: Request<proto::ListRequest>,
    ) -> Result<Response<proto::ListResponse>, Status> {
        Ok(Response::new(self.list_restore_points(request.into_inner()).await?))
    }

    async fn get(
        &self,
        request: Request<proto::GetRequest>,
    ) -> Result<Response<proto::RestorePoint>, Status> {
        Ok(Response::new(self.get_restore_point(request.into_inner()).await?))
    }

    async fn create_collection(
        &self,
        request: Request<proto::CreateCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        Ok(Response::new(self.create(request.into_inner()).await?))
    }

    async fn copy(
        &self,
        request: Request<proto::CopyRequest>,
    ) -> Result<Response<proto::CopyResponse>, Status> {
        Ok(Response::new(self.start_copy(request.into_inner()).await?))
    }

    type WatchStatusStream = events::NoMessages;

    async fn watch_status(
        &self,
        request: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        Ok(events::response(self.watch(request.into_inner())?))
    }

    async fn list_collections(
        &self,
        request: Request<proto::ListCollectionsRequest>,
    ) -> Result<Response<proto::ListCollectionsResponse>, Status> {
        Ok(Response::new(self.list_all_collections(request.into_inner()).await?))
    }

    async fn get_collection(
        &self,
        request: Request<proto::GetCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        Ok(Response::new(self.get_one_collection(request.into_inner()).await?))
    }

    async fn list_backends(
        &self,
        _: Request<proto::ListBackendsRequest>,
    ) -> Result<Response<proto::ListBackendsResponse>, Status> {
        Ok(Response::new(self.describe_backends().await))
    }
}

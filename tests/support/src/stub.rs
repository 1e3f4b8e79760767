//! A stub of the service: a test or benchmark implements some of the methods, the others return UNIMPLEMENTED.

use restore_point_gateway::proto;
use restore_point_gateway::proto::restore_point_service_server::RestorePointService;
use tonic::{Request, Response, Status};

/// The methods that a stub can implement. Only `watch_status` must be implemented.
#[tonic::async_trait]
pub trait Handlers: Send + Sync + 'static {
    /// The events of `watch_status`.
    type Events: futures::Stream<Item = Result<proto::WatchStatusResponse, Status>> + Send + 'static;

    /// Handles Get.
    async fn get(
        &self,
        _: Request<proto::GetRequest>,
    ) -> Result<Response<proto::RestorePoint>, Status> {
        Err(Status::unimplemented(""))
    }

    /// Handles WatchStatus.
    async fn watch_status(
        &self,
        request: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::Events>, Status>;

    /// Handles ListBackends.
    async fn list_backends(
        &self,
        _: Request<proto::ListBackendsRequest>,
    ) -> Result<Response<proto::ListBackendsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// The service with these handlers.
#[derive(Debug)]
pub struct Stub<H>(pub H);

#[tonic::async_trait]
impl<H: Handlers> RestorePointService for Stub<H> {
    type WatchStatusStream = H::Events;

    async fn get(
        &self,
        request: Request<proto::GetRequest>,
    ) -> Result<Response<proto::RestorePoint>, Status> {
        self.0.get(request).await
    }

    async fn watch_status(
        &self,
        request: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        self.0.watch_status(request).await
    }

    async fn list_backends(
        &self,
        request: Request<proto::ListBackendsRequest>,
    ) -> Result<Response<proto::ListBackendsResponse>, Status> {
        self.0.list_backends(request).await
    }

    async fn list(
        &self,
        _: Request<proto::ListRequest>,
    ) -> Result<Response<proto::ListResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn create_collection(
        &self,
        _: Request<proto::CreateCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn copy(
        &self,
        _: Request<proto::CopyRequest>,
    ) -> Result<Response<proto::CopyResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_collections(
        &self,
        _: Request<proto::ListCollectionsRequest>,
    ) -> Result<Response<proto::ListCollectionsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_collection(
        &self,
        _: Request<proto::GetCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        Err(Status::unimplemented(""))
    }
}

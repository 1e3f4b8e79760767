//! A service whose every method answers UNIMPLEMENTED but those that a test or a benchmark writes.

use restore_point_gateway::proto;
use restore_point_gateway::proto::restore_point_service_server::RestorePointService;
use tonic::{Request, Response, Status};

/// The methods that a stub may answer.
#[tonic::async_trait]
pub trait Answers: Send + Sync + 'static {
    /// The stream of `watch_status`.
    type Events: futures::Stream<Item = Result<proto::WatchStatusResponse, Status>> + Send + 'static;

    /// Answers Get.
    async fn get(
        &self,
        _: Request<proto::GetRequest>,
    ) -> Result<Response<proto::RestorePoint>, Status> {
        Err(Status::unimplemented(""))
    }

    /// Answers WatchStatus.
    async fn watch_status(
        &self,
        request: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::Events>, Status>;

    /// Answers ListBackends.
    async fn list_backends(
        &self,
        _: Request<proto::ListBackendsRequest>,
    ) -> Result<Response<proto::ListBackendsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// The whole service over such answers.
#[derive(Debug)]
pub struct Stub<A>(pub A);

#[tonic::async_trait]
impl<A: Answers> RestorePointService for Stub<A> {
    type WatchStatusStream = A::Events;

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

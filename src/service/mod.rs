//! The RPCs, one handler a file, named as the RPC is named: check the request, call the backend, convert the result.
//!
//! No vendor is named here, and no status is made here: errors are the model's until `status.rs`.

mod codec;
mod copy;
mod create_collection;
mod event_stream;
mod frames;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gateway;
mod get;
mod get_collection;
mod list;
mod list_backends;
mod list_collections;
mod page_token;
mod response;
mod resume_token;
mod walk;
mod watch_status;
mod write_request;

use tonic::codec::CompressionEncoding;
use tonic::service::{LayerExt, Routes};
use tonic::{Request, Response, Status};
use tower::util::MapResponseLayer;

pub use codec::SmallBufferCodec;
pub use gateway::Gateway;

use self::response::respond;
use crate::model::Deadline;
use crate::proto;
use crate::proto::restore_point_service_server::{RestorePointService, RestorePointServiceServer};

impl Gateway {
    /// The service as routes of a gRPC server.
    pub fn into_routes(self) -> Routes {
        let server = RestorePointServiceServer::new(self)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        Routes::new(MapResponseLayer::new(event_stream::replace_body).named_layer(server))
    }
}

fn deadline<T>(request: &Request<T>) -> Option<Deadline> {
    request.extensions().get().copied()
}

#[tonic::async_trait]
impl RestorePointService for Gateway {
    async fn list(
        &self,
        request: Request<proto::ListRequest>,
    ) -> Result<Response<proto::ListResponse>, Status> {
        let deadline = deadline(&request);
        respond(list::list(self, request.into_inner(), deadline).await)
    }

    async fn get(
        &self,
        request: Request<proto::GetRequest>,
    ) -> Result<Response<proto::RestorePoint>, Status> {
        respond(get::get(self, request.into_inner()).await)
    }

    async fn create_collection(
        &self,
        request: Request<proto::CreateCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        respond(create_collection::create_collection(self, request.into_inner()).await)
    }

    async fn copy(
        &self,
        request: Request<proto::CopyRequest>,
    ) -> Result<Response<proto::CopyResponse>, Status> {
        respond(copy::copy(self, request.into_inner()).await)
    }

    type WatchStatusStream = event_stream::NoMessages;

    async fn watch_status(
        &self,
        request: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let watcher = watch_status::watch_status(self, request.into_inner())?;
        Ok(event_stream::response(watcher, self.frame_encoder.clone()))
    }

    async fn list_collections(
        &self,
        request: Request<proto::ListCollectionsRequest>,
    ) -> Result<Response<proto::ListCollectionsResponse>, Status> {
        let deadline = deadline(&request);
        let request = request.into_inner();
        respond(list_collections::list_collections(self, request, deadline).await)
    }

    async fn get_collection(
        &self,
        request: Request<proto::GetCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        respond(get_collection::get_collection(self, request.into_inner()).await)
    }

    async fn list_backends(
        &self,
        _: Request<proto::ListBackendsRequest>,
    ) -> Result<Response<proto::ListBackendsResponse>, Status> {
        respond(Ok(list_backends::list_backends(self).await))
    }
}

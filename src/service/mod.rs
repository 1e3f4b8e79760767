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
mod handover;
mod list;
mod list_backends;
mod list_collections;
mod page_token;
mod reserved_body;
mod response;
mod resume_token;
mod walk;
mod watch_status;
mod write_request;

use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::service::{LayerExt, Routes};
use tonic::{Request, Response, Status};
use tower::util::MapResponseLayer;

pub use codec::SmallBufferCodec;
pub use gateway::Gateway;

use self::event_stream::EventStream;
use self::reserved_body::ReservedBody;
use self::response::{RESOURCE_BYTES, respond};
use crate::model::{Deadline, Error};
use crate::proto;
use crate::proto::restore_point_service_server::{RestorePointService, RestorePointServiceServer};
use crate::response_budget::{ConnectionBudget, Reservation};

impl Gateway {
    /// The service as routes of a gRPC server.
    pub fn into_routes(self) -> Routes {
        let server = RestorePointServiceServer::new(self)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        Routes::new(MapResponseLayer::new(with_own_body).named_layer(server))
    }
}

/// The response with the body of ours that its handler made for it, if it did.
fn with_own_body(mut response: http::Response<Body>) -> http::Response<Body> {
    if let Some(events) = handover::take::<EventStream>(response.extensions_mut()) {
        return event_stream::with_body(response, events);
    }
    match handover::take::<Reservation>(response.extensions_mut()) {
        Some(reservation) => response.map(|body| Body::new(ReservedBody::new(body, reservation))),
        None => response,
    }
}

fn deadline<T>(request: &Request<T>) -> Option<Deadline> {
    request.extensions().get().copied()
}

/// Memory for a response of up to `bytes`. A request that did not come through this program's server has no budget.
async fn reserve<T>(request: &Request<T>, bytes: u32) -> Result<Option<Reservation>, Error> {
    match request.extensions().get::<ConnectionBudget>() {
        Some(budget) => budget.reserve(bytes).await.map(Some),
        None => Ok(None),
    }
}

#[tonic::async_trait]
impl RestorePointService for Gateway {
    async fn list(
        &self,
        request: Request<proto::ListRequest>,
    ) -> Result<Response<proto::ListResponse>, Status> {
        let memory = reserve(&request, response::list_bytes(request.get_ref())).await?;
        let deadline = deadline(&request);
        respond(list::list(self, request.into_inner(), deadline).await, memory)
    }

    async fn get(
        &self,
        request: Request<proto::GetRequest>,
    ) -> Result<Response<proto::RestorePoint>, Status> {
        let memory = reserve(&request, RESOURCE_BYTES).await?;
        respond(get::get(self, request.into_inner()).await, memory)
    }

    async fn create_collection(
        &self,
        request: Request<proto::CreateCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        let memory = reserve(&request, RESOURCE_BYTES).await?;
        respond(create_collection::create_collection(self, request.into_inner()).await, memory)
    }

    async fn copy(
        &self,
        request: Request<proto::CopyRequest>,
    ) -> Result<Response<proto::CopyResponse>, Status> {
        let memory = reserve(&request, RESOURCE_BYTES).await?;
        respond(copy::copy(self, request.into_inner()).await, memory)
    }

    type WatchStatusStream = event_stream::NoMessages;

    async fn watch_status(
        &self,
        request: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let budget = request.extensions().get().cloned();
        let watcher = watch_status::watch_status(self, request.into_inner())?;
        let events = EventStream::new(self.frame_encoder.clone(), budget, watcher);
        Ok(event_stream::response(events))
    }

    async fn list_collections(
        &self,
        request: Request<proto::ListCollectionsRequest>,
    ) -> Result<Response<proto::ListCollectionsResponse>, Status> {
        let memory = reserve(&request, response::list_collections_bytes(request.get_ref())).await?;
        let deadline = deadline(&request);
        let request = request.into_inner();
        respond(list_collections::list_collections(self, request, deadline).await, memory)
    }

    async fn get_collection(
        &self,
        request: Request<proto::GetCollectionRequest>,
    ) -> Result<Response<proto::Collection>, Status> {
        let memory = reserve(&request, RESOURCE_BYTES).await?;
        respond(get_collection::get_collection(self, request.into_inner()).await, memory)
    }

    async fn list_backends(
        &self,
        request: Request<proto::ListBackendsRequest>,
    ) -> Result<Response<proto::ListBackendsResponse>, Status> {
        let memory = reserve(&request, RESOURCE_BYTES).await?;
        respond(Ok(list_backends::list_backends(self).await), memory)
    }
}

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
mod get;
mod get_collection;
mod list;
mod list_backends;
mod list_collections;
mod page_token;
mod resume_token;
mod walk;
mod watch_status;
mod write_request;

use std::sync::Arc;

use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::service::{LayerExt, Routes};
use tonic::{Request, Response, Status};
use tower::util::MapResponseLayer;

pub use codec::SmallBufferCodec;

use self::frames::FrameEncoder;
use crate::backend::Registry;
use crate::model::{Error, Sealer};
use crate::proto;
use crate::proto::restore_point_service_server::{RestorePointService, RestorePointServiceServer};
use crate::watch::Hub;

/// The largest message that any RPC sends, in bytes: half of the 4 MiB that gRPC clients accept by default. A response or
/// event that exceeds it fails.
const MAX_RESPONSE_BYTES: usize = 2 << 20;
/// What the items of a page may take of it: lists end their pages here. The rest is for the page token and the names of
/// unreachable backends.
const MAX_PAGE_BYTES: usize = MAX_RESPONSE_BYTES - (64 << 10);

/// The service over the configured backends. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    registry: Registry,
    sealer: Arc<Sealer>,
    hub: Hub,
    frame_encoder: FrameEncoder,
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
        let frame_encoder = FrameEncoder::new(Arc::clone(&sealer));
        Self { registry, sealer, hub, frame_encoder, draining }
    }

    /// The service as routes of a gRPC server.
    pub fn into_routes(self) -> Routes {
        let server = RestorePointServiceServer::new(self)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        Routes::new(MapResponseLayer::new(event_stream::replace_body).named_layer(server))
    }
}

/// The response of a unary RPC.
fn respond<M: Message>(result: Result<M, Error>) -> Result<Response<M>, Status> {
    let message = result?;
    check_size(&message)?;
    Ok(Response::new(message))
}

/// What an item takes of a page, in bytes: itself, its tag and its length.
fn page_item_len(item: &impl Message) -> usize {
    1 + prost::length_delimiter_len(item.encoded_len()) + item.encoded_len()
}

/// # Errors
/// [`Error::ResponseTooLarge`].
fn check_size(message: &impl Message) -> Result<(), Error> {
    match message.encoded_len() {
        bytes if bytes > MAX_RESPONSE_BYTES => {
            Err(Error::ResponseTooLarge { bytes, limit: MAX_RESPONSE_BYTES })
        }
        _ => Ok(()),
    }
}

#[tonic::async_trait]
impl RestorePointService for Gateway {
    async fn list(
        &self,
        request: Request<proto::ListRequest>,
    ) -> Result<Response<proto::ListResponse>, Status> {
        respond(list::list(self, request.into_inner()).await)
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
        respond(list_collections::list_collections(self, request.into_inner()).await)
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

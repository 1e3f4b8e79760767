//! A service without backends: the name in a request selects what the call does.

use std::future;

use futures::stream::{self, BoxStream, StreamExt};
use restore_point_gateway::proto::{self, GetRequest, WatchStatusRequest, WatchStatusResponse};
use restore_point_gateway::server::{Deadline, Peer};
use restore_point_test_support::stub::Handlers;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

pub(crate) struct ScriptedService {
    pub(crate) draining: CancellationToken,
    /// Cancelled when a call that never ends is dropped.
    pub(crate) dropped: CancellationToken,
}

#[tonic::async_trait]
impl Handlers for ScriptedService {
    async fn get(
        &self,
        request: Request<GetRequest>,
    ) -> Result<Response<proto::RestorePoint>, Status> {
        match request.get_ref().name.as_str() {
            "panic" => panic!("a secret"),
            "wait" => {
                let _dropped = self.dropped.clone().drop_guard();
                future::pending().await
            }
            "peer" => {
                let peer = request.extensions().get::<Peer>().unwrap();
                Ok(Response::new(named(&peer.to_string())))
            }
            "deadline" => {
                let deadline = request.extensions().get::<Deadline>().is_some();
                Ok(Response::new(named(&deadline.to_string())))
            }
            name => Ok(Response::new(named(name))),
        }
    }

    type Events = BoxStream<'static, Result<WatchStatusResponse, Status>>;

    async fn watch_status(
        &self,
        request: Request<WatchStatusRequest>,
    ) -> Result<Response<Self::Events>, Status> {
        let first = stream::iter([Ok(WatchStatusResponse::default())]);
        let rest = match request.get_ref().names[0].as_str() {
            "panic" => {
                // Pending once before it, or tonic would still be collecting messages when it comes.
                let panic = async {
                    tokio::task::yield_now().await;
                    panic!("a secret")
                };
                stream::once(panic).boxed()
            }
            "busy" => stream::repeat_with(|| Ok(WatchStatusResponse::default())).boxed(),
            "wait" => {
                let dropped = self.dropped.clone().drop_guard();
                let wait = async move {
                    let _dropped = dropped;
                    future::pending().await
                };
                stream::once(wait).boxed()
            }
            "draining" => {
                let draining = self.draining.clone();
                let end = async move {
                    draining.cancelled().await;
                    Err(Status::unavailable("draining"))
                };
                stream::once(end).boxed()
            }
            _ => stream::empty().boxed(),
        };
        Ok(Response::new(first.chain(rest).boxed()))
    }
}

fn named(name: &str) -> proto::RestorePoint {
    proto::RestorePoint { name: name.to_owned(), ..Default::default() }
}

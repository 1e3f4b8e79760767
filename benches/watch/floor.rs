//! The floor: a plain tonic server that sends the same message to each of its streams.

use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use restore_point_gateway::proto;
use restore_point_gateway::proto::restore_point_service_server::RestorePointServiceServer;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_test_support::fixture::Client;
use restore_point_test_support::stub::{Handlers, Stub};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};

struct Floor {
    /// Of an event, in bytes.
    length: usize,
    latest: Arc<watch::Sender<proto::WatchStatusResponse>>,
}

/// Prints the address of a server and runs it until the process is killed. Its events have about `length` bytes.
pub(crate) fn serve(length: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let latest = Arc::new(watch::Sender::new(event(Event::Synced, length)));
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        tonic::transport::Server::builder()
            .add_service(RestorePointServiceServer::new(Stub(Floor { length, latest })))
            .serve_with_incoming(incoming.with_nodelay(Some(true)))
            .await
            .unwrap();
    });
}

/// Makes the server send an event to all streams.
pub(crate) async fn send_event(address: &str) {
    let mut client = Client::connect(format!("http://{address}")).await.unwrap();
    client.list_backends(proto::ListBackendsRequest {}).await.unwrap();
}

fn event(kind: Event, length: usize) -> proto::WatchStatusResponse {
    let observe_time = std::time::SystemTime::from(Timestamp::now()).into();
    proto::WatchStatusResponse {
        event: kind.into(),
        resume_token: "x".repeat(length),
        observe_time: Some(observe_time),
        ..Default::default()
    }
}

#[tonic::async_trait]
impl Handlers for Floor {
    type Events = BoxStream<'static, Result<proto::WatchStatusResponse, Status>>;

    async fn watch_status(
        &self,
        _: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::Events>, Status> {
        let first = event(Event::Synced, self.length);
        let first = futures::stream::once(async { first }.boxed());
        let rest = WatchStream::from_changes(self.latest.subscribe());
        Ok(Response::new(first.chain(rest).map(Ok).boxed()))
    }

    /// Sends an event to all streams.
    async fn list_backends(
        &self,
        _: Request<proto::ListBackendsRequest>,
    ) -> Result<Response<proto::ListBackendsResponse>, Status> {
        self.latest.send_replace(event(Event::Changed, self.length));
        Ok(Response::new(proto::ListBackendsResponse::default()))
    }
}

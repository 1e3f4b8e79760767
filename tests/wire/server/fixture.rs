//! A server to test and a client to call it.
//!
//! The client is the generated one over a bare HTTP/2 connection, because tonic's own channel ends
//! calls at their deadline by itself and would hide what the server does.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request as HttpRequest, Response as HttpResponse, Uri};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::restore_point_service_server::RestorePointServiceServer;
use restore_point_gateway::proto::{GetRequest, WatchStatusRequest};
use restore_point_gateway::server::{
    Calls, Drain, End, Health, Listener, Stages, reflection, serve,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_types::StatusExt;
use tower::util::BoxCloneSyncService;

use restore_point_test_support::stub::Stub;

use super::scripted::Scripted;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) health: Health,
    pub(crate) calls: Arc<Calls>,
    pub(crate) stages: Stages,
    pub(crate) dropped: CancellationToken,
    pub(crate) running: JoinHandle<End>,
}

impl Server {
    /// On a free port, with a grace that no test waits for.
    pub(crate) async fn start() -> Self {
        Self::draining(Drain { notice: Duration::ZERO, grace: HOUR }).await
    }

    pub(crate) async fn draining(drain: Drain) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        Self::on(Listener::tcp(socket), address, drain)
    }

    pub(crate) fn on(listener: Listener, address: SocketAddr, drain: Drain) -> Self {
        let stages = Stages::default();
        let health = Health::new(stages.draining.clone());
        let dropped = CancellationToken::new();
        let stub = Stub(Scripted { draining: stages.draining.clone(), dropped: dropped.clone() });
        let routes =
            Routes::new(RestorePointServiceServer::new(stub)).add_service(health.service());
        let routes = reflection::add_to(routes).unwrap();
        let calls = Arc::new(Calls::new().unwrap());
        let running = tokio::spawn(serve(
            vec![listener],
            routes,
            health.clone(),
            Arc::clone(&calls),
            drain,
            stages.clone(),
        ));
        Self { address, health, calls, stages, dropped, running }
    }

    pub(crate) async fn wire(&self) -> Wire {
        wire(TcpStream::connect(self.address).await.unwrap()).await
    }

    pub(crate) async fn client(&self) -> RestorePointServiceClient<Wire> {
        client(self.wire().await)
    }

    pub(crate) async fn stop(self) -> End {
        self.stages.stop.cancel();
        soon(self.running).await.unwrap()
    }
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Fails a test that hangs. It measures nothing.
pub(crate) async fn soon<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("the test hangs")
}

pub(crate) type Wire = BoxCloneSyncService<HttpRequest<Body>, HttpResponse<Incoming>, hyper::Error>;

pub(crate) async fn wire<S>(stream: S) -> Wire
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    BoxCloneSyncService::new(tower::service_fn(move |request| {
        let mut sender = sender.clone();
        async move { sender.send_request(request).await }
    }))
}

pub(crate) fn origin() -> Uri {
    Uri::from_static("http://gateway")
}

pub(crate) fn client(wire: Wire) -> RestorePointServiceClient<Wire> {
    RestorePointServiceClient::with_origin(wire, origin())
}

pub(crate) fn get(name: &str) -> Request<GetRequest> {
    Request::new(GetRequest { name: name.to_owned(), ..Default::default() })
}

pub(crate) fn watch(name: &str) -> Request<WatchStatusRequest> {
    Request::new(WatchStatusRequest { names: vec![name.to_owned()], ..Default::default() })
}

pub(crate) fn check(name: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: name.to_owned() }
}

#[track_caller]
pub(crate) fn assert_refused(status: &Status, code: Code, reason: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "restorepoint.v1"));
}

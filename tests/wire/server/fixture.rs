//! A server with a scripted service, and a client to call it.
//!
//! The client is the generated one over a bare HTTP/2 connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::restore_point_service_server::RestorePointServiceServer;
use restore_point_gateway::proto::{GetRequest, WatchStatusRequest};
use restore_point_gateway::server::{
    CallMetrics, Connections, Drain, Health, Limits, Listener, ServerExit, Shutdown, reflection,
    serve,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::pb::HealthCheckRequest;

pub(crate) use restore_point_test_support::http2_client::{Http2Client, http2_client, origin};
use restore_point_test_support::stub::Stub;
use restore_point_test_support::wait::in_time;

use super::scripted_service::ScriptedService;

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<CallMetrics>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) shutdown: Shutdown,
    /// Cancelled when a handler that never returns is dropped.
    pub(crate) dropped: CancellationToken,
    pub(crate) serving: JoinHandle<ServerExit>,
}

impl TestServer {
    /// On a free port, with a grace period that no test waits for.
    pub(crate) async fn start() -> Self {
        Self::with_drain(Drain { grace: HOUR, ..Drain::default() }).await
    }

    pub(crate) async fn with_drain(drain: Drain) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        Self::on(Listener::tcp(socket), address, drain)
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let drain = Drain { grace: HOUR, ..Drain::default() };
        Self::start_on(Listener::tcp(socket), address, drain, limits)
    }

    pub(crate) fn on(listener: Listener, address: SocketAddr, drain: Drain) -> Self {
        Self::start_on(listener, address, drain, Limits::default())
    }

    fn start_on(listener: Listener, address: SocketAddr, drain: Drain, limits: Limits) -> Self {
        let shutdown = Shutdown::default();
        let health = Health::new(shutdown.draining.clone());
        let dropped = CancellationToken::new();
        let stub =
            Stub(ScriptedService { draining: shutdown.draining.clone(), dropped: dropped.clone() });
        let service =
            RestorePointServiceServer::new(stub).accept_compressed(CompressionEncoding::Gzip);
        let routes = Routes::new(service).add_service(health.service());
        let routes = reflection::add_to(routes).unwrap();
        let metrics = Arc::new(CallMetrics::new().unwrap());
        let connections = Connections::new(limits);
        let serving = tokio::spawn(serve(
            vec![listener],
            routes,
            health.clone(),
            Arc::clone(&metrics),
            Arc::clone(&connections),
            drain,
            shutdown.clone(),
        ));
        Self { address, health, metrics, connections, shutdown, dropped, serving }
    }

    pub(crate) async fn http2_client(&self) -> Http2Client {
        http2_client(TcpStream::connect(self.address).await.unwrap()).await
    }

    pub(crate) async fn client(&self) -> RestorePointServiceClient<Http2Client> {
        client(self.http2_client().await)
    }

    pub(crate) async fn stop(self) -> ServerExit {
        self.shutdown.requested.cancel();
        in_time(self.serving).await.unwrap()
    }
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn client(connection: Http2Client) -> RestorePointServiceClient<Http2Client> {
    RestorePointServiceClient::with_origin(connection, origin())
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

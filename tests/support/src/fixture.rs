//! A gateway for tests: both simulated vendors on a clock that the test advances, a gateway in front of them on a free
//! port, and a client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use restore_point_gateway::backend::{self, Backends, Registry, decorated};
use restore_point_gateway::config::PollPolicy;
use restore_point_gateway::model::{BackendId, Sealer, TokenKey};
use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::{self, ListRequest, ListResponse, RestorePoint};
use restore_point_gateway::server::{
    CallMetrics, Connections, Drain, Health, Limits, Listener, ServerExit, Shutdown, serve,
};
use restore_point_gateway::service::Gateway;
use restore_point_gateway::upstream::{Proxy, RateLimit, Trust};
use restore_point_gateway::watch::Hub;
use restore_point_sandbox::{CertificateAuthority, Clock, azure, veeam_em};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::http2_client::{Http2Client, http2_client, origin, with_timeout};
use crate::names::{azure_collection, azure_point};
use crate::wait::in_time;
use crate::watch::Watch;

/// A client of the gateway.
pub type Client = RestorePointServiceClient<Channel>;

/// The key of page and resume tokens, the same on all replicas.
pub const TOKEN_KEY: &[u8] = b"the key that all replicas share in tests";

/// A rate limit that no test reaches.
pub const UNLIMITED: RateLimit = RateLimit { per_second: 1e6, burst: u32::MAX };

/// The poll interval after a change of a watched target.
pub const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The id of the copy that [`TestGateway::start_copy`] starts.
pub const COPY_ID: &str = "the-copy";

/// The API version of the requests that tests send to ARM themselves.
const ARM_API_VERSION: &str = "2024-11-01";

/// Both simulated vendors, and one gateway with the backends `azure` and `veeam`.
pub struct TestGateway {
    /// The clock of both simulators.
    pub clock: Clock,
    /// The simulated Azure.
    pub azure: azure::Azure,
    /// The simulated Enterprise Manager.
    pub veeam: veeam_em::EnterpriseManager,
    /// The gateway.
    pub replica: Replica,
    authority: CertificateAuthority,
    rate_limit: RateLimit,
}

/// The settings of a [`TestGateway`] that a test can change.
pub struct TestSettings {
    /// The settings of the simulated Azure.
    pub azure: azure::Settings,
    /// The settings of the simulated Enterprise Manager.
    pub veeam: veeam_em::Settings,
    /// The rate limit of each backend.
    pub rate_limit: RateLimit,
}

impl TestGateway {
    /// Starts the vendors and the gateway with default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts the vendors and the gateway with changed settings.
    pub async fn start_with(change: impl FnOnce(&mut TestSettings)) -> Self {
        let clock = manual_clock();
        let mut settings = TestSettings {
            azure: azure::Settings { clock: clock.clone(), ..azure::Settings::default() },
            veeam: veeam_em::Settings::new(clock.clone()),
            rate_limit: UNLIMITED,
        };
        change(&mut settings);
        let TestSettings { azure, veeam, rate_limit } = settings;
        let authority = CertificateAuthority::generate().unwrap();
        let azure = azure::Azure::start(azure, &authority).unwrap();
        let veeam = veeam_em::EnterpriseManager::start(veeam).unwrap();
        let replica = Replica::start(registry(&azure, &veeam, &authority, rate_limit)).await;
        Self { clock, azure, veeam, replica, authority, rate_limit }
    }

    /// Starts another gateway in front of the same vendors.
    pub async fn start_replica(&self) -> Replica {
        let registry = registry(&self.azure, &self.veeam, &self.authority, self.rate_limit);
        Replica::start(registry).await
    }

    /// Shuts the gateway down and waits until it has drained.
    pub async fn stop(self) -> ServerExit {
        self.replica.stop().await
    }

    /// A client of the gateway.
    pub fn client(&self) -> Client {
        self.replica.client.clone()
    }

    /// A client on a connection of its own that leaves the deadline of its calls to the gateway.
    pub async fn bare_client(
        &self,
        timeout: Option<Duration>,
    ) -> RestorePointServiceClient<Http2Client> {
        let stream = TcpStream::connect(self.replica.address).await.unwrap();
        let mut connection = http2_client(stream).await;
        if let Some(timeout) = timeout {
            connection = with_timeout(connection, timeout);
        }
        RestorePointServiceClient::with_origin(connection, origin())
    }

    /// Calls Get in the default view.
    ///
    /// # Errors
    /// The status of the call.
    pub async fn get(&self, name: &str) -> Result<RestorePoint, Status> {
        let request = proto::GetRequest { name: name.to_owned(), view: 0 };
        self.client().get(request).await.map(Response::into_inner)
    }

    /// Calls List for one page.
    ///
    /// # Errors
    /// The status of the call.
    pub async fn list(&self, request: ListRequest) -> Result<ListResponse, Status> {
        self.client().list(request).await.map(Response::into_inner)
    }

    /// The restore points of all pages of List. Panics if a backend is unreachable or a page too large.
    pub async fn list_all(&self, mut request: ListRequest) -> Vec<RestorePoint> {
        let mut points = Vec::new();
        loop {
            let page = self.list(request.clone()).await.unwrap();
            let max = usize::try_from(request.page_size).unwrap();
            assert!(max == 0 || page.restore_points.len() <= max, "more than {max} on a page");
            points.extend(page.restore_points);
            assert!(page.unreachable.is_empty(), "{:?}", page.unreachable);
            if page.next_page_token.is_empty() {
                return points;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Calls WatchStatus.
    pub async fn watch(&self, request: proto::WatchStatusRequest) -> Watch {
        Watch::open(self.client(), request).await.unwrap()
    }

    /// Calls WatchStatus and drops its events up to SYNCED.
    pub async fn synced_watch(&self, request: proto::WatchStatusRequest) -> Watch {
        let mut watch = self.watch(request).await;
        watch.synced().await;
        watch
    }

    /// Creates an Azure collection in `region` for copies of the points of the seeded collection. Returns its name.
    pub async fn create_target(&self, id: &str, region: &str) -> String {
        let request = proto::CreateCollectionRequest {
            parent: "backends/azure".to_owned(),
            collection_id: id.to_owned(),
            collection: Some(proto::Collection {
                location: region.to_owned(),
                source: azure_collection(&self.azure.seeded().collection),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.client().create_collection(request).await.unwrap().into_inner().name
    }

    /// Starts a copy of the seeded Azure point `index` into `destination`, under [`COPY_ID`].
    pub async fn start_copy(&self, index: usize, destination: &str) -> proto::CopyResponse {
        let request = proto::CopyRequest {
            source: azure_point(&self.azure.seeded().points[index]),
            destination: destination.to_owned(),
            restore_point_id: COPY_ID.to_owned(),
            ..Default::default()
        };
        self.client().copy(request).await.unwrap().into_inner()
    }

    /// Injects a fault into the vendor of a backend, in the notation of the sandbox: `GET /query times=2 status=503`.
    pub fn inject_fault(&self, backend: &str, fault: &str) {
        match backend {
            "azure" => self.azure.add_fault(fault.parse().unwrap()),
            "veeam" => self.veeam.add_fault(fault.parse().unwrap()),
            other => panic!("no backend `{other}`"),
        }
    }

    /// Removes all faults of both vendors.
    pub fn clear_faults(&self) {
        self.azure.clear_faults();
        self.veeam.clear_faults();
    }

    /// Sends a request with an empty JSON object to ARM, without the gateway. `target` is a resource id, with or
    /// without a query. Panics if the request fails.
    pub async fn arm(&self, method: Method, target: &str) -> reqwest::Response {
        self.send_to_arm(method, target, ARM_API_VERSION, "{}").await.error_for_status().unwrap()
    }

    /// PUTs a resource with a JSON body to ARM in an API version, without the gateway. Panics if the request fails.
    pub async fn put_to_arm(&self, id: &str, api_version: &str, body: String) {
        let response = self.send_to_arm(Method::PUT, id, api_version, body).await;
        response.error_for_status().unwrap();
    }

    /// Whether ARM has the resource with this id.
    pub async fn exists_in_arm(&self, id: &str) -> bool {
        self.send_to_arm(Method::GET, id, ARM_API_VERSION, "{}").await.status().is_success()
    }

    async fn send_to_arm(
        &self,
        method: Method,
        target: &str,
        api_version: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Response {
        let separator = if target.contains('?') { '&' } else { '?' };
        let endpoint = self.azure.endpoint();
        let url = format!("{endpoint}{target}{separator}api-version={api_version}");
        let root = reqwest::Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        let request = client.request(method, url).bearer_auth(self.azure.static_token());
        let request = request.header("content-type", "application/json").body(body);
        request.send().await.unwrap()
    }
}

/// A running gateway. Replicas have the same token key and share nothing else.
pub struct Replica {
    /// Where it listens.
    pub address: SocketAddr,
    /// A client of it.
    pub client: Client,
    /// The hub of its watches.
    pub hub: Hub,
    /// Shuts it down.
    pub shutdown: Shutdown,
    serving: JoinHandle<ServerExit>,
}

impl Replica {
    /// Starts a gateway with these backends on a free port. It polls every 10 to 50 ms and has no lame duck period.
    pub async fn start(registry: Registry) -> Self {
        let sealer = Arc::new(Sealer::new(TokenKey::new(TOKEN_KEY).unwrap(), Vec::new()));
        let policy = PollPolicy {
            min_interval: MIN_POLL_INTERVAL,
            max_interval: Duration::from_millis(50),
            progress_interval: Duration::from_millis(50),
            idle_ttl: Duration::from_millis(10),
        };
        let hub = Hub::new(registry.clone(), policy);
        let shutdown = Shutdown::default();
        let gateway = Gateway::new(registry, sealer, hub.clone(), shutdown.draining.clone());
        let health = Health::new(shutdown.draining.clone());
        let routes = gateway.into_routes().add_service(health.service());
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let drain = Drain { grace: Duration::from_secs(5), ..Drain::default() };
        let listeners = vec![Listener::tcp(socket)];
        let calls = Arc::new(CallMetrics::new().unwrap());
        let connections = Connections::new(Limits::default());
        let serving = serve(listeners, routes, health, calls, connections, drain, shutdown.clone());
        let serving = tokio::spawn(serving);
        let client = Client::connect(format!("http://{address}")).await.unwrap();
        Self { address, client, hub, shutdown, serving }
    }

    /// Shuts it down and waits until it has drained.
    pub async fn stop(self) -> ServerExit {
        self.shutdown.requested.cancel();
        in_time(self.serving).await.unwrap()
    }
}

/// A clock that stands still until the test advances it.
pub fn manual_clock() -> Clock {
    Clock::manual("2026-03-01T12:00:00Z".parse().unwrap())
}

/// The settings of a backend for a simulated Azure: a client secret, the default API version and no rate limit.
pub fn azure_backend(
    id: &str,
    simulator: &azure::Azure,
    authority: &CertificateAuthority,
) -> backend::azure::Settings {
    backend::azure::Settings {
        id: BackendId::new(id).unwrap(),
        subscription_id: simulator.subscription_id().to_owned(),
        endpoint: simulator.endpoint().parse().unwrap(),
        authority: simulator.authority_host().parse().unwrap(),
        api_version: backend::azure::DEFAULT_API_VERSION.to_owned(),
        credential: backend::azure::Credential::ClientSecret {
            tenant_id: simulator.tenant_id().to_owned(),
            client_id: simulator.client_id().to_owned(),
            secret: simulator.client_secret().into(),
        },
        trust: Trust::PlatformAnd(authority.pem().into_bytes()),
        proxy: Proxy::Direct,
        rate_limit: UNLIMITED,
    }
}

/// The settings of a backend for a simulated Enterprise Manager: the user of the whole server and no rate limit.
pub fn veeam_backend(
    id: &str,
    simulator: &veeam_em::EnterpriseManager,
) -> backend::veeam_em::Settings {
    backend::veeam_em::Settings {
        id: BackendId::new(id).unwrap(),
        url: simulator.url().parse().unwrap(),
        username: simulator.username().to_owned(),
        password: simulator.password().into(),
        tenant: None,
        trust: Trust::pin(simulator.certificate_der()),
        proxy: Proxy::Direct,
        rate_limit: UNLIMITED,
    }
}

/// The backends `azure` and `veeam` of a gateway in front of these vendors.
pub fn registry(
    azure: &azure::Azure,
    veeam: &veeam_em::EnterpriseManager,
    authority: &CertificateAuthority,
    rate_limit: RateLimit,
) -> Registry {
    let azure = backend::azure::Settings { rate_limit, ..azure_backend("azure", azure, authority) };
    let veeam = backend::veeam_em::Settings { rate_limit, ..veeam_backend("veeam", veeam) };
    let (azure_id, veeam_id) = (azure.id.clone(), veeam.id.clone());
    let azure = backend::azure::Azure::new(azure).unwrap();
    let veeam = backend::veeam_em::VeeamEm::new(veeam).unwrap();
    Registry::new(Backends::from([
        (azure_id, decorated(Arc::new(azure))),
        (veeam_id, decorated(Arc::new(veeam))),
    ]))
}

//! A whole gateway for a test: both simulators on a clock moved by hand, the gateway in front of them on a
//! free port, and a client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use restore_point_gateway::backend::{Backends, Registry, decorated};
use restore_point_gateway::config::PollPolicy;
use restore_point_gateway::model::{BackendId, Sealer};
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::{self, ListRequest, RestorePoint, WatchStatusResponse};
use restore_point_gateway::server::{self, CallMetrics, Drain, Health, Listener, Shutdown};
use restore_point_gateway::service::Gateway;
use restore_point_gateway::watch::Hub;
use restore_point_gateway::{backend, upstream};
use restore_point_sandbox::{self as sandbox, CertificateAuthority, Clock};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

pub type Client = RestorePointServiceClient<Channel>;

/// No test waits longer for anything: a hang becomes a failure that names its place.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const TOKEN_KEY: &[u8] = b"the key that all replicas share in tests";

/// Both vendors and one gateway in front of them.
pub struct TestGateway {
    pub clock: Clock,
    pub azure: sandbox::azure::Azure,
    pub veeam: sandbox::veeam_em::EnterpriseManager,
    pub address: SocketAddr,
    pub client: Client,
    pub hub: Hub,
    pub shutdown: Shutdown,
    authority: CertificateAuthority,
    rate_limit: upstream::RateLimit,
    served: JoinHandle<server::ServerExit>,
}

/// What differs from the usual set-up.
pub struct Plan {
    pub azure: sandbox::azure::Settings,
    pub veeam: sandbox::veeam_em::Settings,
    /// What each gateway may ask of each vendor.
    pub rate_limit: upstream::RateLimit,
}

impl TestGateway {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let mut plan = Plan {
            azure: sandbox::azure::Settings {
                clock: clock.clone(),
                ..sandbox::azure::Settings::default()
            },
            veeam: sandbox::veeam_em::Settings::new(clock.clone()),
            rate_limit: upstream::RateLimit { per_second: 1e6, burst: u32::MAX },
        };
        change(&mut plan);
        let authority = CertificateAuthority::generate().unwrap();
        let azure = sandbox::azure::Azure::start(plan.azure, &authority).unwrap();
        let veeam = sandbox::veeam_em::EnterpriseManager::start(plan.veeam).unwrap();
        let rate_limit = plan.rate_limit;
        let replica = Replica::start(registry(&azure, &veeam, &authority, rate_limit)).await;
        let Replica { address, client, hub, shutdown, served } = replica;
        Self { clock, azure, veeam, address, client, hub, shutdown, authority, rate_limit, served }
    }

    /// A second gateway in front of the same vendors.
    pub async fn another_replica(&self) -> Replica {
        let backends = registry(&self.azure, &self.veeam, &self.authority, self.rate_limit);
        Replica::start(backends).await
    }

    /// A plain HTTP client, to be the vendor's other customer.
    pub fn vendor_client(&self) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).build().unwrap()
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Tells the gateway to stop, and waits until it has.
    pub async fn stop(self) -> server::ServerExit {
        self.shutdown.requested.cancel();
        timeout(PATIENCE, self.served).await.expect("the gateway stops").unwrap()
    }

    /// The name of the collection with this ARM id.
    pub fn azure_collection(id: &str) -> String {
        let parts: Vec<&str> = id.split('/').collect();
        format!("backends/azure/collections/{}~{}", parts[4].to_lowercase(), parts[8])
    }

    /// The name of the point with this ARM id.
    pub fn azure_point(id: &str) -> String {
        let point = id.rsplit('/').next().unwrap();
        format!("{}/restorePoints/{point}", Self::azure_collection(id))
    }

    pub async fn get(&self, name: &str) -> Result<RestorePoint, Status> {
        let request = proto::GetRequest { name: name.to_owned(), view: 0 };
        self.client().get(request).await.map(tonic::Response::into_inner)
    }

    /// A new collection in `region` that takes copies of the seeded one; its name.
    pub async fn target(&self, id: &str, region: &str) -> String {
        let request = proto::CreateCollectionRequest {
            parent: "backends/azure".to_owned(),
            collection_id: id.to_owned(),
            collection: Some(proto::Collection {
                location: region.to_owned(),
                source: Self::azure_collection(&self.azure.seeded().collection),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.client().create_collection(request).await.unwrap().into_inner().name
    }

    /// Starts a copy of the seeded point `index` into `destination`.
    pub async fn copy(&self, index: usize, destination: &str) -> proto::CopyResponse {
        let request = proto::CopyRequest {
            source: Self::azure_point(&self.azure.seeded().points[index]),
            destination: destination.to_owned(),
            restore_point_id: "the-copy".to_owned(),
            ..Default::default()
        };
        self.client().copy(request).await.unwrap().into_inner()
    }

    pub async fn watch(&self, request: proto::WatchStatusRequest) -> Watch {
        watch(self.client(), request).await.unwrap()
    }

    /// All points under `parent`, page by page.
    pub async fn list_all(&self, request: ListRequest) -> Vec<RestorePoint> {
        let mut points = Vec::new();
        let mut request = request;
        loop {
            let page = self.client().list(request.clone()).await.unwrap().into_inner();
            let most = usize::try_from(request.page_size).unwrap();
            assert!(most == 0 || page.restore_points.len() <= most, "more than {most} on a page");
            points.extend(page.restore_points);
            assert!(page.unreachable.is_empty(), "{:?}", page.unreachable);
            if page.next_page_token.is_empty() {
                return points;
            }
            request.page_token = page.next_page_token;
        }
    }
}

/// A gateway of its own.
pub struct Replica {
    pub address: SocketAddr,
    pub client: Client,
    pub hub: Hub,
    pub shutdown: Shutdown,
    pub served: JoinHandle<server::ServerExit>,
}

impl Replica {
    pub async fn start(registry: Registry) -> Self {
        let sealer = Arc::new(Sealer::new(TOKEN_KEY).unwrap());
        let policy = PollPolicy {
            min_interval: Duration::from_millis(10),
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
        let drain = Drain { lame_duck: Duration::ZERO, grace: Duration::from_secs(5) };
        let listeners = vec![Listener::tcp(socket)];
        let calls = Arc::new(CallMetrics::new().unwrap());
        let served =
            tokio::spawn(server::serve(listeners, routes, health, calls, drain, shutdown.clone()));
        let client = Client::connect(format!("http://{address}")).await.unwrap();
        Self { address, client, hub, shutdown, served }
    }
}

/// The backends `azure` and `veeam` over running simulators.
pub fn registry(
    azure: &sandbox::azure::Azure,
    veeam: &sandbox::veeam_em::EnterpriseManager,
    authority: &CertificateAuthority,
    rate_limit: upstream::RateLimit,
) -> Registry {
    let azure_id = BackendId::new("azure").unwrap();
    let azure = backend::azure::Azure::new(backend::azure::Settings {
        id: azure_id.clone(),
        subscription_id: azure.subscription_id().to_owned(),
        endpoint: azure.endpoint().parse().unwrap(),
        authority: azure.authority_host().parse().unwrap(),
        api_version: backend::azure::DEFAULT_API_VERSION.to_owned(),
        credential: backend::azure::Credential::ClientSecret {
            tenant_id: azure.tenant_id().to_owned(),
            client_id: azure.client_id().to_owned(),
            secret: azure.client_secret().into(),
        },
        trust: upstream::Trust::PlatformAnd(authority.pem().into_bytes()),
        rate_limit,
    })
    .unwrap();
    let veeam_id = BackendId::new("veeam").unwrap();
    let veeam = backend::veeam_em::VeeamEm::new(backend::veeam_em::Settings {
        id: veeam_id.clone(),
        url: veeam.url().parse().unwrap(),
        username: veeam.username().to_owned(),
        password: veeam.password().into(),
        tenant: None,
        trust: upstream::Trust::pin(veeam.certificate_der()),
        rate_limit,
    })
    .unwrap();
    Registry::new(Backends::from([
        (azure_id, decorated(Arc::new(azure))),
        (veeam_id, decorated(Arc::new(veeam))),
    ]))
}

/// An open stream of events.
pub struct Watch(Streaming<WatchStatusResponse>);

pub async fn watch(
    mut client: Client,
    request: proto::WatchStatusRequest,
) -> Result<Watch, Status> {
    let stream =
        timeout(PATIENCE, client.watch_status(request)).await.expect("the stream opens")?;
    Ok(Watch(stream.into_inner()))
}

/// The state of the point that an event is about.
pub fn state(event: &WatchStatusResponse) -> Option<State> {
    event.restore_point.as_ref().map(|point| point.state())
}

impl Watch {
    /// The next event; none at the end.
    pub async fn next(&mut self) -> Result<Option<WatchStatusResponse>, Status> {
        timeout(PATIENCE, self.0.message()).await.expect("an event comes")
    }

    pub async fn event(&mut self) -> WatchStatusResponse {
        self.next().await.unwrap().expect("the stream goes on")
    }

    /// Skips events until one fits.
    pub async fn until(
        &mut self,
        fits: impl Fn(&WatchStatusResponse) -> bool,
    ) -> WatchStatusResponse {
        loop {
            let event = self.event().await;
            if fits(&event) {
                return event;
            }
        }
    }
}

/// Yields until `holds`: for what the gateway does by itself and tells nobody.
pub async fn eventually(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it comes true");
}

//! `sandbox`: both simulated vendors and the gateway in front of them, to try everything without either.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use tokio::net::TcpListener;
use url::Url;

use super::{Failure, access, run};
use crate::backend::azure::{self, Azure};
use crate::backend::veeam::{self, Veeam};
use crate::backend::{Backend, Backends, Registry};
use crate::http::{Rate, Trust};
use crate::model::{BackendId, Sealer};
use crate::sandbox::{Admin, Authority, Clock, FaultOrder};
use crate::server::{Drain, Listener, telemetry};
use crate::{sandbox, watch};

/// The simulated vendors' allowances are counted by their own clock; who tries out the gateway is not to meet
/// its budget first.
const PLENTY: Rate = Rate { per_second: 10_000.0, burst: 10_000 };

/// What to simulate.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where the gateway listens.
    pub listen: SocketAddr,
    /// How many times faster than real time copies progress.
    pub speed: f64,
    /// How many points each vendor has beside the well-known ones.
    pub points: usize,
    /// The same seed gives the same points.
    pub seed: u64,
    /// The release that the simulated Enterprise Manager is of.
    pub veeam_product: sandbox::veeam::Product,
    /// Where to write how the simulated vendors themselves are reached, credentials included; nowhere
    /// if absent.
    pub write_access: Option<PathBuf>,
    /// Where the admin path listens, on loopback.
    pub admin: SocketAddr,
    /// Where the gateway shows its figures.
    pub metrics: SocketAddr,
    /// What goes wrong from the beginning.
    pub faults: Vec<FaultOrder>,
}

/// Runs the sandbox until it is told to stop.
///
/// # Errors
/// When the address cannot be listened on, or the access file cannot be written.
pub async fn sandbox(options: SandboxOptions) -> Result<(), Failure> {
    telemetry::init(telemetry::Format::Text).map_err(Failure::other)?;
    let clock = Clock::running(options.speed);
    let authority = Authority::generate().map_err(Failure::other)?;
    let azure = sandbox::azure::Azure::start(
        sandbox::azure::Settings {
            clock: clock.clone(),
            points: options.points,
            seed: options.seed,
            copy_operation: long_enough_to_see(options.speed),
            ..sandbox::azure::Settings::default()
        },
        &authority,
    )
    .map_err(Failure::other)?;
    let veeam = sandbox::veeam::EnterpriseManager::start(sandbox::veeam::Settings {
        points: options.points,
        seed: options.seed,
        product: options.veeam_product,
        // So that links can be followed by whoever tries them out.
        hrefs: sandbox::veeam::Hrefs::AsAsked,
        idle_timeout: visitors_time(SESSION_IDLE, options.speed),
        ..sandbox::veeam::Settings::new(clock.clone())
    })
    .map_err(Failure::other)?;

    for order in options.faults {
        match order {
            FaultOrder::Azure(rule) => azure.add_fault(rule),
            FaultOrder::Veeam(rule) => veeam.add_fault(rule),
        }
    }

    let registry = Registry::new(Backends::from([
        backend("azure", |id| azure_backend(id, &azure, &authority))?,
        backend("veeam", |id| veeam_backend(id, &veeam))?,
    ]));
    let (listener, address) = listen("--listen", options.listen).await?;
    let (metrics, metrics_address) = listen("--metrics", options.metrics).await?;
    if let Some(path) = &options.write_access {
        access::write(path, &azure, &authority, &veeam).map_err(|error| {
            Failure::Other(format!("cannot write --write-access {}: {error}", path.display()))
        })?;
    }
    let (azure, veeam) = (Arc::new(azure), Arc::new(veeam));
    let admin = Admin::start(options.admin, Arc::clone(&azure), Arc::clone(&veeam), clock).await;
    let admin = admin.map_err(|error| {
        Failure::Other(format!(
            "cannot listen on {}: {error}; choose another --admin",
            options.admin
        ))
    })?;
    let metrics_url = format!("http://{metrics_address}/metrics");
    announce(address, &azure.endpoint(), &veeam.url(), &admin.url(), &metrics_url)
        .map_err(Failure::other)?;
    run::run(run::Parts {
        registry,
        sealer: Sealer::random().map_err(Failure::Other)?,
        watch: pace(options.speed).into(),
        listeners: vec![Listener::tcp(listener)],
        metrics: Some(Listener::tcp(metrics)),
        reload: None,
        drain: Drain { notice: Duration::ZERO, grace: Duration::from_secs(5) },
    })
    .await
}

async fn listen(argument: &str, on: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let refuse = |error| {
        Failure::Other(format!("cannot listen on {on}: {error}; choose another {argument}"))
    };
    let listener = TcpListener::bind(on).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    Ok((listener, address))
}

fn backend<B: Backend + 'static>(
    id: &str,
    build: impl FnOnce(BackendId) -> Result<B, Failure>,
) -> Result<(BackendId, Arc<dyn Backend>), Failure> {
    let id = BackendId::new(id).map_err(Failure::Other)?;
    Ok((id.clone(), Arc::new(build(id)?)))
}

fn azure_backend(
    id: BackendId,
    azure: &sandbox::azure::Azure,
    authority: &Authority,
) -> Result<Azure, Failure> {
    Azure::new(azure::Settings {
        id,
        subscription_id: azure.subscription_id().to_owned(),
        endpoint: url(&azure.endpoint())?,
        authority: url(&azure.authority_host())?,
        api_version: azure::DEFAULT_API_VERSION.to_owned(),
        credential: azure::Credential::ClientSecret {
            tenant_id: azure.tenant_id().to_owned(),
            client_id: azure.client_id().to_owned(),
            secret: SecretString::from(azure.client_secret()),
        },
        trust: Trust::PlatformAnd(authority.pem().into_bytes()),
        rate: PLENTY,
    })
    .map_err(Failure::other)
}

fn veeam_backend(
    id: BackendId,
    veeam: &sandbox::veeam::EnterpriseManager,
) -> Result<Veeam, Failure> {
    Veeam::new(veeam::Settings {
        id,
        url: url(&veeam.url())?,
        username: veeam.username().to_owned(),
        password: SecretString::from(veeam.password()),
        tenant: None,
        trust: Trust::pin(veeam.certificate_der()),
        rate: PLENTY,
    })
    .map_err(Failure::other)
}

fn url(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(Failure::other)
}

/// Vendors are read as much oftener as their time runs faster, within what loopback takes.
fn pace(speed: f64) -> watch::Pace {
    let real = watch::Pace { progress: azure::PROGRESS_EVERY, ..watch::Pace::default() };
    let scaled = |pause: Duration| pause.div_f64(speed.max(1.0)).max(Duration::from_millis(100));
    watch::Pace {
        quickest: scaled(real.quickest),
        slowest: scaled(real.slowest),
        progress: scaled(real.progress),
        ..real
    }
}

/// At ARM a copy is being created for some 6 s. Sped up, nobody would see it: it is kept at 6 s of the
/// visitor's own time, up to a speed at which nobody can be watching.
fn long_enough_to_see(speed: f64) -> SignedDuration {
    visitors_time(6.0, speed.clamp(1.0, 100.0))
}

/// Seconds by the clock of whoever visits the sandbox, as simulated time: a logon session is kept alive by
/// its holder, who counts 15 minutes by that clock.
fn visitors_time(seconds: f64, speed: f64) -> SignedDuration {
    SignedDuration::from_secs_f64(seconds * speed)
}

/// After so many seconds without a request a session of Enterprise Manager is over.
const SESSION_IDLE: f64 = 15.0 * 60.0;

/// Addresses first, each on a line of its own for scripts; then what to paste.
fn announce(
    gateway: SocketAddr,
    azure: &str,
    veeam: &str,
    admin: &str,
    metrics: &str,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "gateway   {gateway}\nazure     {azure}\nveeam     {veeam}\nadmin     {admin}\n\
         metrics   {metrics}\n"
    )?;
    writeln!(out, "Try, in another shell:\n  grpcurl -plaintext {gateway} list")?;
    for (method, request) in TRY {
        let method = format!("restorepoint.v1.RestorePointService/{method}");
        writeln!(out, "  grpcurl -plaintext -d '{request}' \\\n    {gateway} {method}")?;
    }
    writeln!(out, "\nWhat can go wrong, and how to have it go wrong:\n  curl {admin}")?;
    writeln!(out, "\nWhat all of this costs, in figures for Prometheus:\n  curl {metrics}")?;
    writeln!(out, "\nCtrl-C ends it; nothing is kept.")?;
    out.flush()
}

/// A walk through the service: from what there is, by a copy, to what one vendor cannot do.
const TRY: [(&str, &str); 5] = [
    ("List", r#"{"parent": "backends/-/collections/-"}"#),
    (
        "CreateCollection",
        r#"{"parent": "backends/azure", "collection_id": "rg-prod~rpc-north", "collection": {"location": "northeurope", "source": "backends/azure/collections/rg-prod~rpc-db01"}}"#,
    ),
    (
        "Copy",
        r#"{"source": "backends/azure/collections/rg-prod~rpc-db01/restorePoints/db01-day6", "destination": "backends/azure/collections/rg-prod~rpc-north", "restore_point_id": "day6"}"#,
    ),
    (
        "WatchStatus",
        r#"{"names": ["backends/azure/collections/rg-prod~rpc-north/restorePoints/day6"]}"#,
    ),
    (
        "Copy",
        r#"{"source": "backends/veeam/collections/-/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84"}"#,
    ),
];

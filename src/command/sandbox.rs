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

use super::{CommandError, access, run};
use crate::backend::azure::{self, Azure};
use crate::backend::veeam_em::{self, VeeamEm};
use crate::backend::{Backend, Backends, Registry, decorated};
use crate::config::PollPolicy;
use crate::model::{BackendId, Sealer};
use crate::server::{Drain, Listener, telemetry};
use crate::upstream::{RateLimit, Trust};
use restore_point_sandbox as sandbox;
use restore_point_sandbox::{Admin, Authority, Clock, FaultOrder};

/// The simulated vendors' allowances are counted by their own clock; who tries out the gateway is not to meet
/// its budget first.
const PLENTY: RateLimit = RateLimit { per_second: 10_000.0, burst: 10_000 };

/// What to simulate.
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxArguments {
    /// Where the gateway listens.
    #[arg(long, default_value = "127.0.0.1:50051", value_name = "ADDR")]
    listen: SocketAddr,
    /// How many times faster than real time copies progress.
    #[arg(long, default_value_t = 60.0, value_name = "FACTOR", value_parser = speed)]
    speed: f64,
    /// How many restore points each vendor has beside the well-known ones.
    #[arg(long, default_value_t = 40, value_name = "N")]
    points: usize,
    /// The same seed gives the same restore points.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// The product release of the simulated Enterprise Manager, 12 or 13; its JSON differs.
    #[arg(long, default_value = "13", value_name = "N", value_parser = veeam_product)]
    veeam_product: sandbox::veeam_em::Product,
    /// Write addresses and throw-away credentials of the simulated vendors to this file (JSON).
    #[arg(long, value_name = "FILE")]
    write_access: Option<PathBuf>,
    /// Where the admin path listens: faults, clocks and call counts, at any time.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    admin: SocketAddr,
    /// Where the gateway shows its figures for Prometheus.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    metrics: SocketAddr,
    /// Something that goes wrong from the beginning; may be given more than once. The admin path
    /// has the list of all words.
    #[arg(long = "fault", value_name = "FAULT", long_help = FAULT)]
    faults: Vec<FaultOrder>,
}

const FAULT: &str = "\
Something that goes wrong from the beginning; may be given more than once.

  'VENDOR: [METHOD] [/PATH] WORD...', of which the first that matches and is not used up hits a request

Which requests: GET, /part/of/path?or=query, skip=N (not the first N), times=N (else all)
What happens:   latency_ms=N, status=N retry_after=SECONDS, html, body=\"...\" header=\"Name: value\",
                content_type=TYPE, bytes_per_second=N, chunked, truncate=N or N%,
                reset=before|during|after|N|N%, lose_reply, hang_up, silence,
                fail_creation=CODE message=\"...\" (azure)

  --fault 'veeam: GET /query skip=1 times=1 status=401'        401 in the middle of a list
  --fault 'azure: times=20 status=429 retry_after=3'           a burst of throttling
  --fault 'azure: PUT /restorePoints/ times=1 lose_reply'      a copy whose reply is lost
  --fault 'veeam: GET latency_ms=500 bytes_per_second=2000'    a slow line
  --fault 'azure: GET /operations/ truncate=50%'               half a body under a whole length

The admin path changes all of it while the sandbox runs.";

/// Runs the sandbox until it is told to stop.
///
/// # Errors
/// When the address cannot be listened on, or the access file cannot be written.
pub async fn sandbox(options: SandboxArguments) -> Result<(), CommandError> {
    telemetry::init(telemetry::Format::Text).map_err(CommandError::other)?;
    let clock = Clock::running(options.speed);
    let authority = Authority::generate().map_err(CommandError::other)?;
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
    .map_err(CommandError::other)?;
    let veeam = sandbox::veeam_em::EnterpriseManager::start(sandbox::veeam_em::Settings {
        points: options.points,
        seed: options.seed,
        product: options.veeam_product,
        // So that links can be followed by whoever tries them out.
        hrefs: sandbox::veeam_em::Hrefs::AsAsked,
        idle_timeout: visitors_time(SESSION_IDLE, options.speed),
        ..sandbox::veeam_em::Settings::new(clock.clone())
    })
    .map_err(CommandError::other)?;

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
            CommandError::Other(format!("cannot write --write-access {}: {error}", path.display()))
        })?;
    }
    let (azure, veeam) = (Arc::new(azure), Arc::new(veeam));
    let admin = Admin::start(options.admin, Arc::clone(&azure), Arc::clone(&veeam), clock).await;
    let admin = admin.map_err(|error| {
        CommandError::Other(format!(
            "cannot listen on {}: {error}; choose another --admin",
            options.admin
        ))
    })?;
    let metrics_url = format!("http://{metrics_address}/metrics");
    announce(address, &azure.endpoint(), &veeam.url(), &admin.url(), &metrics_url)
        .map_err(CommandError::other)?;
    run::run(run::Parts {
        registry,
        sealer: Sealer::random().map_err(CommandError::other)?,
        policies: poll_policy(options.speed).into(),
        listeners: vec![Listener::tcp(listener)],
        metrics: Some(Listener::tcp(metrics)),
        reload: None,
        drain: Drain { lame_duck: Duration::ZERO, grace: Duration::from_secs(5) },
    })
    .await
}

async fn listen(argument: &str, on: SocketAddr) -> Result<(TcpListener, SocketAddr), CommandError> {
    let refuse = |error| {
        CommandError::Other(format!("cannot listen on {on}: {error}; choose another {argument}"))
    };
    let listener = TcpListener::bind(on).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    Ok((listener, address))
}

fn backend<B: Backend + 'static>(
    id: &str,
    build: impl FnOnce(BackendId) -> Result<B, CommandError>,
) -> Result<(BackendId, Arc<dyn Backend>), CommandError> {
    let id = BackendId::new(id).map_err(CommandError::Other)?;
    Ok((id.clone(), decorated(Arc::new(build(id)?))))
}

fn azure_backend(
    id: BackendId,
    azure: &sandbox::azure::Azure,
    authority: &Authority,
) -> Result<Azure, CommandError> {
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
        rate_limit: PLENTY,
    })
    .map_err(CommandError::other)
}

fn veeam_backend(
    id: BackendId,
    veeam: &sandbox::veeam_em::EnterpriseManager,
) -> Result<VeeamEm, CommandError> {
    VeeamEm::new(veeam_em::Settings {
        id,
        url: url(&veeam.url())?,
        username: veeam.username().to_owned(),
        password: SecretString::from(veeam.password()),
        tenant: None,
        trust: Trust::pin(veeam.certificate_der()),
        rate_limit: PLENTY,
    })
    .map_err(CommandError::other)
}

fn url(text: &str) -> Result<Url, CommandError> {
    Url::parse(text).map_err(CommandError::other)
}

/// Targets are polled more often by the factor that time runs faster, within what loopback allows.
fn poll_policy(speed: f64) -> PollPolicy {
    let real = PollPolicy { progress_interval: Duration::from_secs(600), ..PollPolicy::default() };
    let scaled = |pause: Duration| pause.div_f64(speed.max(1.0)).max(Duration::from_millis(100));
    PollPolicy {
        min_interval: scaled(real.min_interval),
        max_interval: scaled(real.max_interval),
        progress_interval: scaled(real.progress_interval),
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

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 && speed <= 1e6 => Ok(speed),
        _ => Err("it must be a number above 0, up to 1000000".to_owned()),
    }
}

fn veeam_product(text: &str) -> Result<sandbox::veeam_em::Product, String> {
    match text {
        "12" => Ok(sandbox::veeam_em::Product::V12),
        "13" => Ok(sandbox::veeam_em::Product::V13),
        _ => Err("it must be 12 or 13".to_owned()),
    }
}

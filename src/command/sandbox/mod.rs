//! `sandbox`: the simulated vendors and the gateway in front of them, to try everything without a vendor.

mod access_file;
mod announcement;
mod arguments;
mod azure;
mod backend_settings;
mod simulation;
mod veeam_em;
mod vendors;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use restore_point_sandbox::{Admin, CertificateAuthority, Clock, FaultSpec, SimulatedVendor};
use tokio::net::TcpListener;

use self::announcement::Addresses;
pub use self::arguments::SandboxArguments;
use self::simulation::{Simulation, StartedVendor};
use self::vendors::VENDORS;
use super::error::CommandError;
use super::{limits, run};
use crate::backend::{Backends, KINDS, KindEntry, Registry, decorated};
use crate::config::{DrainConfig, LimitsConfig, PollPolicy};
use crate::model::{BackendId, Sealer, TokenKey};
use crate::server::{Listener, telemetry};

/// Runs the sandbox until a signal stops it.
///
/// # Errors
/// When an address cannot be bound, or the access file cannot be written.
pub async fn sandbox(arguments: SandboxArguments) -> Result<(), CommandError> {
    telemetry::init(telemetry::Format::Text).map_err(CommandError::other)?;
    let clock = Clock::running(arguments.speed);
    let simulation = Simulation {
        clock: clock.clone(),
        ca: CertificateAuthority::generate().map_err(CommandError::other)?,
        speed: arguments.speed,
        points: arguments.points,
        seed: arguments.seed,
        veeam_product: arguments.veeam_product,
    };
    let (vendors, backends) = start_vendors(&simulation)?;
    inject(&arguments.faults, &vendors)?;

    let (listener, gateway) = listen("--listen", arguments.listen).await?;
    if !gateway.ip().is_loopback() {
        tracing::warn!(
            address = %gateway,
            "the sandbox listens on a non-loopback address: any client that reaches this port can call the \
             gateway without credentials"
        );
    }
    let (metrics, metrics_address) = listen("--metrics", arguments.metrics).await?;
    if let Some(path) = &arguments.write_access {
        access_file::write(path, &vendors).map_err(|error| {
            CommandError::Other(format!("cannot write --write-access {}: {error}", path.display()))
        })?;
    }
    let admin = Admin::start(arguments.admin, vendors.clone(), clock).await;
    let admin = admin.map_err(|error| cannot_listen("--admin", arguments.admin, &error))?;
    announcement::print(&Addresses {
        gateway,
        vendors: &vendors,
        admin: admin.url(),
        metrics: format!("http://{metrics_address}/metrics"),
    })
    .map_err(CommandError::other)?;
    let policies = backends.iter().filter_map(|(id, backend)| {
        let kind = KINDS.iter().find(|entry| entry.kind == backend.kind())?;
        Some((id.clone(), poll_policy(kind, arguments.speed)))
    });
    let policies = policies.collect();
    run::run(run::Parts {
        registry: Registry::new(backends),
        sealer: Arc::new(Sealer::new(TokenKey::random().map_err(CommandError::other)?, Vec::new())),
        policies,
        listeners: vec![Listener::tcp(listener)],
        metrics: Some(Listener::tcp(metrics)),
        certificate_expiry: None,
        limits: limits::server_limits(LimitsConfig::default()),
        reload: None,
        drain: DrainConfig { lame_duck: Duration::ZERO, grace: Duration::from_secs(5) },
    })
    .await
}

/// The running simulators, and the backends in front of them.
fn start_vendors(
    simulation: &Simulation,
) -> Result<(Vec<Arc<dyn SimulatedVendor>>, Backends), CommandError> {
    let (mut vendors, mut backends) = (Vec::new(), Backends::new());
    for vendor in VENDORS {
        let id = BackendId::new(vendor.info.name()).map_err(CommandError::Other)?;
        let StartedVendor { simulator, backend } = (vendor.start)(id.clone(), simulation)?;
        vendors.push(simulator);
        backends.insert(id, decorated(backend));
    }
    Ok((vendors, backends))
}

fn inject(faults: &[FaultSpec], vendors: &[Arc<dyn SimulatedVendor>]) -> Result<(), CommandError> {
    for vendor in vendors {
        let name = vendor.info().name();
        for fault in faults.iter().filter(|fault| fault.vendor() == name) {
            vendor.traffic().add_fault(fault.fields().clone()).map_err(CommandError::other)?;
        }
    }
    Ok(())
}

async fn listen(
    argument: &str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), CommandError> {
    let failure = |error| cannot_listen(argument, address, &error);
    let listener = TcpListener::bind(address).await.map_err(failure)?;
    let bound = listener.local_addr().map_err(failure)?;
    Ok((listener, bound))
}

fn cannot_listen(
    argument: &str,
    address: SocketAddr,
    error: &dyn std::fmt::Display,
) -> CommandError {
    CommandError::Other(format!("cannot listen on {address}: {error}; choose another {argument}"))
}

/// The poll intervals of a kind, shortened by the speed of the simulated time, but not below what loopback can sustain.
fn poll_policy(kind: &KindEntry, speed: f64) -> PollPolicy {
    let real = kind.default_poll_policy();
    let scaled = |pause: Duration| pause.div_f64(speed.max(1.0)).max(Duration::from_millis(100));
    PollPolicy {
        min_interval: scaled(real.min_interval),
        max_interval: scaled(real.max_interval),
        progress_interval: scaled(real.progress_interval),
        ..real
    }
}

//! The admin path of the sandbox: what goes wrong at the vendors, what time it is there, and what they were
//! asked, over plain HTTP on loopback.
//!
//! It takes JSON or the words of the command line and answers in JSON. There is no access control: whoever
//! is on the machine may break the simulated vendors.

mod clock;
mod desk;
mod faults;
mod reply;
mod switches;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) use self::desk::Desk;
use self::reply::{Refused, not_found};
use super::azure::{self, Azure};
use super::fault::{Complaint, Fields, Rule};
use super::veeam_em::{self, EnterpriseManager};
use super::{Clock, StartError};

/// A running admin path; it stops when this is dropped.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

/// What it administers.
#[derive(Clone)]
struct Sandbox {
    azure: Arc<Azure>,
    veeam: Arc<EnterpriseManager>,
    clock: Clock,
}

impl Sandbox {
    fn desk(&self, vendor: &str) -> Result<Arc<dyn Desk>, Refused> {
        match vendor {
            "azure" => Ok(self.azure.desk()),
            "veeam" => Ok(self.veeam.desk()),
            other => Err(not_found("vendor", format!("there is no '{other}'"), VENDORS)),
        }
    }
}

const VENDORS: &str = "the vendors are azure and veeam";

impl Admin {
    /// Administers both vendors, which live in the time of `clock`.
    ///
    /// # Errors
    /// When the address cannot be listened on, or is not of this machine alone.
    pub async fn start(
        address: SocketAddr,
        azure: Arc<Azure>,
        veeam: Arc<EnterpriseManager>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        if !address.ip().is_loopback() {
            return Err(format!("{address} is no loopback address; give 127.0.0.1:PORT").into());
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let help = HELP.replace("127.0.0.1:PORT", &address.to_string());
        let router = router(help, Sandbox { azure, veeam, clock });
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the admin path stopped");
            }
        });
        Ok(Self { address, serving })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn router(help: String, sandbox: Sandbox) -> Router {
    Router::new()
        .route("/", get(async || help))
        .route("/clock", get(clock::show).post(clock::advance))
        .route("/{vendor}/clock", post(clock::skew))
        .route("/{vendor}/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/{vendor}/faults/{id}", get(faults::show).delete(faults::remove))
        .route("/{vendor}/calls", get(faults::calls).delete(faults::forget_calls))
        .route("/azure/failed_replications", post(switches::fail_replication))
        .route("/veeam/points", post(switches::add_point))
        .route("/veeam/points/{id}", post(switches::set_state).delete(switches::remove_point))
        .route("/veeam/sessions", delete(switches::expire_sessions))
        .fallback(async || not_found("path", "there is nothing here", "GET / says what there is"))
        .method_not_allowed_fallback(async || {
            let remedy = "GET / says what there is";
            let complaint = Complaint::new("method", "it cannot be used here", remedy);
            Refused(StatusCode::METHOD_NOT_ALLOWED, complaint)
        })
        .with_state(sandbox)
}

type Vendor = Path<String>;
type Here = State<Sandbox>;

/// What `curl http://127.0.0.1:PORT/` shows.
const HELP: &str = include_str!("help.txt");

/// A fault and the vendor it is for, as the command line has it: `azure: GET /operations/ status=502`.
#[derive(Debug, Clone)]
pub enum FaultOrder {
    /// For the simulated Azure.
    Azure(Rule<azure::Own>),
    /// For the simulated Enterprise Manager.
    Veeam(Rule<veeam_em::Own>),
}

impl FromStr for FaultOrder {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let unknown = |given: &str| {
            let remedy = "begin with 'azure:' or 'veeam:'";
            Complaint::new("vendor", format!("'{given}' is none"), remedy)
        };
        let (vendor, rule) = text.split_once(':').ok_or_else(|| unknown(text))?;
        match vendor.trim() {
            "azure" => rule.parse().map(Self::Azure),
            "veeam" => rule.parse().map(Self::Veeam),
            other => Err(unknown(other)),
        }
    }
}

fn fields(body: &str) -> Result<Fields, Refused> {
    Ok(Fields::parse(body)?)
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sandbox")
    }
}

//! The arguments of `sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;

use restore_point_sandbox::{FaultSpec, fault_vocabulary, veeam_em};

use super::vendors;

/// What to simulate, and where to listen.
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxArguments {
    /// The address of the gateway. It has neither TLS nor authentication.
    #[arg(long, default_value = "127.0.0.1:50051", value_name = "ADDR")]
    pub(super) listen: SocketAddr,
    /// How many times faster than real time copies progress.
    #[arg(long, default_value_t = 60.0, value_name = "FACTOR", value_parser = speed)]
    pub(super) speed: f64,
    /// The number of generated restore points of each vendor, in addition to the well-known ones.
    #[arg(long, default_value_t = 40, value_name = "N")]
    pub(super) points: usize,
    /// The same seed gives the same restore points.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
    /// The product release of the simulated Enterprise Manager, 12 or 13; its JSON differs.
    #[arg(long, default_value = "13", value_name = "N", value_parser = veeam_product)]
    pub(super) veeam_product: veeam_em::Product,
    /// Write the addresses and temporary credentials of the simulated vendors to this file (JSON).
    #[arg(long, value_name = "FILE")]
    pub(super) write_access: Option<PathBuf>,
    /// The address of the admin API: faults, clocks and call counts. It must be a loopback address.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub(super) admin: SocketAddr,
    /// The address of the gateway's metrics for Prometheus.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub(super) metrics: SocketAddr,
    /// A fault that is active from the start, as 'VENDOR: WORD...'; may be repeated. `--help` lists the
    /// words.
    #[arg(long = "fault", value_name = "FAULT", value_parser = fault, long_help = fault_help())]
    pub(super) faults: Vec<FaultSpec>,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 && speed <= 1e6 => Ok(speed),
        _ => Err("expected a number above 0, up to 1000000".to_owned()),
    }
}

fn veeam_product(text: &str) -> Result<veeam_em::Product, String> {
    match text {
        "12" => Ok(veeam_em::Product::V12),
        "13" => Ok(veeam_em::Product::V13),
        _ => Err("expected 12 or 13".to_owned()),
    }
}

fn fault(text: &str) -> Result<FaultSpec, restore_point_sandbox::fault::InvalidField> {
    FaultSpec::parse(text, &vendors::infos())
}

fn fault_help() -> String {
    let vocabulary = fault_vocabulary(&vendors::infos());
    format!(
        "\
A fault that is active from the start, as 'VENDOR: WORD...'; may be repeated.

{vocabulary}
Examples:
  --fault 'veeam: GET /query skip=1 times=1 status=401'        a 401 in the middle of a list
  --fault 'azure: times=20 status=429 retry_after=3'           a burst of throttling
  --fault 'azure: PUT /restorePoints/ times=1 lose_reply'      a copy with a lost reply
  --fault 'veeam: GET latency_ms=500 bytes_per_second=2000'    a slow connection
  --fault 'azure: GET /operations/ truncate=50%'               half of a body

The admin API changes the faults while the sandbox runs."
    )
}

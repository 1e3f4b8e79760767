//! What `sandbox` prints when it is ready: the addresses, and commands to try.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use restore_point_sandbox::SimulatedVendor;

/// Where everything listens.
pub(super) struct Addresses<'a> {
    pub(super) gateway: SocketAddr,
    pub(super) vendors: &'a [Arc<dyn SimulatedVendor>],
    pub(super) admin: String,
    pub(super) metrics: String,
}

/// Prints the addresses first, one line each, which scripts parse.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn print(addresses: &Addresses<'_>) -> io::Result<()> {
    let Addresses { gateway, vendors, admin, metrics } = addresses;
    let mut out = io::stdout().lock();
    writeln!(out, "{:<10}{gateway}", "gateway")?;
    for vendor in *vendors {
        writeln!(out, "{:<10}{}", vendor.info().name(), vendor.url())?;
    }
    writeln!(out, "{:<10}{admin}\n{:<10}{metrics}\n", "admin", "metrics")?;
    writeln!(out, "Try, in another shell:\n  grpcurl -plaintext {gateway} list")?;
    for (method, request) in EXAMPLES {
        let method = format!("restorepoint.v1.RestorePointService/{method}");
        writeln!(out, "  grpcurl -plaintext -d '{request}' \\\n    {gateway} {method}")?;
    }
    writeln!(out, "\nFaults, clocks and call counts:\n  curl {admin}")?;
    writeln!(out, "\nMetrics of the gateway, for Prometheus:\n  curl {metrics}")?;
    writeln!(out, "\nCtrl-C stops the sandbox; it keeps no data.")?;
    out.flush()
}

/// List everything, copy a point to another region and watch it, then a call that a vendor does not support.
const EXAMPLES: [(&str, &str); 5] = [
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

//! The file with which other programs reach the simulated vendors themselves: addresses, the throw-away
//! credentials of this one run, and what to trust.
//!
//! For the owner's eyes only; nothing of it is ever printed or logged.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use restore_point_sandbox::Authority;
use restore_point_sandbox::azure::Azure;
use restore_point_sandbox::veeam_em::EnterpriseManager;

/// Writes the file, new and with mode 0600: what stood there before goes, and with it its mode.
///
/// # Errors
/// When the file cannot be written there.
pub(super) fn write(
    path: &Path,
    azure: &Azure,
    authority: &Authority,
    veeam: &EnterpriseManager,
) -> io::Result<()> {
    let access = json!({
        "azure": {
            "endpoint": azure.endpoint(),
            "authority": azure.authority_host(),
            "tenant_id": azure.tenant_id(),
            "client_id": azure.client_id(),
            "client_secret": azure.client_secret(),
            "subscription_id": azure.subscription_id(),
            "ca_pem": authority.pem(),
        },
        "veeam": {
            "url": veeam.url(),
            "username": veeam.username(),
            "password": veeam.password(),
            "certificate_pem": pem(veeam.certificate_der()),
            "certificate_sha256": veeam.certificate_sha256(),
        },
    });
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{access:#}")
}

/// A certificate as the files of most clients want it.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = vec!["-----BEGIN CERTIFICATE-----"];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        lines.push(line);
        rest = after;
    }
    lines.push("-----END CERTIFICATE-----\n");
    lines.join("\n")
}

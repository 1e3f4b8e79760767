//! The text at `GET /`: paths, the vocabulary of faults, and an example.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::simulated_vendor::SimulatedVendor;
use crate::vendor_info::{VendorInfo, fault_vocabulary};

const PATHS: &str = include_str!("help.txt");

pub(crate) fn text(vendors: &[Arc<dyn SimulatedVendor>], address: SocketAddr) -> String {
    let infos: Vec<VendorInfo> = vendors.iter().map(|vendor| vendor.info()).collect();
    let names: Vec<&str> = infos.iter().map(VendorInfo::name).collect();
    let mut text = PATHS.replace("VENDORS", &names.join(", "));
    for vendor in vendors {
        text.push_str(vendor.admin_help());
    }
    let vocabulary = fault_vocabulary(&infos);
    let example = "GET /query times=2 status=503 retry_after=1";
    let vendor = names.last().copied().unwrap_or("VENDOR");
    // Writing to a string does not fail.
    write!(
        text,
        "\nFAULTS\n\n{vocabulary}\nExample:\n  curl -d '{example}' http://{address}/{vendor}/faults\n"
    )
    .ok();
    text
}

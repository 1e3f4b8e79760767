//! The simulated vendors. A further one is an entry in [`VENDORS`].

use restore_point_sandbox::{self as sandbox, VendorInfo};

use super::simulation::{Simulation, StartedVendor};
use super::{azure, veeam_em};
use crate::command::error::CommandError;
use crate::model::BackendId;

/// How to run one vendor.
pub(super) struct Vendor {
    pub(super) info: VendorInfo,
    /// Starts the simulator, and builds the backend with this id in front of it.
    pub(super) start: fn(BackendId, &Simulation) -> Result<StartedVendor, CommandError>,
}

pub(super) const VENDORS: [Vendor; 2] = [
    Vendor { info: sandbox::azure::VENDOR, start: azure::start },
    Vendor { info: sandbox::veeam_em::VENDOR, start: veeam_em::start },
];

/// What is known of the vendors before they run.
pub(super) fn infos() -> Vec<VendorInfo> {
    VENDORS.iter().map(|vendor| vendor.info).collect()
}

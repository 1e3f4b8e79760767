//! What starting a simulator needs, and what it returns.

use std::sync::Arc;

use jiff::SignedDuration;
use restore_point_sandbox::{CertificateAuthority, Clock, SimulatedVendor, veeam_em};

use crate::backend::Backend;

/// What all simulators of one run share.
pub(super) struct Simulation {
    pub(super) clock: Clock,
    pub(super) ca: CertificateAuthority,
    /// How many times faster than real time the clock runs.
    pub(super) speed: f64,
    /// The number of generated restore points of each vendor.
    pub(super) points: usize,
    pub(super) seed: u64,
    pub(super) veeam_product: veeam_em::Product,
}

/// A running simulator, and the gateway's backend in front of it.
pub(super) struct StartedVendor {
    pub(super) simulator: Arc<dyn SimulatedVendor>,
    pub(super) backend: Arc<dyn Backend>,
}

/// The simulated time in which `seconds` of real time pass.
pub(super) fn real_time(seconds: f64, speed: f64) -> SignedDuration {
    SignedDuration::from_secs_f64(seconds * speed)
}

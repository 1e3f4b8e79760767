//! The simulated Enterprise Manager, and the backend in front of it.

use std::sync::Arc;

use restore_point_sandbox::veeam_em::{EnterpriseManager, Hrefs, Settings};
use secrecy::SecretString;

use super::backend_settings::{UNLIMITED, url};
use super::simulation::{Simulation, StartedVendor, real_time};
use crate::backend::veeam_em::{self, VeeamEm};
use crate::command::error::CommandError;
use crate::model::BackendId;
use crate::upstream::{Proxy, Trust};

/// Of real time: the client that keeps a logon session alive does not know the simulated clock.
const IDLE_TIMEOUT_SECONDS: f64 = 15.0 * 60.0;

pub(super) fn start(id: BackendId, simulation: &Simulation) -> Result<StartedVendor, CommandError> {
    let simulator = EnterpriseManager::start(Settings {
        points: simulation.points,
        seed: simulation.seed,
        product: simulation.veeam_product,
        // So that other clients can follow links.
        hrefs: Hrefs::RequestHost,
        idle_timeout: real_time(IDLE_TIMEOUT_SECONDS, simulation.speed),
        ..Settings::new(simulation.clock.clone())
    })
    .map_err(CommandError::other)?;
    let backend = VeeamEm::new(veeam_em::Settings {
        id,
        url: url(&simulator.url())?,
        username: simulator.username().to_owned(),
        password: SecretString::from(simulator.password()),
        tenant: None,
        trust: Trust::pin(simulator.certificate_der()),
        proxy: Proxy::Direct,
        rate_limit: UNLIMITED,
    })
    .map_err(CommandError::other)?;
    Ok(StartedVendor { simulator: Arc::new(simulator), backend: Arc::new(backend) })
}

//! The simulated Azure, and the backend in front of it.

use std::sync::Arc;

use jiff::SignedDuration;
use restore_point_sandbox::azure::{Azure as Simulator, Settings};
use secrecy::SecretString;

use super::backend_settings::{UNLIMITED, url};
use super::simulation::{Simulation, StartedVendor, real_time};
use crate::backend::azure::{self, Azure};
use crate::command::error::CommandError;
use crate::model::BackendId;
use crate::upstream::{Proxy, Trust};

pub(super) fn start(id: BackendId, simulation: &Simulation) -> Result<StartedVendor, CommandError> {
    let settings = Settings {
        clock: simulation.clock.clone(),
        points: simulation.points,
        seed: simulation.seed,
        copy_operation: copy_operation(simulation.speed),
        ..Settings::default()
    };
    let simulator = Simulator::start(settings, &simulation.ca).map_err(CommandError::other)?;
    let backend = Azure::new(azure::Settings {
        id,
        subscription_id: simulator.subscription_id().to_owned(),
        endpoint: url(&simulator.endpoint())?,
        authority: url(&simulator.authority_host())?,
        api_version: azure::DEFAULT_API_VERSION.to_owned(),
        credential: azure::Credential::ClientSecret {
            tenant_id: simulator.tenant_id().to_owned(),
            client_id: simulator.client_id().to_owned(),
            secret: SecretString::from(simulator.client_secret()),
        },
        trust: Trust::PlatformAnd(simulator.ca_pem().as_bytes().to_vec()),
        proxy: Proxy::Direct,
        rate_limit: UNLIMITED,
    })
    .map_err(CommandError::other)?;
    Ok(StartedVendor { simulator: Arc::new(simulator), backend: Arc::new(backend) })
}

/// A copy is `Creating` for 6 s at ARM. It stays 6 s of real time up to 100 times real time, so that the state
/// is visible to a user of the sandbox.
fn copy_operation(speed: f64) -> SignedDuration {
    real_time(6.0, speed.clamp(1.0, 100.0))
}

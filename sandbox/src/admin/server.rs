//! The server of the admin API, and its routes.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::response::{AdminError, not_found};
use super::state::AdminState;
use super::{calls, clock, faults, help};
use crate::clock::Clock;
use crate::fault::InvalidField;
use crate::simulated_vendor::SimulatedVendor;
use crate::start_error::StartError;

/// A running admin API; it stops when it is dropped.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Admin {
    /// Serves the admin API of `vendors`, whose clocks advance with `clock`.
    ///
    /// # Errors
    /// When the address cannot be bound, or is not a loopback address.
    pub async fn start(
        address: SocketAddr,
        vendors: Vec<Arc<dyn SimulatedVendor>>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        if !address.ip().is_loopback() {
            return Err(format!("{address} is not a loopback address; give 127.0.0.1:PORT").into());
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let help = help::text(&vendors, address);
        let router = router(help, AdminState { vendors: vendors.into(), clock });
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the admin API stopped");
            }
        });
        Ok(Self { address, serving })
    }

    /// The base URL of the API.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

const SEE_HELP: &str = "GET / lists the paths and methods";

fn router(help: String, state: AdminState) -> Router {
    let mut router = Router::new()
        .route("/", get(async || help))
        .route("/clock", get(clock::get).post(clock::advance))
        .route("/{vendor}/clock", post(clock::set_skew))
        .route("/{vendor}/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/{vendor}/faults/{id}", get(faults::get).delete(faults::remove))
        .route("/{vendor}/calls", get(calls::get).delete(calls::reset))
        .with_state(state.clone());
    for vendor in state.vendors.iter() {
        let path = format!("/{}", vendor.info().name());
        router = router.nest(&path, Arc::clone(vendor).admin_routes());
    }
    router
        .fallback(async || not_found("path", "there is no such path", SEE_HELP))
        .method_not_allowed_fallback(async || {
            let error = InvalidField::new("method", "the path does not support it", SEE_HELP);
            AdminError::new(StatusCode::METHOD_NOT_ALLOWED, error)
        })
}

//! The simulator as the admin API and the command line see it, and its own admin routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, post};
use serde_json::{Value, json};

use super::simulator::EnterpriseManager;
use super::vendor_fault::VendorFault;
use crate::admin::response::{AdminError, AdminResponse, not_found};
use crate::fault::Fields;
use crate::simulated_vendor::{SimulatedVendor, TrafficControl};
use crate::vendor_info::VendorInfo;

/// The simulated Enterprise Manager, before one runs.
pub const VENDOR: VendorInfo = VendorInfo::new::<VendorFault>("veeam");

impl SimulatedVendor for EnterpriseManager {
    fn info(&self) -> VendorInfo {
        VENDOR
    }

    fn url(&self) -> String {
        self.url()
    }

    fn traffic(&self) -> &dyn TrafficControl {
        self.interceptor()
    }

    fn access(&self) -> Value {
        json!({
            "url": self.url(),
            "username": self.username(),
            "password": self.password(),
            "certificate_pem": self.certificate_pem(),
            "certificate_sha256": self.certificate_sha256(),
        })
    }

    fn admin_routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/points", post(add_point))
            .route("/points/{id}", post(set_state).delete(remove_point))
            .route("/sessions", delete(expire_sessions))
            .with_state(self)
    }

    fn admin_help(&self) -> &'static str {
        include_str!("admin_help.txt")
    }
}

const REPLICA: &str = "the GUID of a cloud replica, as at the end of its UID";

async fn add_point(
    State(veeam): State<Arc<EnterpriseManager>>,
    body: String,
) -> Result<AdminResponse, AdminError> {
    let mut fields = Fields::parse(&body)?;
    let replica = fields.required("replica", REPLICA)?;
    let vm = fields.required("vm", "the name of a VM")?;
    fields.finish()?;
    let id = veeam.add_point(&replica, &vm).ok_or_else(|| {
        let problem = format!("there is no replica '{replica}'");
        not_found("replica", problem, format!("give {REPLICA}"))
    })?;
    Ok(AdminResponse::created(json!({ "id": id })))
}

async fn set_state(
    State(veeam): State<Arc<EnterpriseManager>>,
    Path(id): Path<String>,
    body: String,
) -> Result<AdminResponse, AdminError> {
    let mut fields = Fields::parse(&body)?;
    let state =
        fields.required("state", "a state, such as Ready, Failover or PermanentFailover")?;
    fields.finish()?;
    if veeam.set_state(&id, &state) {
        return Ok(AdminResponse::ok(json!({ "id": id, "state": state })));
    }
    Err(unknown_point(&id))
}

async fn remove_point(
    State(veeam): State<Arc<EnterpriseManager>>,
    Path(id): Path<String>,
) -> Result<AdminResponse, AdminError> {
    if veeam.remove_point(&id) {
        return Ok(AdminResponse::ok(json!({ "id": id, "state": "removed" })));
    }
    Err(unknown_point(&id))
}

async fn expire_sessions(State(veeam): State<Arc<EnterpriseManager>>) -> AdminResponse {
    let ended = veeam.sessions();
    veeam.expire_sessions();
    AdminResponse::ok(json!({ "ended": ended }))
}

fn unknown_point(id: &str) -> AdminError {
    not_found("id", format!("there is no cloud point '{id}'"), "give the GUID at the end of a UID")
}

//! The simulator as the admin API and the command line see it, and its own admin route.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};

use super::simulator::Azure;
use super::vendor_fault::VendorFault;
use crate::admin::response::{AdminError, AdminResponse, not_found};
use crate::fault::Fields;
use crate::simulated_vendor::{SimulatedVendor, TrafficControl};
use crate::vendor_info::VendorInfo;

/// The simulated Azure, before one runs.
pub const VENDOR: VendorInfo = VendorInfo::new::<VendorFault>("azure");

impl SimulatedVendor for Azure {
    fn info(&self) -> VendorInfo {
        VENDOR
    }

    fn url(&self) -> String {
        self.endpoint()
    }

    fn traffic(&self) -> &dyn TrafficControl {
        self.interceptor()
    }

    fn access(&self) -> Value {
        json!({
            "endpoint": self.endpoint(),
            "authority": self.authority_host(),
            "tenant_id": self.tenant_id(),
            "client_id": self.client_id(),
            "client_secret": self.client_secret(),
            "subscription_id": self.subscription_id(),
            "ca_pem": self.ca_pem(),
        })
    }

    fn admin_routes(self: Arc<Self>) -> Router {
        Router::new().route("/failed_replications", post(fail_replication)).with_state(self)
    }

    fn admin_help(&self) -> &'static str {
        include_str!("admin_help.txt")
    }
}

async fn fail_replication(
    State(azure): State<Arc<Azure>>,
    body: String,
) -> Result<AdminResponse, AdminError> {
    let mut fields = Fields::parse(&body)?;
    let point = fields.required("point", "the ARM id of a copy")?;
    let disk = fields.required("disk", "the name of one of its disks")?;
    fields.finish()?;
    if azure.fail_replication(&point, &disk) {
        let body = json!({ "point": point, "disk": disk, "replication": "failed" });
        return Ok(AdminResponse::ok(body));
    }
    let remedy = "give the ARM id of a copy, and the name of a disk of its source";
    Err(not_found("point", "there is no such disk in such a copy", remedy))
}

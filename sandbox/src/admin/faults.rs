//! `/{vendor}/faults`: the faults of one simulator.

use axum::extract::{Path, State};
use serde_json::json;

use super::response::{AdminError, AdminResponse, not_found};
use super::state::AdminState;
use crate::fault::Fields;

pub(crate) async fn list(
    State(state): State<AdminState>,
    Path(vendor): Path<String>,
) -> Result<AdminResponse, AdminError> {
    let faults = state.vendor(&vendor)?.traffic().faults();
    Ok(AdminResponse::ok(json!({ "faults": faults })))
}

pub(crate) async fn add(
    State(state): State<AdminState>,
    Path(vendor): Path<String>,
    body: String,
) -> Result<AdminResponse, AdminError> {
    let vendor = state.vendor(&vendor)?;
    Ok(AdminResponse::created(vendor.traffic().add_fault(Fields::parse(&body)?)?))
}

pub(crate) async fn clear(
    State(state): State<AdminState>,
    Path(vendor): Path<String>,
) -> Result<AdminResponse, AdminError> {
    let cleared = state.vendor(&vendor)?.traffic().clear_faults();
    Ok(AdminResponse::ok(json!({ "cleared": cleared })))
}

pub(crate) async fn get(
    State(state): State<AdminState>,
    Path((vendor, id)): Path<(String, String)>,
) -> Result<AdminResponse, AdminError> {
    let faults = state.vendor(&vendor)?.traffic().faults();
    let id = parse(&id)?;
    let found = faults.into_iter().find(|fault| fault["id"] == id);
    found.map(AdminResponse::ok).ok_or_else(|| unknown(id))
}

pub(crate) async fn remove(
    State(state): State<AdminState>,
    Path((vendor, id)): Path<(String, String)>,
) -> Result<AdminResponse, AdminError> {
    let vendor = state.vendor(&vendor)?;
    let id = parse(&id)?;
    if vendor.traffic().remove_fault(id) {
        Ok(AdminResponse::ok(json!({ "cleared": 1 })))
    } else {
        Err(unknown(id))
    }
}

const REMEDY: &str = "GET …/faults lists the ids";

fn parse(id: &str) -> Result<u64, AdminError> {
    id.parse().map_err(|_| not_found("id", format!("'{id}' is not the id of a fault"), REMEDY))
}

fn unknown(id: u64) -> AdminError {
    not_found("id", format!("there is no fault {id}"), REMEDY)
}

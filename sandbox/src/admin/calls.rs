//! `/{vendor}/calls`: how many requests one simulator received.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::response::{AdminError, AdminResponse};
use super::state::AdminState;

pub(crate) async fn get(
    State(state): State<AdminState>,
    Path(vendor): Path<String>,
) -> Result<AdminResponse, AdminError> {
    let calls = state.vendor(&vendor)?.traffic().call_counts();
    let total: usize = calls.values().sum();
    let entry = |((method, path), count)| json!({ "method": method, "path": path, "count": count });
    let calls: Vec<Value> = calls.into_iter().map(entry).collect();
    Ok(AdminResponse::ok(json!({ "total": total, "calls": calls })))
}

pub(crate) async fn reset(
    State(state): State<AdminState>,
    Path(vendor): Path<String>,
) -> Result<AdminResponse, AdminError> {
    state.vendor(&vendor)?.traffic().reset_call_counts();
    Ok(AdminResponse::ok(json!({ "total": 0 })))
}

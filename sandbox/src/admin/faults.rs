//! `/{vendor}/faults` and `/{vendor}/calls`: what is to go wrong, and what was asked for.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::reply::{Refused, Reply, not_found};
use super::{Here, Vendor, fields};

pub(super) async fn list(State(sandbox): Here, Path(vendor): Vendor) -> Result<Reply, Refused> {
    Ok(Reply::ok(json!({ "faults": sandbox.desk(&vendor)?.faults() })))
}

pub(super) async fn add(
    State(sandbox): Here,
    Path(vendor): Vendor,
    body: String,
) -> Result<Reply, Refused> {
    Ok(Reply::created(sandbox.desk(&vendor)?.add(fields(&body)?)?))
}

pub(super) async fn clear(State(sandbox): Here, Path(vendor): Vendor) -> Result<Reply, Refused> {
    Ok(Reply::ok(json!({ "cleared": sandbox.desk(&vendor)?.clear() })))
}

pub(super) async fn show(
    State(sandbox): Here,
    Path((vendor, id)): Path<(String, String)>,
) -> Result<Reply, Refused> {
    let faults = sandbox.desk(&vendor)?.faults();
    let id = number(&id)?;
    let found = faults.into_iter().find(|fault| fault["id"] == id);
    found.map(Reply::ok).ok_or_else(|| none(id))
}

pub(super) async fn remove(
    State(sandbox): Here,
    Path((vendor, id)): Path<(String, String)>,
) -> Result<Reply, Refused> {
    let desk = sandbox.desk(&vendor)?;
    let id = number(&id)?;
    if desk.remove(id) { Ok(Reply::ok(json!({ "cleared": 1 }))) } else { Err(none(id)) }
}

pub(super) async fn calls(State(sandbox): Here, Path(vendor): Vendor) -> Result<Reply, Refused> {
    let calls = sandbox.desk(&vendor)?.calls();
    let total: usize = calls.values().sum();
    let show = |((method, path), count)| json!({ "method": method, "path": path, "count": count });
    let calls: Vec<Value> = calls.into_iter().map(show).collect();
    Ok(Reply::ok(json!({ "total": total, "calls": calls })))
}

pub(super) async fn forget_calls(
    State(sandbox): Here,
    Path(vendor): Vendor,
) -> Result<Reply, Refused> {
    sandbox.desk(&vendor)?.forget_calls();
    Ok(Reply::ok(json!({ "total": 0 })))
}

fn number(id: &str) -> Result<u64, Refused> {
    id.parse().map_err(|_| {
        not_found("id", format!("'{id}' is no number of a fault"), "GET …/faults lists them")
    })
}

fn none(id: u64) -> Refused {
    not_found("id", format!("there is no fault {id}"), "GET …/faults lists them")
}

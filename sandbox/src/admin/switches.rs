//! What goes wrong inside one vendor, whoever asks: replications, points, sessions.

use axum::extract::{Path, State};
use serde_json::json;

use super::Here;
use super::fields;
use super::reply::{Refused, Reply, not_found};

pub(super) async fn fail_replication(State(sandbox): Here, body: String) -> Result<Reply, Refused> {
    let mut fields = fields(&body)?;
    let point = fields.required("point", "the ARM id of a copy")?;
    let disk = fields.required("disk", "the name of one of its disks")?;
    fields.finish()?;
    if sandbox.azure.fail_replication(&point, &disk) {
        return Ok(Reply::ok(json!({ "point": point, "disk": disk, "replication": "failed" })));
    }
    let remedy = "give the ARM id of a copy, and the name of a disk of its source";
    Err(not_found("point", "there is no such disk in such a copy", remedy))
}

pub(super) async fn add_point(State(sandbox): Here, body: String) -> Result<Reply, Refused> {
    let mut fields = fields(&body)?;
    let replica = fields.required("replica", REPLICA)?;
    let vm = fields.required("vm", "the name of a VM")?;
    fields.finish()?;
    let id = sandbox.veeam.add_point(&replica, &vm);
    let id = id.ok_or_else(|| {
        not_found("replica", format!("there is no '{replica}'"), format!("give {REPLICA}"))
    })?;
    Ok(Reply::created(json!({ "id": id })))
}

pub(super) async fn set_state(
    State(sandbox): Here,
    Path(id): Path<String>,
    body: String,
) -> Result<Reply, Refused> {
    let mut fields = fields(&body)?;
    let state =
        fields.required("state", "a state, such as Ready, Failover or PermanentFailover")?;
    fields.finish()?;
    if sandbox.veeam.set_state(&id, &state) {
        return Ok(Reply::ok(json!({ "id": id, "state": state })));
    }
    Err(no_point(&id))
}

pub(super) async fn remove_point(
    State(sandbox): Here,
    Path(id): Path<String>,
) -> Result<Reply, Refused> {
    if sandbox.veeam.remove_point(&id) {
        return Ok(Reply::ok(json!({ "id": id, "state": "removed" })));
    }
    Err(no_point(&id))
}

pub(super) async fn expire_sessions(State(sandbox): Here) -> Reply {
    let ended = sandbox.veeam.sessions();
    sandbox.veeam.expire_sessions();
    Reply::ok(json!({ "ended": ended }))
}

const REPLICA: &str = "the GUID of a cloud replica, as at the end of its UID";

fn no_point(id: &str) -> Refused {
    not_found("id", format!("there is no cloud point '{id}'"), "give the GUID at the end of a UID")
}

//! `/clock` and `/{vendor}/clock`: the time that both vendors live in, and how wrong one vendor has it.

use axum::extract::{Path, State};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::reply::{Refused, Reply};
use super::{Here, Sandbox, Vendor, fields};
use crate::fault::{Complaint, Fields};

/// Ten years.
const FARTHEST: i64 = 10 * 365 * 24 * 3600;

pub(super) async fn show(State(sandbox): Here) -> Reply {
    Reply::ok(face(&sandbox))
}

/// Moves both vendors' time.
pub(super) async fn advance(State(sandbox): Here, body: String) -> Result<Reply, Refused> {
    let by = seconds(fields(&body)?, "advance_seconds")?;
    sandbox.clock.advance(by);
    Ok(Reply::ok(face(&sandbox)))
}

/// Sets one vendor's clock ahead of the other's and of the gateway's, or behind.
pub(super) async fn skew(
    State(sandbox): Here,
    Path(vendor): Vendor,
    body: String,
) -> Result<Reply, Refused> {
    let desk = sandbox.desk(&vendor)?;
    desk.clock().set_skew(seconds(fields(&body)?, "skew_seconds")?);
    Ok(Reply::ok(face(&sandbox)))
}

fn seconds(mut fields: Fields, name: &'static str) -> Result<SignedDuration, Refused> {
    let remedy = "whole seconds, ten years at most; a minus sign means back";
    let seconds: Option<i64> = fields.read(name, remedy)?;
    fields.finish()?;
    match seconds {
        Some(seconds) if (-FARTHEST..=FARTHEST).contains(&seconds) => {
            Ok(SignedDuration::from_secs(seconds))
        }
        Some(_) => Err(Complaint::new(name, "it is too far", format!("give {remedy}")).into()),
        None => Err(Complaint::new(name, "it is missing", format!("give {remedy}")).into()),
    }
}

fn face(sandbox: &Sandbox) -> Value {
    let (azure, veeam) = (sandbox.azure.desk(), sandbox.veeam.desk());
    let [azure, veeam] = [azure, veeam].map(|desk| {
        let clock = desk.clock();
        json!({ "now": clock.now().to_string(), "skew_seconds": clock.skew().as_secs() })
    });
    json!({ "now": sandbox.clock.now().to_string(), "azure": azure, "veeam": veeam })
}

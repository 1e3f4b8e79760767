//! `/clock` and `/{vendor}/clock`: the time that all simulators share, and the skew of each.

use axum::extract::{Path, State};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::response::{AdminError, AdminResponse};
use super::state::AdminState;
use crate::fault::{Fields, InvalidField};

/// Ten years.
const MAX_SECONDS: i64 = 10 * 365 * 24 * 3600;

pub(crate) async fn get(State(state): State<AdminState>) -> AdminResponse {
    AdminResponse::ok(clocks(&state))
}

/// Moves the time of all simulators.
pub(crate) async fn advance(
    State(state): State<AdminState>,
    body: String,
) -> Result<AdminResponse, AdminError> {
    let by = seconds(Fields::parse(&body)?, "advance_seconds")?;
    state.clock.advance(by);
    Ok(AdminResponse::ok(clocks(&state)))
}

/// Sets one simulator's clock ahead of the others', or behind.
pub(crate) async fn set_skew(
    State(state): State<AdminState>,
    Path(vendor): Path<String>,
    body: String,
) -> Result<AdminResponse, AdminError> {
    let vendor = state.vendor(&vendor)?;
    vendor.traffic().clock().set_skew(seconds(Fields::parse(&body)?, "skew_seconds")?);
    Ok(AdminResponse::ok(clocks(&state)))
}

fn seconds(mut fields: Fields, name: &'static str) -> Result<SignedDuration, InvalidField> {
    let valid = "whole seconds, ten years at most; negative to go back";
    let seconds: Option<i64> = fields.read(name, valid)?;
    fields.finish()?;
    let remedy = format!("give {valid}");
    match seconds {
        Some(seconds) if (-MAX_SECONDS..=MAX_SECONDS).contains(&seconds) => {
            Ok(SignedDuration::from_secs(seconds))
        }
        Some(_) => Err(InvalidField::new(name, "it is more than ten years", remedy)),
        None => Err(InvalidField::new(name, "it is missing", remedy)),
    }
}

fn clocks(state: &AdminState) -> Value {
    let mut clocks = Map::new();
    clocks.insert("now".to_owned(), state.clock.now().to_string().into());
    for vendor in state.vendors.iter() {
        let clock = vendor.traffic().clock();
        let entry =
            json!({ "now": clock.now().to_string(), "skew_seconds": clock.skew().as_secs() });
        clocks.insert(vendor.info().name().to_owned(), entry);
    }
    clocks.into()
}

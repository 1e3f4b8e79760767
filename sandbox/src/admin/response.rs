//! Responses of the admin API: indented JSON, and errors that name the field, the problem and the remedy.
//!
//! The simulators' own routes use them too.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::fault::InvalidField;

/// A JSON body with its status.
#[derive(Debug)]
pub(crate) struct AdminResponse(StatusCode, Value);

impl AdminResponse {
    pub(crate) fn ok(body: Value) -> Self {
        Self(StatusCode::OK, body)
    }

    pub(crate) fn created(body: Value) -> Self {
        Self(StatusCode::CREATED, body)
    }
}

impl IntoResponse for AdminResponse {
    fn into_response(self) -> Response {
        let Self(status, body) = self;
        // With a line end for terminals.
        (status, [(CONTENT_TYPE, "application/json")], format!("{body:#}\n")).into_response()
    }
}

#[derive(Debug)]
pub(crate) struct AdminError(StatusCode, InvalidField);

impl AdminError {
    pub(crate) fn new(status: StatusCode, error: InvalidField) -> Self {
        Self(status, error)
    }
}

impl From<InvalidField> for AdminError {
    fn from(error: InvalidField) -> Self {
        Self(StatusCode::BAD_REQUEST, error)
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        AdminResponse(status, json!({ "error": error })).into_response()
    }
}

pub(crate) fn not_found(
    field: &str,
    problem: impl Into<String>,
    remedy: impl Into<String>,
) -> AdminError {
    AdminError(StatusCode::NOT_FOUND, InvalidField::new(field, problem, remedy))
}

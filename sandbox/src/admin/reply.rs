//! Replies of the admin path: JSON that a person can read, and refusals that name field and remedy.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::fault::Complaint;

/// Indented, with a line end for terminals.
#[derive(Debug)]
pub(super) struct Reply(pub(super) StatusCode, pub(super) Value);

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        Self(StatusCode::OK, body)
    }

    pub(super) fn created(body: Value) -> Self {
        Self(StatusCode::CREATED, body)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let Self(status, body) = self;
        (status, [(CONTENT_TYPE, "application/json")], format!("{body:#}\n")).into_response()
    }
}

/// What cannot be done, and why.
#[derive(Debug)]
pub(super) struct Refused(pub(super) StatusCode, pub(super) Complaint);

impl From<Complaint> for Refused {
    fn from(complaint: Complaint) -> Self {
        Self(StatusCode::BAD_REQUEST, complaint)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, complaint) = self;
        Reply(status, json!({ "error": complaint })).into_response()
    }
}

pub(super) fn not_found(
    field: &str,
    problem: impl Into<String>,
    remedy: impl Into<String>,
) -> Refused {
    Refused(StatusCode::NOT_FOUND, Complaint::new(field, problem, remedy))
}

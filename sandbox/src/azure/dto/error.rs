//! Error bodies.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

impl ErrorBody {
    pub(crate) fn new(code: &str, message: &str, target: Option<&'static str>) -> Self {
        let error =
            ErrorDetail { code: code.into(), message: message.into(), target, details: Vec::new() };
        Self { error }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorDetail {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<ErrorDetail>,
}

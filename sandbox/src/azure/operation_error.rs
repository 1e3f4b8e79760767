//! The error that an operation ends with after its request was accepted.

use super::dto::error::ErrorDetail;

#[derive(Debug, Clone)]
pub(crate) struct OperationError {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl From<&OperationError> for ErrorDetail {
    fn from(error: &OperationError) -> Self {
        let OperationError { code, message } = error.clone();
        Self { code, message, target: None, details: Vec::new() }
    }
}

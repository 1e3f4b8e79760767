//! The fault that only ARM has: an operation that fails after it was accepted.

use serde_json::Value;

use super::operation_error::OperationError;
use crate::fault::{self, Fields, InvalidField};

/// A fault that can be injected into requests to the simulated Azure.
pub type Fault = fault::Fault<VendorFault>;

/// What only this vendor can do to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorFault {
    /// A creation is accepted, and its operation ends `Failed` with this error.
    FailCreation {
        /// Such as `VMRestorePointClientError`.
        code: String,
        /// The text of the error.
        message: String,
    },
}

impl VendorFault {
    pub(crate) fn operation_error(self) -> OperationError {
        let Self::FailCreation { code, message } = self;
        OperationError { code, message }
    }
}

impl fault::VendorFault for VendorFault {
    const VOCABULARY: &'static str = include_str!("fault_vocabulary.txt");

    fn parse(fields: &mut Fields) -> Result<Option<Self>, InvalidField> {
        let (code, message) = (fields.text("fail_creation")?, fields.text("message")?);
        match (code, message) {
            (None, None) => Ok(None),
            (None, Some(_)) => {
                let remedy = "give fail_creation too, an error code";
                Err(InvalidField::new("message", "it is the message of a failed creation", remedy))
            }
            (Some(code), message) => {
                let message =
                    message.unwrap_or_else(|| "A fault was injected by the sandbox.".to_owned());
                Ok(Some(Self::FailCreation { code, message }))
            }
        }
    }

    fn words(&self) -> Vec<(&'static str, Value)> {
        let Self::FailCreation { code, message } = self;
        vec![("fail_creation", code.as_str().into()), ("message", message.as_str().into())]
    }
}

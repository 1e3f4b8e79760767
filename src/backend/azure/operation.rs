//! The operation that makes a point: its handle, and why it failed.
//!
//! Nothing is waited for here: whether a point is there stands in the point. The operation is asked for
//! the one thing that ARM keeps nowhere else, and only for some time.

use http::HeaderMap;
use serde_json::Value;

use super::Azure;
use super::error::said;
use super::id::same;
use super::wire::{self, OperationStatus};
use crate::backend::Operation;
use crate::model::{Error, PointFailure};
use crate::upstream::redact_text;

/// What the reads of an operation are called in errors; its URL is signed and shown nowhere.
const NAME: &str = "the operation";

impl Azure {
    /// The handle in an answer to a write. `Azure-AsyncOperation` is preferred by ARM's contract, and
    /// `Location` was never seen on the creation of a point; the resource itself can do without both.
    pub(super) fn handle(&self, headers: &HeaderMap) -> Option<Operation> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let url = header("azure-asyncoperation").or_else(|| header("location"))?;
        if self.arm.own_url(url).is_none() {
            tracing::warn!(backend = self.arm.backend.as_str(), "an operation URL of another host");
            return None;
        }
        Some(Operation(url.to_owned()))
    }

    /// Why the operation failed.
    ///
    /// # Errors
    /// When the operation cannot be read for now, so that the reason may still be had later.
    pub(super) async fn reason(&self, operation: &Operation) -> Result<PointFailure, Error> {
        let unknown = |why: &str| PointFailure { code: String::new(), message: why.to_owned() };
        let Some(url) = self.arm.own_url(&operation.0) else {
            return Ok(unknown("the handle of its operation is none of this backend's"));
        };
        // A failed read of the operation is not the failure of the operation.
        let body = match self.arm.read(&url, NAME).await {
            Ok(body) => body,
            Err(error) if error.is_transient() => return Err(error),
            Err(error @ Error::CredentialRefused { .. }) => return Err(error),
            Err(Error::NotFound { .. }) => {
                return Ok(unknown("ARM has forgotten its operation, and with it the reason"));
            }
            Err(error) => {
                return Ok(unknown(&format!("the reason cannot be read from ARM: {error}")));
            }
        };
        let status: OperationStatus =
            wire::decode(&body).map_err(|why| self.arm.invalid_response(why))?;
        let body: Value = wire::decode(&body).map_err(|why| self.arm.invalid_response(why))?;
        if !same(&status.status, "Failed") && !same(&status.status, "Canceled") {
            return Ok(unknown("its operation does not say that it failed"));
        }
        let (code, message) = said(body.get("error").unwrap_or(&Value::Null));
        if code.is_empty() && message.is_empty() {
            let status = redact_text(&status.status);
            return Ok(unknown(&format!("its operation is {status}, without a reason")));
        }
        Ok(PointFailure { code, message: redact_text(&message) })
    }
}

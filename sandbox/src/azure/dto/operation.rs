//! The status of a long-running operation.

use serde::Serialize;

use super::access::AccessUri;
use super::error::ErrorDetail;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperationBody {
    pub(crate) start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<String>,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) properties: Option<Output>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorDetail>,
    pub(crate) name: String,
}

/// The result of an operation of the disk provider.
#[derive(Debug, Serialize)]
pub(crate) struct Output {
    pub(crate) output: AccessUri,
}

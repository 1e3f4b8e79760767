//! Signed access to the data of a disk restore point.

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessRequest {
    pub(crate) access: Option<String>,
    pub(crate) duration_in_seconds: Option<i64>,
    #[serde(rename = "getSecureVMGuestStateSAS")]
    pub(crate) get_secure_vm_guest_state_sas: Option<bool>,
    pub(crate) file_format: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct AccessUri {
    #[serde(rename = "accessSAS")]
    pub(crate) access_sas: String,
    #[serde(rename = "securityDataAccessSAS", skip_serializing_if = "Option::is_none")]
    pub(crate) security_data_access_sas: Option<String>,
}

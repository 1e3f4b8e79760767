//! One request to the resource manager, as the handlers see it.

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error_response::ErrorResponse;
use super::operation_error::OperationError;

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) now: Timestamp,
    /// `https://{host}/subscriptions/{subscription}`, with the host of the request.
    pub(crate) subscription_url: String,
    pub(crate) api_version: String,
    /// `$expand`.
    pub(crate) expand: Option<String>,
    /// `$skiptoken`.
    pub(crate) skip_token: Option<String>,
    pub(crate) request_id: Uuid,
    pub(crate) tenant: String,
    /// How the operation of a creation ends, if a fault makes it fail.
    pub(crate) planned_failure: Option<OperationError>,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn parse_body<T: DeserializeOwned>(&self) -> Result<T, ErrorResponse> {
        // Through a map, since serde reads a structure from an array too.
        serde_json::from_slice(&self.body)
            .and_then(|members: serde_json::Map<_, _>| serde_json::from_value(members.into()))
            .map_err(|error| ErrorResponse::invalid_content(&error))
    }

    /// Whether `$expand` is given. Each resource accepts one value only.
    pub(crate) fn expands(&self, known: &str) -> Result<bool, ErrorResponse> {
        match &self.expand {
            None => Ok(false),
            Some(value) if value.eq_ignore_ascii_case(known) => Ok(true),
            Some(value) => {
                let message = format!("The value '{value}' of parameter $expand is invalid.");
                Err(ErrorResponse::invalid_parameter("$expand", &message))
            }
        }
    }
}

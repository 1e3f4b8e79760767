//! What a call failed with: its status, checked by code, reason and details.

use std::fmt::Debug;

use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use crate::wait::in_time;

/// The part of simulated responses and credentials that must not reach a caller.
pub const SENSITIVE: &str = "SENSITIVE";

/// Below the default limit of 16 KiB that gRPC clients have for headers and trailers.
const MAX_STATUS_LEN: usize = 12_000;

/// Panics unless the status has this code, and this reason in its ErrorInfo, and contains no [`SENSITIVE`] text.
#[track_caller]
pub fn assert_status(status: &Status, code: Code, reason: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "restorepoint.v1"));
    assert!(!format!("{status:?}").contains(SENSITIVE), "{status:?}");
}

/// The status of a call, with the test case that it belongs to.
pub struct Failure {
    case: String,
    status: Status,
}

/// Executes a call that must fail, with a status that fits into a client's headers and contains no [`SENSITIVE`] text.
/// `case` names the test case in panics.
pub async fn failure<T: Debug>(
    case: &str,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Failure {
    let status = match in_time(call).await {
        Err(status) => status,
        Ok(response) => panic!("{case}: {:.300}", format!("{response:?}")),
    };
    let text = format!("{status:?}");
    assert!(text.len() < MAX_STATUS_LEN && !text.contains(SENSITIVE), "{case}: {text:.300}");
    Failure { case: case.to_owned(), status }
}

impl Failure {
    /// Panics unless the status has this code, and this reason in its ErrorInfo.
    #[track_caller]
    pub fn assert_status(&self, code: Code, reason: &str) {
        let Self { case, status } = self;
        let actual = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        let actual = (status.code(), actual.as_str());
        assert_eq!(actual, (code, reason), "{case}: {}", status.message());
    }

    /// Panics unless the vendor's response was invalid.
    #[track_caller]
    pub fn assert_invalid_response(&self) {
        self.assert_status(Code::Internal, "BACKEND_RESPONSE_INVALID");
    }

    /// Panics unless the gateway's response would have been too large.
    #[track_caller]
    pub fn assert_response_too_large(&self) {
        self.assert_status(Code::ResourceExhausted, "RESPONSE_TOO_LARGE");
    }

    /// Panics unless this field of the request is invalid.
    #[track_caller]
    pub fn assert_invalid_field(&self, field: &str) {
        let Self { case, status } = self;
        assert_eq!(status.code(), Code::InvalidArgument, "{case}: {}", status.message());
        let details = status.get_error_details();
        let violation = &details.bad_request().expect("a BadRequest").field_violations[0];
        assert_eq!(violation.field, field, "{case}");
        assert_eq!(details.error_info().expect("an ErrorInfo").domain, "restorepoint.v1");
    }
}

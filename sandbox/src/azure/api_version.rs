//! Which api-version each type accepts, and which features need which version.
//!
//! Two providers with different families of versions serve one tree of URLs, so that a version that
//! is valid for a restore point is invalid for its disks.

use http::StatusCode;

use super::error_response::ErrorResponse;
use super::resource_path::{Provider, Route};

/// The first api-version of the compute provider with instant access.
pub(crate) const INSTANT_ACCESS: &str = "2025-04-01";

/// Accepted by the gateway, rejected by the provider: restore points were introduced with 2021-03-01.
const TOO_OLD: [&str; 10] = [
    "2017-03-30",
    "2017-12-01",
    "2018-04-01",
    "2018-06-01",
    "2018-10-01",
    "2019-03-01",
    "2019-07-01",
    "2019-12-01",
    "2020-06-01",
    "2020-12-01",
];

const COMPUTE: [&str; 17] = [
    "2021-03-01",
    "2021-04-01",
    "2021-07-01",
    "2021-11-01",
    "2022-03-01",
    "2022-08-01",
    "2022-11-01",
    "2023-03-01",
    "2023-07-01",
    "2023-09-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-04-01",
    "2025-11-01",
    "2026-03-01",
    // In no published specification known to us; azure-mgmt-compute sends it.
    "2026-04-01",
];

const DISK: [&str; 13] = [
    "2020-09-30",
    "2020-12-01",
    "2021-04-01",
    "2021-08-01",
    "2021-12-01",
    "2022-03-02",
    "2022-07-02",
    "2023-01-02",
    "2023-04-02",
    "2023-10-02",
    "2024-03-02",
    "2025-01-02",
    "2026-03-02",
];

/// Rejects a request whose api-version is missing or unknown to the type.
pub(crate) fn check(route: &Route, version: &str) -> Result<(), ErrorResponse> {
    if version.is_empty() {
        // Also the answer to the documentation's `…/{name}&api-version=…`, which has no query.
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        let status = StatusCode::BAD_REQUEST;
        return Err(ErrorResponse::gateway(status, "MissingApiVersionParameter", message));
    }
    let known: &[&str] = match route {
        // The gateway's own types have many versions, none of them recorded.
        Route::Directory(_) => return Ok(()),
        Route::DiskPoints(_)
        | Route::DiskPoint(..)
        | Route::DiskAccess(..)
        | Route::Operation { provider: Provider::Disk, .. } => &DISK,
        _ => &COMPUTE,
    };
    if known.contains(&version) {
        return Ok(());
    }
    if known == COMPUTE && TOO_OLD.contains(&version) {
        return require(version, COMPUTE[0]);
    }
    Err(ErrorResponse::unknown_type(version))
}

/// Whether `version` has a feature that was introduced with `first`. Members of newer versions are
/// ignored in requests and left out of responses.
pub(crate) fn supports(version: &str, first: &str) -> bool {
    // Both are dates, the year first.
    version >= first
}

/// Rejects a feature that needs `first` or newer.
pub(crate) fn require(version: &str, first: &str) -> Result<(), ErrorResponse> {
    if supports(version, first) {
        return Ok(());
    }
    let message = format!("This request can be made with api-version '{first}' or newer");
    Err(ErrorResponse::provider(StatusCode::BAD_REQUEST, "BadRequest", &message))
}

//! Which api-version each type accepts, and what came with which.
//!
//! Two providers with different families of versions serve one tree of URLs, so that a version that
//! is right for a restore point is wrong for its disks.

use http::StatusCode;

use super::names::{Place, Provider};
use super::refusal::Refusal;

/// Accepted by the gateway, refused by the provider: restore points came with 2021-03-01.
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
    // Not in any published specification that we know; the vendor's own library sends it.
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

pub(super) fn check(place: &Place, version: &str) -> Result<(), Refusal> {
    if version.is_empty() {
        // Also what the documentation's `…/{name}&api-version=…` gets: there is no query in it.
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        let status = StatusCode::BAD_REQUEST;
        return Err(Refusal::gateway(status, "MissingApiVersionParameter", message));
    }
    let known: &[&str] = match place {
        // The gateway's own types have many versions, none of them recorded.
        Place::Directory(_) => return Ok(()),
        Place::DiskPoints(_)
        | Place::DiskPoint(..)
        | Place::DiskAccess(..)
        | Place::Operation { by: Provider::Disk, .. } => &DISK,
        _ => &COMPUTE,
    };
    if known.contains(&version) {
        return Ok(());
    }
    if known == COMPUTE && TOO_OLD.contains(&version) {
        return require(version, COMPUTE[0]);
    }
    Err(Refusal::unknown_type(version))
}

/// Whether a request with `version` knows what came with `first`. Members that it does not know are
/// ignored in requests and left out of answers.
pub(super) fn knows(version: &str, first: &str) -> bool {
    // Both are dates, the year first.
    version >= first
}

/// Refuses what cannot be asked for before `first`.
pub(super) fn require(version: &str, first: &str) -> Result<(), Refusal> {
    if knows(version, first) {
        return Ok(());
    }
    let message = format!("This request can be made with api-version '{first}' or newer");
    Err(Refusal::provider(StatusCode::BAD_REQUEST, "BadRequest", &message))
}

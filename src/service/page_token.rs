//! Page sizes and page tokens (AIP-158), the same for every list.

use std::time::Duration;

use jiff::Timestamp;
use prost::Message;

use crate::model::{Error, InvalidKind, Purpose, Sealer, TokenError};

const DEFAULT_PAGE_SIZE: usize = 100;
const MAX_PAGE_SIZE: usize = 1000;
/// As the contract promises.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The request field `page_size`.
///
/// # Errors
/// INVALID_ARGUMENT for a negative one.
pub(super) fn page_size(requested: i32) -> Result<usize, Error> {
    match usize::try_from(requested) {
        Ok(0) => Ok(DEFAULT_PAGE_SIZE),
        Ok(size) => Ok(size.min(MAX_PAGE_SIZE)),
        Err(_) => {
            let problem = format!(
                "invalid value {requested}: expected 1 to {MAX_PAGE_SIZE}, or 0 for {DEFAULT_PAGE_SIZE}"
            );
            Err(Error::invalid(InvalidKind::Value, "page_size", problem))
        }
    }
}

/// Where the next page begins. One of the two is set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Position {
    /// In the vendors' own order.
    #[prost(message, optional, tag = "1")]
    pub walk: Option<WalkPosition>,
    /// In an order that the caller requested.
    #[prost(message, optional, tag = "2")]
    pub after: Option<SortedPosition>,
}

/// A backend, and the backend's own cursor in it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WalkPosition {
    #[prost(string, tag = "1")]
    pub backend: String,
    /// None at the backend's beginning.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub cursor: Option<Vec<u8>>,
}

/// The key of the last point of the page.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SortedPosition {
    /// Nanoseconds as decimal text: they outgrow 64 bits.
    #[prost(string, optional, tag = "1")]
    pub time: Option<String>,
    #[prost(string, tag = "2")]
    pub name: String,
}

/// What a token is bound to: the method and every field of the request that must stay the same.
pub(super) fn binding(method: &str, fields: &[&str]) -> Vec<u8> {
    // The lengths keep ("ab", "c") apart from ("a", "bc").
    let mut binding = format!("{method}\0").into_bytes();
    for field in fields {
        binding.extend_from_slice(&field.len().to_be_bytes());
        binding.extend_from_slice(field.as_bytes());
    }
    binding
}

/// Opens the token of a request; an empty one is the beginning of the list.
///
/// # Errors
/// INVALID_ARGUMENT on `page_token`.
pub(super) fn open(sealer: &Sealer, binding: &[u8], token: &str) -> Result<Position, Error> {
    if token.is_empty() {
        return Ok(Position::default());
    }
    let invalid = |problem| Error::invalid(InvalidKind::PageToken, "page_token", problem);
    let content = sealer
        .open(Purpose::Page, binding, token, Timestamp::now(), LIFETIME)
        .map_err(|error| match error {
            TokenError::Expired => invalid("the token has expired: list again without a token"),
            TokenError::Invalid => invalid(
                "the token is of no list, or of one with another parent, filter, order or view: list again \
                 without a token",
            ),
        })?;
    Position::decode(&content[..])
        .map_err(|_| invalid("the token is of another version of the gateway"))
}

/// Seals where the next page begins; the last page has no token.
///
/// # Errors
/// INTERNAL when the system has no randomness.
pub(super) fn seal(
    sealer: &Sealer,
    binding: &[u8],
    next: Option<&Position>,
) -> Result<String, Error> {
    let Some(next) = next else { return Ok(String::new()) };
    sealer.seal(Purpose::Page, binding, &next.encode_to_vec(), Timestamp::now())
}

//! Page sizes and page tokens, alike for every list.

use std::time::Duration;

use jiff::Timestamp;
use prost::Message;

use crate::model::{Error, Invalid, Purpose, Sealer};

const DEFAULT_SIZE: usize = 100;
const LARGEST_SIZE: usize = 1000;
/// A page token is taken for a day, as the contract says.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The size that a request asks for.
///
/// # Errors
/// INVALID_ARGUMENT for a negative one (AIP-158).
pub(super) fn size(asked: i32) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(LARGEST_SIZE)),
        Err(_) => Err(Error::invalid(
            Invalid::Value,
            "page_size",
            format!("{asked} is negative; leave it out for {DEFAULT_SIZE}"),
        )),
    }
}

/// Where a list goes on. One of the two is set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Position {
    /// In the vendors' own order.
    #[prost(message, optional, tag = "1")]
    pub walk: Option<WalkPosition>,
    /// In an order that the caller asked for.
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

/// The key of the last point told.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SortedPosition {
    /// Nanoseconds as decimal text: they outgrow 64 bits.
    #[prost(string, optional, tag = "1")]
    pub time: Option<String>,
    #[prost(string, tag = "2")]
    pub name: String,
}

/// What a token is bound to: the method and every field of the request that must not change.
pub(super) fn binding(method: &str, fields: &[&str]) -> Vec<u8> {
    // The lengths keep ("ab", "c") apart from ("a", "bc").
    let mut bound = format!("{method}\0").into_bytes();
    for field in fields {
        bound.extend_from_slice(&field.len().to_be_bytes());
        bound.extend_from_slice(field.as_bytes());
    }
    bound
}

/// Opens the token of a request; an empty one is the list's beginning.
///
/// # Errors
/// INVALID_ARGUMENT on `page_token`.
pub(super) fn open(sealer: &Sealer, bound: &[u8], token: &str) -> Result<Position, Error> {
    if token.is_empty() {
        return Ok(Position::default());
    }
    let refuse = |problem| Error::invalid(Invalid::PageToken, "page_token", problem);
    let content = sealer.open(Purpose::Page, bound, token, Timestamp::now(), LIFE).map_err(
        |unopened| match unopened {
            crate::model::Unopened::Expired => {
                refuse("it has expired; begin the list anew without a token")
            }
            crate::model::Unopened::Foreign => refuse(
                "it belongs to no list, or to one with another parent, filter, order or view; begin \
                 the list anew without a token",
            ),
        },
    )?;
    Position::decode(&content[..]).map_err(|_| refuse("it is of another version of the gateway"))
}

/// Seals where the list goes on; at its end there is no token.
///
/// # Errors
/// INTERNAL when the system gives no randomness.
pub(super) fn seal(
    sealer: &Sealer,
    bound: &[u8],
    next: Option<&Position>,
) -> Result<String, Error> {
    let Some(next) = next else { return Ok(String::new()) };
    sealer
        .seal(Purpose::Page, bound, &next.encode_to_vec(), Timestamp::now())
        .map_err(|problem| Error::Internal { problem })
}

//! The lists of all kinds as one list, one kind after the other.
//!
//! The kinds are those that the logon session links to: a server without Cloud Connect has no `/cloud`, and a tenant's
//! session has nothing else. A kind that the server has and that cannot be read is an error, never a shorter list.

use prost::Message;

use super::cursor::invalid_cursor;
use super::kind::Kind;
use super::session::Session;
use crate::backend::{Cursor, Page};
use crate::model::Error;

const VERSION: u32 = 1;

/// A position in the list of all kinds.
#[derive(Clone, PartialEq, Message)]
struct AllKindsCursor {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// The current kind, by the prefix of its collections.
    #[prost(string, tag = "2")]
    kind: String,
    /// The cursor of that kind's list; absent at its start.
    #[prost(bytes = "vec", optional, tag = "3")]
    cursor: Option<Vec<u8>>,
}

/// Reads the page at `cursor` with `read`, which reads a page of one kind.
///
/// # Errors
/// Those of `read`; INVALID_ARGUMENT for a cursor of another release.
pub(super) async fn page<T, F>(
    session: &Session,
    cursor: Option<&Cursor>,
    read: impl FnOnce(Kind, Option<Cursor>) -> F,
) -> Result<Page<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let start = cursor.map(decode).transpose()?;
    let kinds = session.kinds().await?;
    let Some((kind, cursor)) = start.or_else(|| Some((*kinds.first()?, None))) else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let Page { items, next } = read(kind, cursor).await?;
    let next = match next {
        Some(next) => Some(encode(kind, Some(next))),
        None => {
            let mut later = Kind::ALL.into_iter().skip_while(|other| *other != kind).skip(1);
            later.find(|other| kinds.contains(other)).map(|other| encode(other, None))
        }
    };
    Ok(Page { items, next })
}

fn encode(kind: Kind, cursor: Option<Cursor>) -> Cursor {
    let kind = kind.definition().prefix.to_owned();
    let cursor = AllKindsCursor { version: VERSION, kind, cursor: cursor.map(|cursor| cursor.0) };
    Cursor(cursor.encode_to_vec())
}

fn decode(cursor: &Cursor) -> Result<(Kind, Option<Cursor>), Error> {
    match AllKindsCursor::decode(cursor.0.as_slice()) {
        Ok(AllKindsCursor { version: VERSION, kind, cursor }) => Kind::from_prefix(&kind)
            .map(|kind| (kind, cursor.map(Cursor)))
            .ok_or_else(invalid_cursor),
        _ => Err(invalid_cursor()),
    }
}

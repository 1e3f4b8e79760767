//! The lists of all kinds as one sequence of pages, one kind after the other.
//!
//! Which kinds there are is what the logon leads to: a server without Cloud Connect has no `/cloud`, and
//! a tenant's session has nothing else. A kind that is there and cannot be read is an error, never a
//! shorter list.

use prost::Message;

use super::cursor::Position;
use super::kind::Kind;
use super::session::Session;
use crate::backend::{Cursor, Page};
use crate::model::Error;

const VERSION: u32 = 1;

/// Where a walk over all kinds stands.
#[derive(Clone, PartialEq, Message)]
struct Merged {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// The kind it has reached, by the prefix of its collections.
    #[prost(string, tag = "2")]
    kind: String,
    /// Where in that kind's list; at its start if absent.
    #[prost(bytes = "vec", optional, tag = "3")]
    cursor: Option<Vec<u8>>,
}

/// Reads the page at `cursor` by `read`, which reads pages of one kind.
///
/// # Errors
/// What `read` fails with; INVALID_ARGUMENT for a cursor that is none of this release.
pub(super) async fn page<T, F>(
    session: &Session,
    cursor: Option<&Cursor>,
    read: impl FnOnce(Kind, Option<Cursor>) -> F,
) -> Result<Page<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let start = cursor.map(opened).transpose()?;
    let kinds = session.kinds().await?;
    let Some((kind, cursor)) = start.or_else(|| Some((*kinds.first()?, None))) else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let Page { items, next } = read(kind, cursor).await?;
    let next = match next {
        Some(next) => Some(closed(kind, Some(next))),
        None => {
            let mut behind = Kind::ALL.into_iter().skip_while(|other| *other != kind).skip(1);
            behind.find(|other| kinds.contains(other)).map(|other| closed(other, None))
        }
    };
    Ok(Page { items, next })
}

fn closed(kind: Kind, cursor: Option<Cursor>) -> Cursor {
    let kind = kind.prefix().to_owned();
    let merged = Merged { version: VERSION, kind, cursor: cursor.map(|cursor| cursor.0) };
    Cursor(merged.encode_to_vec())
}

fn opened(cursor: &Cursor) -> Result<(Kind, Option<Cursor>), Error> {
    match Merged::decode(cursor.0.as_slice()) {
        Ok(Merged { version: VERSION, kind, cursor }) => Kind::of_prefix(&kind)
            .map(|kind| (kind, cursor.map(Cursor)))
            .ok_or_else(Position::foreign),
        _ => Err(Position::foreign()),
    }
}

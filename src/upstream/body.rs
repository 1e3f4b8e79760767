//! Reading an answer's body without ever holding more of it than was agreed.
//!
//! All sizes are those after decompression: a small body that unfolds into a large one is a large one.

use bytes::{Bytes, BytesMut};

use super::Failure;

/// Whoever takes a body apart may begin anew with each piece, so that a sender of single bytes could make
/// him work a thousand times as hard.
const SMALLEST_PIECE: usize = 16 * 1024;

/// Reads the whole body, at most `limit` bytes of it.
///
/// # Errors
/// [`Failure::TooLarge`] beyond the limit, [`Failure::Interrupted`] when it breaks off.
pub async fn collect(mut response: reqwest::Response, limit: u64) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = chunk(&mut response).await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(Failure::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads on by one piece, however small the pieces are that it comes in; none at the end of the body.
///
/// # Errors
/// [`Failure::Interrupted`] when it breaks off.
pub async fn next_piece(response: &mut reqwest::Response) -> Result<Option<Bytes>, Failure> {
    let Some(first) = chunk(response).await? else { return Ok(None) };
    if first.len() >= SMALLEST_PIECE {
        return Ok(Some(first));
    }
    let mut piece = BytesMut::from(first);
    while piece.len() < SMALLEST_PIECE
        && let Some(chunk) = chunk(response).await?
    {
        piece.extend_from_slice(&chunk);
    }
    Ok(Some(piece.freeze()))
}

async fn chunk(response: &mut reqwest::Response) -> Result<Option<Bytes>, Failure> {
    response.chunk().await.map_err(|error| match Failure::of(&error) {
        Failure::NotSent(text) | Failure::NoReply(text) => Failure::Interrupted(text),
        other => other,
    })
}

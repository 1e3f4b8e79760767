//! Reading the body of a response within a bound. Sizes count after decompression, so that a compression bomb is as
//! large as what it expands to.

use bytes::{Bytes, BytesMut};

use super::error::RequestError;

/// A parser may start over with each piece, so that a vendor which sends single bytes would make it a thousand times as
/// expensive.
const MIN_PIECE: usize = 16 * 1024;

/// Reads the whole body, at most `limit` bytes of it.
///
/// # Errors
/// [`RequestError::TooLarge`] beyond the limit, [`RequestError::Interrupted`] when it ends early.
pub async fn collect(mut response: reqwest::Response, limit: u64) -> Result<Bytes, RequestError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = chunk(&mut response).await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(RequestError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads the next piece, of a sensible size whatever the vendor sends; none at the end of the body.
///
/// # Errors
/// [`RequestError::Interrupted`] when it ends early.
pub async fn next_piece(response: &mut reqwest::Response) -> Result<Option<Bytes>, RequestError> {
    let Some(first) = chunk(response).await? else { return Ok(None) };
    if first.len() >= MIN_PIECE {
        return Ok(Some(first));
    }
    let mut piece = BytesMut::from(first);
    while piece.len() < MIN_PIECE
        && let Some(chunk) = chunk(response).await?
    {
        piece.extend_from_slice(&chunk);
    }
    Ok(Some(piece.freeze()))
}

async fn chunk(response: &mut reqwest::Response) -> Result<Option<Bytes>, RequestError> {
    response.chunk().await.map_err(|error| match RequestError::of(&error) {
        RequestError::NotSent(text) | RequestError::NoResponse(text) => {
            RequestError::Interrupted(text)
        }
        other => other,
    })
}

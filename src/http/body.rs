//! Reading an answer's body without ever holding more of it than was agreed.

use bytes::{Bytes, BytesMut};

use super::Failure;

/// Reads the whole body, at most `limit` bytes after decompression.
///
/// # Errors
/// [`Failure::TooLarge`] beyond the limit, [`Failure::Interrupted`] when it breaks off.
pub async fn collect(mut response: reqwest::Response, limit: u64) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = next_chunk(&mut response).await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(Failure::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads on by one piece; none at the end of the body.
///
/// # Errors
/// [`Failure::Interrupted`] when it breaks off.
pub async fn next_chunk(response: &mut reqwest::Response) -> Result<Option<Bytes>, Failure> {
    response.chunk().await.map_err(|error| match Failure::of(&error) {
        Failure::NotSent(text) | Failure::NoReply(text) => Failure::Interrupted(text),
        other => other,
    })
}

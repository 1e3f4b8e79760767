//! Reading the body of a response within bounds of size and time. Sizes count after decompression, so that a compression
//! bomb is as large as what it expands to.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::error::RequestError;

/// A parser may start over with each piece, so that a vendor which sends single bytes would make it a thousand times as
/// expensive.
const MIN_PIECE: usize = 16 * 1024;
/// In bytes a second, on average since the start of the body. A body that arrives more slowly keeps its connection, and
/// the calls that wait for it, for hours.
const MIN_RATE: u64 = 1024;
/// How long a body may be slower than that.
const RATE_GRACE: Duration = Duration::from_secs(20);

/// The body of a response while it is read.
#[derive(Debug)]
pub struct BodyReader {
    response: reqwest::Response,
    started: Instant,
    received: u64,
}

/// Reads the whole body, at most `limit` bytes of it.
///
/// # Errors
/// [`RequestError::TooLarge`] beyond the limit, [`RequestError::Interrupted`] when it ends early or is too slow.
pub async fn collect(response: reqwest::Response, limit: u64) -> Result<Bytes, RequestError> {
    let mut reader = BodyReader::new(response);
    let mut body = BytesMut::new();
    while let Some(chunk) = reader.chunk().await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(RequestError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

impl BodyReader {
    /// Reads the body of `response`.
    pub fn new(response: reqwest::Response) -> Self {
        Self { response, started: Instant::now(), received: 0 }
    }

    /// The next piece, of a sensible size whatever the vendor sends; none at the end of the body.
    ///
    /// # Errors
    /// [`RequestError::Interrupted`] when the body ends early or is too slow.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, RequestError> {
        let Some(first) = self.chunk().await? else { return Ok(None) };
        if first.len() >= MIN_PIECE {
            return Ok(Some(first));
        }
        let mut piece = BytesMut::from(first);
        while piece.len() < MIN_PIECE
            && let Some(chunk) = self.chunk().await?
        {
            piece.extend_from_slice(&chunk);
        }
        Ok(Some(piece.freeze()))
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, RequestError> {
        let chunk =
            self.response.chunk().await.map_err(|error| match RequestError::of(&error) {
                RequestError::NotSent(text) | RequestError::NoResponse(text) => {
                    RequestError::Interrupted(text)
                }
                other => other,
            })?;
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let seconds = self.started.elapsed().saturating_sub(RATE_GRACE).as_secs();
        if chunk.is_some() && self.received < seconds.saturating_mul(MIN_RATE) {
            let problem = format!("slower than {MIN_RATE} bytes per second");
            return Err(RequestError::Interrupted(problem));
        }
        Ok(chunk)
    }
}

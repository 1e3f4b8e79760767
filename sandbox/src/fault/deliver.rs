//! Answers on their way: slow, cut off, reset, or not the vendor's at all.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::{Canned, Delivery, End, Framing};
use crate::line::Line;

/// A slow body moves so often.
const TICK: Duration = Duration::from_millis(50);

/// What a logon page or an error page of a proxy looks like.
const PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Proxy</title></head>\n<body>\n\
                    <h1>Your request could not be served</h1>\n\
                    <p>Please log on to the proxy and try again.<br>\n</body>\n</html>\n";

/// The page of something that stands in front of the vendor.
pub(crate) fn html(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(PAGE));
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

/// An answer word by word.
pub(crate) fn verbatim(canned: Canned) -> Response {
    let mut response = Response::builder().status(canned.status);
    for (name, value) in canned.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(canned.body)).unwrap_or_else(|_| {
        let mut broken = Response::new(Body::empty());
        *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}

/// An answer as `delivery` has it arrive over `line`.
pub(crate) async fn deliver(response: Response, delivery: Delivery, line: Line) -> Response {
    if delivery == Delivery::default() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // A simulator's bodies are in memory, where nothing breaks off.
    let mut body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    match delivery.framing {
        Framing::Length => {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Framing::Chunked => {
            parts.headers.remove(CONTENT_LENGTH);
        }
    }
    if let End::Truncated(portion) | End::Reset(portion) = delivery.end {
        body.truncate(portion.of(body.len()));
    }
    let resets = matches!(delivery.end, End::Reset(_) | End::ResetAfter);
    let reset = resets.then(|| ResetOnDrop(line.clone()));
    let pieces = pour(body, delivery, line).boxed();
    Response::from_parts(parts, Body::from_stream(Poured { pieces, _reset: reset }))
}

/// The pieces of a body, and the error or the silence after the last one.
fn pour(body: Bytes, delivery: Delivery, line: Line) -> impl Stream<Item = Piece> {
    let (size, pause) = pace(delivery, body.len());
    stream::unfold((body, true), move |(mut body, first)| {
        let line = line.clone();
        async move {
            if !body.is_empty() {
                if !first {
                    tokio::time::sleep(pause).await;
                }
                let piece = body.split_to(size.min(body.len()));
                return Some((Ok(piece), (body, false)));
            }
            match delivery.end {
                End::Whole | End::ResetAfter => None,
                End::Truncated(_) => {
                    // An error at once would overtake what is still waiting to be sent.
                    line.flushed().await;
                    Some((Err(CutOff), (body, false)))
                }
                End::Reset(_) => {
                    line.reset();
                    std::future::pending().await
                }
            }
        }
    })
}

type Piece = Result<Bytes, CutOff>;

/// The size of the pieces of a body, and the pause between two.
fn pace(delivery: Delivery, whole: usize) -> (usize, Duration) {
    let Some(rate) = delivery.bytes_per_second else { return (whole.max(1), Duration::ZERO) };
    let size = (f64::from(rate.get()) * TICK.as_secs_f64()).max(1.0).floor();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 2^32 / 20
    let bytes = size as usize;
    (bytes, Duration::from_secs_f64(size / f64::from(rate.get())))
}

/// A body that does something when the connection has taken all of it.
struct Poured {
    pieces: BoxStream<'static, Piece>,
    _reset: Option<ResetOnDrop>,
}

impl Stream for Poured {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.pieces.as_mut().poll_next(cx)
    }
}

/// hyper drops a body once it has handed its end to the connection, and not before.
struct ResetOnDrop(Line);

impl Drop for ResetOnDrop {
    fn drop(&mut self) {
        self.0.reset();
    }
}

/// A body ends here although it has not ended.
#[derive(Debug)]
struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is cut off on purpose")
    }
}

impl std::error::Error for CutOff {}

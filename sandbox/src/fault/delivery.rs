//! Sends a response as a fault has it: slowly, truncated, reset, or replaced.

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

use super::effect::{BodyEnd, Canned, Delivery, Framing};
use crate::connection::ConnectionHandle;

/// The interval between two chunks of a slow body.
const CHUNK_INTERVAL: Duration = Duration::from_millis(50);

/// A page as proxies send it for a logon or an error.
const PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Proxy</title></head>\n<body>\n\
                    <h1>Your request could not be served</h1>\n\
                    <p>Please log on to the proxy and try again.<br>\n</body>\n</html>\n";

/// The page of a proxy in front of the vendor.
pub(crate) fn html_page(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(PAGE));
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

/// Exactly this response.
pub(crate) fn canned_response(canned: Canned) -> Response {
    let mut response = Response::builder().status(canned.status);
    for (name, value) in canned.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(canned.body)).unwrap_or_else(|_| {
        let mut invalid = Response::new(Body::empty());
        *invalid.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        invalid
    })
}

/// Makes `response` arrive as `delivery` describes.
pub(crate) async fn deliver(
    response: Response,
    delivery: Delivery,
    connection: ConnectionHandle,
) -> Response {
    if delivery == Delivery::default() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The body of a simulator is in memory, so reading it does not fail.
    let mut body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    match delivery.framing {
        Framing::Length => {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Framing::Chunked => {
            parts.headers.remove(CONTENT_LENGTH);
        }
    }
    if let BodyEnd::Truncated(portion) | BodyEnd::Reset(portion) = delivery.end {
        body.truncate(portion.of(body.len()));
    }
    let resets = matches!(delivery.end, BodyEnd::Reset(_) | BodyEnd::ResetAfter);
    let reset = resets.then(|| ResetOnDrop(connection.clone()));
    let chunks = chunks(body, delivery, connection).boxed();
    Response::from_parts(parts, Body::from_stream(DeliveredBody { chunks, _reset: reset }))
}

/// The chunks of a body, and the error or the wait after the last one.
fn chunks(
    body: Bytes,
    delivery: Delivery,
    connection: ConnectionHandle,
) -> impl Stream<Item = Chunk> {
    let (size, interval) = pace(delivery, body.len());
    stream::unfold((body, true), move |(mut body, first)| {
        let connection = connection.clone();
        async move {
            if !body.is_empty() {
                if !first {
                    tokio::time::sleep(interval).await;
                }
                let chunk = body.split_to(size.min(body.len()));
                return Some((Ok(chunk), (body, false)));
            }
            match delivery.end {
                BodyEnd::Complete | BodyEnd::ResetAfter => None,
                BodyEnd::Truncated(_) => {
                    // An immediate error would discard the chunks that are not sent yet.
                    connection.flushed().await;
                    Some((Err(BodyTruncated), (body, false)))
                }
                BodyEnd::Reset(_) => {
                    connection.reset();
                    std::future::pending().await
                }
            }
        }
    })
}

type Chunk = Result<Bytes, BodyTruncated>;

/// The size of the chunks of a body in bytes, and the interval between two.
fn pace(delivery: Delivery, length: usize) -> (usize, Duration) {
    let Some(rate) = delivery.bytes_per_second else { return (length.max(1), Duration::ZERO) };
    let size = (f64::from(rate.get()) * CHUNK_INTERVAL.as_secs_f64()).max(1.0).floor();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 2^32 / 20
    let bytes = size as usize;
    (bytes, Duration::from_secs_f64(size / f64::from(rate.get())))
}

/// A body that resets the connection when the connection has taken all of it.
struct DeliveredBody {
    chunks: BoxStream<'static, Chunk>,
    _reset: Option<ResetOnDrop>,
}

impl Stream for DeliveredBody {
    type Item = Chunk;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        self.chunks.as_mut().poll_next(cx)
    }
}

/// hyper drops a body after it has passed the end of the body to the connection.
struct ResetOnDrop(ConnectionHandle);

impl Drop for ResetOnDrop {
    fn drop(&mut self) {
        self.0.reset();
    }
}

/// Ends a body before its announced end.
#[derive(Debug)]
struct BodyTruncated;

impl fmt::Display for BodyTruncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault truncates the body")
    }
}

impl std::error::Error for BodyTruncated {}

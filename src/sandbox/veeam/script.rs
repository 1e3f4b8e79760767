//! Mishaps on order: the next requests to a place get a given answer, half of one, or none.
//!
//! A script is asked before anything else, so that it also stands for proxies and broken networks in
//! front of the server.

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};

/// What a request gets in place of its answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Exactly this. A status or header that HTTP does not know makes it an empty 500.
    Verbatim {
        /// The status code.
        status: u16,
        /// Header names and values.
        headers: Vec<(String, String)>,
        /// The body as it is.
        body: Vec<u8>,
    },
    /// Its real answer, whose `Content-Length` promises all of the body, of which half comes before
    /// the connection is closed.
    CutShort,
    /// The connection is closed without a byte.
    HangUp,
    /// Nothing, for as long as the client waits.
    Silence,
}

impl Reply {
    /// A verbatim reply with no headers of its own.
    pub fn status(status: u16, body: &str) -> Self {
        Reply::Verbatim { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }
}

/// The replies still to be given, the oldest order first.
#[derive(Debug, Default)]
pub(super) struct Script {
    orders: Vec<Order>,
}

#[derive(Debug)]
struct Order {
    times: usize,
    method: Method,
    target: String,
    reply: Reply,
}

impl Script {
    pub(super) fn add(&mut self, times: usize, method: Method, target: &str, reply: Reply) {
        self.orders.push(Order { times, method, target: target.to_owned(), reply });
    }

    /// What a request for `target` (path and query) gets by order.
    pub(super) fn next(&mut self, method: &Method, target: &str) -> Option<Reply> {
        let order = self.orders.iter_mut().find(|order| {
            order.times > 0 && order.method == *method && target.contains(&order.target)
        })?;
        order.times -= 1;
        Some(order.reply.clone())
    }
}

/// A reply given word by word.
pub(super) fn verbatim(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap_or_else(|_| {
        let mut broken = Response::new(Body::empty());
        *broken.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}

/// A reply of which only half arrives.
pub(super) async fn cut_short(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    let breaking = stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                // Gives the server a turn to send what it has before the connection dies.
                tokio::task::yield_now().await;
                Some((Err(Closed), None))
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(breaking))
}

/// A reply whose connection dies before it begins.
pub(super) fn hang_up() -> Response {
    let nothing: Result<Bytes, Closed> = Err(Closed);
    Response::new(Body::from_stream(stream::iter([nothing])))
}

#[derive(Debug, thiserror::Error)]
#[error("the connection is closed by order")]
struct Closed;

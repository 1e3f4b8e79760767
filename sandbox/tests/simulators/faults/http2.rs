//! Interruptions over HTTP/2, which only Azure supports: truncation ends one stream, and a reset ends the
//! connection with all of its streams.

use std::io::{self, ErrorKind};

use http::{Request, header::CONTENT_LENGTH};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncWriteExt, copy, duplex, split};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::fixture::{Fixture, TIMEOUT};

/// A connection, and the errors of its two directions. h2 itself does not distinguish a reset from an end.
struct Connection {
    sender: SendRequest<String>,
    received: JoinHandle<io::Result<u64>>,
    sent: JoinHandle<io::Result<u64>>,
}

impl Connection {
    async fn new(fixture: &Fixture) -> Self {
        let tls = fixture.azure().connect_with(&[b"h2"]).await;
        let (client_end, proxy_end) = duplex(1 << 20);
        let ((mut tls_read, mut tls_write), (mut proxy_read, mut proxy_write)) =
            (split(tls), split(proxy_end));
        let received = tokio::spawn(async move {
            let ended = copy(&mut tls_read, &mut proxy_write).await;
            proxy_write.shutdown().await.unwrap();
            ended
        });
        let sent = tokio::spawn(async move { copy(&mut proxy_read, &mut tls_write).await });
        let (sender, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(client_end)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, received, sent }
    }

    async fn get(&mut self, fixture: &Fixture) -> hyper::Result<http::Response<Incoming>> {
        let url = format!("{}{}", fixture.azure.endpoint(), fixture.azure().target);
        let bearer = format!("Bearer {}", fixture.azure.static_token());
        let request = Request::get(url).header("authorization", bearer);
        let response = self.sender.send_request(request.body(String::new()).unwrap());
        timeout(TIMEOUT, response).await.expect("something comes")
    }

    /// Whether the peer has reset it. The direction that receives the error first hides it from the other.
    async fn ends_by_reset(self) -> bool {
        let Self { sender: _sender, received, sent } = self;
        let both = async { (received.await.unwrap(), sent.await.unwrap()) };
        let (received, sent) = timeout(TIMEOUT, both).await.expect("it ends");
        [received, sent]
            .into_iter()
            .filter_map(Result::err)
            // A write after the reset fails with the second.
            .any(|error| matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe))
    }
}

/// The received length of a body, and whether it is complete.
async fn receive_body(mut body: Incoming) -> (usize, bool) {
    let mut length = 0;
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await;
        match frame {
            None => return (length, true),
            Some(Ok(frame)) => length += frame.into_data().map_or(0, |data| data.len()),
            Some(Err(_)) => return (length, false),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn truncation_ends_one_stream_and_not_the_connection() {
    let fixture = Fixture::new().await;
    let full_length = fixture.azure().full_body().await.len();
    let mut connection = Connection::new(&fixture).await;
    for _ in 0..50 {
        fixture.azure().inject("GET times=1 truncate=50%").await;
        let response = connection.get(&fixture).await.unwrap();
        assert_eq!(response.headers()[CONTENT_LENGTH], full_length.to_string());
        assert_eq!(receive_body(response.into_body()).await, (full_length / 2, false));
        let response = connection.get(&fixture).await.unwrap();
        assert_eq!(receive_body(response.into_body()).await, (full_length, true));
    }
}

/// A client of HTTP/2 writes while it reads. If a write fails first, it discards what it has not read yet, so it can
/// see fewer bytes than were sent, but never more.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_follows_the_exact_number_of_bytes() {
    let fixture = Fixture::new().await;
    let full_length = fixture.azure().full_body().await.len();
    for (words, length, all) in [("during", full_length / 2, false), ("after", full_length, true)] {
        let mut exact = 0;
        for _ in 0..50 {
            fixture.azure().inject(&format!("GET times=1 reset={words}")).await;
            let mut connection = Connection::new(&fixture).await;
            if let Ok(response) = connection.get(&fixture).await {
                let response = receive_body(response.into_body()).await;
                assert!(response.0 <= length && (all || !response.1), "{words}: {response:?}");
                exact += usize::from(response == (length, all));
            }
            assert!(connection.ends_by_reset().await, "{words}");
        }
        assert!(exact > 25, "{words}: only {exact} of 50");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_response_is_received_on_an_interrupted_connection() {
    let fixture = Fixture::new().await;
    for words in ["reset=before", "lose_reply", "hang_up"] {
        fixture.azure().inject(&format!("GET times=1 {words}")).await;
        let mut connection = Connection::new(&fixture).await;
        connection.get(&fixture).await.unwrap_err();
        assert!(words == "hang_up" || connection.ends_by_reset().await, "{words}");
    }
}

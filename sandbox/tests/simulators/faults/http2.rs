//! The same over HTTP/2, which only Azure speaks: a body that is cut off ends its stream, and a reset ends
//! the connection with all of its streams.

use std::io::{self, ErrorKind};

use http::{Request, header::CONTENT_LENGTH};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncWriteExt, copy, duplex, split};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::fixture::{Bench, PATIENCE};

/// A connection, and the errors of its two directions. h2 itself does not tell a reset from an end.
struct Connection {
    sender: SendRequest<String>,
    came: JoinHandle<io::Result<u64>>,
    went: JoinHandle<io::Result<u64>>,
}

impl Connection {
    async fn new(bench: &Bench) -> Self {
        let tls = bench.azure().connect_with(&[b"h2"]).await;
        let (ours, theirs) = duplex(1 << 20);
        let ((mut from, mut to), (mut given, mut taken)) = (split(tls), split(theirs));
        let came = tokio::spawn(async move {
            let ended = copy(&mut from, &mut taken).await;
            taken.shutdown().await.unwrap();
            ended
        });
        let went = tokio::spawn(async move { copy(&mut given, &mut to).await });
        let (sender, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(ours)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, came, went }
    }

    async fn get(&mut self, bench: &Bench) -> hyper::Result<http::Response<Incoming>> {
        let url = format!("{}{}", bench.azure.endpoint(), bench.azure().target);
        let bearer = format!("Bearer {}", bench.azure.static_token());
        let request = Request::get(url).header("authorization", bearer);
        let response = self.sender.send_request(request.body(String::new()).unwrap());
        timeout(PATIENCE, response).await.expect("something comes")
    }

    /// Whether the peer has reset it; whichever direction sees it first keeps it from the other.
    async fn ends_by_reset(self) -> bool {
        let Self { sender: _sender, came, went } = self;
        let both = async { (came.await.unwrap(), went.await.unwrap()) };
        let (came, went) = timeout(PATIENCE, both).await.expect("it ends");
        [came, went]
            .into_iter()
            .filter_map(Result::err)
            // The second is what a write meets that comes behind the reset.
            .any(|error| matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe))
    }
}

/// How much comes of a body, and whether all of it does.
async fn pour(mut body: Incoming) -> (usize, bool) {
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
async fn a_stream_is_cut_off_and_its_neighbours_are_not() {
    let bench = Bench::new().await;
    let whole = bench.azure().whole().await.len();
    let mut connection = Connection::new(&bench).await;
    for _ in 0..50 {
        bench.azure().order("GET times=1 truncate=50%").await;
        let response = connection.get(&bench).await.unwrap();
        assert_eq!(response.headers()[CONTENT_LENGTH], whole.to_string());
        assert_eq!(pour(response.into_body()).await, (whole / 2, false));
        let response = connection.get(&bench).await.unwrap();
        assert_eq!(pour(response.into_body()).await, (whole, true));
    }
}

/// A client of HTTP/2 writes while it reads. When what it writes meets the reset first, it gives up what it has
/// not read yet: then less is seen than has come, but never more.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_comes_after_exactly_so_many_bytes() {
    let bench = Bench::new().await;
    let whole = bench.azure().whole().await.len();
    for (words, length, all) in [("during", whole / 2, false), ("after", whole, true)] {
        let mut exact = 0;
        for _ in 0..50 {
            bench.azure().order(&format!("GET times=1 reset={words}")).await;
            let mut connection = Connection::new(&bench).await;
            if let Ok(response) = connection.get(&bench).await {
                let seen = pour(response.into_body()).await;
                assert!(seen.0 <= length && (all || !seen.1), "{words}: {seen:?}");
                exact += usize::from(seen == (length, all));
            }
            assert!(connection.ends_by_reset().await, "{words}");
        }
        assert!(exact > 25, "{words}: only {exact} of 50");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_of_a_connection_that_breaks_first() {
    let bench = Bench::new().await;
    for words in ["reset=before", "lose_reply", "hang_up"] {
        bench.azure().order(&format!("GET times=1 {words}")).await;
        let mut connection = Connection::new(&bench).await;
        connection.get(&bench).await.unwrap_err();
        assert!(words == "hang_up" || connection.ends_by_reset().await, "{words}");
    }
}

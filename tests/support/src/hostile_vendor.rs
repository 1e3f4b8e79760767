//! A vendor that answers with bytes of the test's choice, over plain HTTP on loopback.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it answers; the connection is closed behind it.
#[derive(Clone)]
pub enum Answer {
    /// These bytes, head included.
    Bytes(Vec<u8>),
    /// The first bytes, then the others again and again for as long as anyone reads.
    Endless(Vec<u8>, Vec<u8>),
}

/// By the request line, without the protocol: `GET /path?query`.
type Play = dyn Fn(&str) -> Answer + Send + Sync;

pub struct Vendor {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl Vendor {
    pub async fn start(play: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (play, noted): (Arc<Play>, _) = (Arc::new(play), Arc::clone(&asked));
        let listening = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&play), Arc::clone(&noted)));
            }
        });
        Self { address, asked, listening }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The request lines so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Reads one request and answers it. That the gateway goes away in the middle is what it should do.
async fn serve(
    mut socket: TcpStream,
    play: Arc<Play>,
    asked: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut request = Vec::new();
    let head = loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break String::from_utf8(request[..end].to_vec()).unwrap();
        }
        if socket.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    while request.len() < head.len() + 4 + length.unwrap_or(0) {
        socket.read_buf(&mut request).await.ok()?;
    }
    let line = head.lines().next()?.strip_suffix(" HTTP/1.1")?.to_owned();
    asked.lock().unwrap().push(line.clone());
    match play(&line) {
        Answer::Bytes(bytes) => socket.write_all(&bytes).await.ok()?,
        Answer::Endless(first, rest) => {
            socket.write_all(&first).await.ok()?;
            // Large writes, so that it is the gateway that is measured.
            let many = rest.repeat((64 * 1024 / rest.len()).max(1));
            while socket.write_all(&many).await.is_ok() {}
        }
    }
    socket.shutdown().await.ok()
}

impl Answer {
    /// A whole answer.
    pub fn new(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let length = format!("content-length: {}", body.len());
        Self::Bytes([&head(status, &[headers, &[&length]].concat()), body].concat())
    }

    pub fn json(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, &["content-type: application/json"], body)
    }

    pub fn xml(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, &["content-type: application/xml"], body)
    }

    /// A body that begins so, goes on so, and ends with the connection, which is never.
    pub fn endless(begin: &str, part: &str) -> Self {
        Self::Endless([&head(200, &[]), begin.as_bytes()].concat(), part.as_bytes().to_vec())
    }

    /// The same, a thousandth as large on the wire.
    pub fn bomb(begin: &str, part: &str) -> Self {
        let part = part.repeat((1 << 20) / part.len());
        let first = [head(200, &["content-encoding: gzip"]), GZIP.to_vec(), block(begin)].concat();
        Self::Endless(first, block(&part))
    }
}

/// A gzip header: nothing known of the file.
pub const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A text as blocks of a deflate stream that refer to nothing before them, so that they can be repeated.
fn block(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

/// A head whose body ends with the connection, unless one of `headers` says otherwise.
pub fn head(status: u16, headers: &[&str]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

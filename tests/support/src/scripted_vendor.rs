//! A vendor that a test scripts byte by byte, over plain HTTP/1.1 on a loopback port.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The header of a gzip file, without optional fields (RFC 1952).
pub const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The reply to a request, which is its request line without the protocol: `GET /path?query`.
type Script = dyn Fn(&str) -> Reply + Send + Sync;

/// A reply on the wire, after which the connection is closed.
#[derive(Clone)]
pub enum Reply {
    /// These bytes, which begin with the status line.
    Bytes(Vec<u8>),
    /// Bytes that begin with the status line, followed by other bytes which are repeated until the client closes the
    /// connection.
    Endless(Vec<u8>, Vec<u8>),
}

impl Reply {
    /// A complete response. A header is `name: value`.
    pub fn new(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let length = format!("content-length: {}", body.len());
        Self::Bytes([&head(status, &[headers, &[&length]].concat()), body].concat())
    }

    /// A complete response of JSON.
    pub fn json(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, &["content-type: application/json"], body)
    }

    /// A complete response of XML.
    pub fn xml(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, &["content-type: application/xml"], body)
    }

    /// A body that begins with `start` and goes on with `repeated` for ever.
    pub fn endless(start: &str, repeated: &str) -> Self {
        Self::Endless([&head(200, &[]), start.as_bytes()].concat(), repeated.as_bytes().to_vec())
    }

    /// The same body in the encoding gzip, about a thousandth as large on the wire.
    pub fn gzip_bomb(start: &str, repeated: &str) -> Self {
        let repeated = repeated.repeat((1 << 20) / repeated.len());
        let head = head(200, &["content-encoding: gzip"]);
        let first = [head, GZIP_HEADER.to_vec(), deflate(start)].concat();
        Self::Endless(first, deflate(&repeated))
    }
}

/// The status line and headers of a response whose body ends with the connection, unless one of `headers` says
/// otherwise.
pub fn head(status: u16, headers: &[&str]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Blocks of a deflate stream that refer to nothing before them, so that they can be repeated.
fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

/// A running vendor; it stops when it is dropped.
pub struct ScriptedVendor {
    address: SocketAddr,
    request_lines: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl ScriptedVendor {
    /// Starts a vendor that replies to every request as `script` does to its request line (`GET /path?query`).
    pub async fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let request_lines = Arc::new(Mutex::new(Vec::new()));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&request_lines));
        let serving = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { address, request_lines, serving }
    }

    /// Its URL, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The request lines of all requests so far.
    pub fn request_lines(&self) -> Vec<String> {
        self.request_lines.lock().unwrap().clone()
    }
}

impl Drop for ScriptedVendor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Reads one request and replies to it. Returns none if the client closes the connection early, as the gateway should
/// when it has read too much.
async fn serve(
    mut socket: TcpStream,
    script: Arc<Script>,
    request_lines: Arc<Mutex<Vec<String>>>,
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
    let request_line = head.lines().next()?.strip_suffix(" HTTP/1.1")?.to_owned();
    request_lines.lock().unwrap().push(request_line.clone());
    match script(&request_line) {
        Reply::Bytes(bytes) => socket.write_all(&bytes).await.ok()?,
        Reply::Endless(start, repeated) => {
            socket.write_all(&start).await.ok()?;
            // Large writes, so that the gateway is the bottleneck.
            let chunk = repeated.repeat((64 * 1024 / repeated.len()).max(1));
            while socket.write_all(&chunk).await.is_ok() {}
        }
    }
    socket.shutdown().await.ok()
}

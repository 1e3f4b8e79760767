//! Where connections come from: TCP, TCP with TLS, a Unix socket.
//!
//! Sockets are bound by the caller; the file of a Unix socket is removed here. Certificates are reloaded by the
//! resolver inside the TLS configuration, which is called at each handshake.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time;

use super::socket_file::SocketFile;

/// The pause after a failed accept: without free file descriptors every attempt fails at once.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(250);

/// A bound socket that accepts connections.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Tls(TcpListener, Arc<ServerConfig>),
    /// The file first, so that it is dropped first.
    Unix(Option<SocketFile>, UnixListener),
}

/// An accepted connection, before any handshake.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream, SocketAddr),
    Tls(TcpStream, SocketAddr, Arc<ServerConfig>),
    Unix(UnixStream),
}

/// The other end of a connection: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The address of the socket: that of the proxy, if there is one.
    Tcp(SocketAddr),
    /// A process on this machine.
    Unix,
}

impl Listener {
    /// HTTP/2 in plaintext.
    pub fn tcp(socket: TcpListener) -> Self {
        Self(Kind::Tcp(socket))
    }

    /// HTTP/2 over TLS. The ALPN names in `config` are replaced: gRPC is `h2` and nothing else.
    pub fn tls(socket: TcpListener, mut config: ServerConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self(Kind::Tls(socket, Arc::new(config)))
    }

    /// HTTP/2 in plaintext for this machine only. The socket's file is removed when the listener is dropped, unless
    /// another process has replaced it.
    pub fn unix(socket: UnixListener) -> Self {
        Self(Kind::Unix(SocketFile::of(&socket), socket))
    }

    /// The same socket for HTTP/1.1 alone, in ALPN too.
    pub(super) fn for_http1(mut self) -> Self {
        if let Kind::Tls(_, config) = &mut self.0 {
            Arc::make_mut(config).alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        self
    }

    /// Logs that this listener serves `service`.
    pub(super) fn log_listening(&self, service: &str) {
        let tls = matches!(self.0, Kind::Tls(..));
        tracing::info!(service, address = %self.address(), tls, "listening");
    }

    /// As in the configuration, but with the port that was really bound.
    fn address(&self) -> String {
        match &self.0 {
            Kind::Tcp(socket) | Kind::Tls(socket, _) => {
                socket.local_addr().map_or_else(|error| error.to_string(), |it| it.to_string())
            }
            Kind::Unix(None, _) => "unix:".to_owned(),
            Kind::Unix(Some(file), _) => format!("unix:{}", file.path().display()),
        }
    }

    /// The next connection. Errors are logged, and accepting is retried until it succeeds.
    pub(super) async fn accept(&self) -> Socket {
        loop {
            match self.try_accept().await {
                Ok(socket) => return socket,
                Err(error) if is_connection_error(&error) => {
                    tracing::debug!(%error, "a connection was closed before it was accepted");
                }
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    time::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    }

    async fn try_accept(&self) -> io::Result<Socket> {
        match &self.0 {
            Kind::Tcp(socket) => {
                let (stream, peer) = accept_tcp(socket).await?;
                Ok(Socket::Tcp(stream, peer))
            }
            Kind::Tls(socket, config) => {
                let (stream, peer) = accept_tcp(socket).await?;
                Ok(Socket::Tls(stream, peer, Arc::clone(config)))
            }
            Kind::Unix(_, socket) => Ok(Socket::Unix(socket.accept().await?.0)),
        }
    }
}

async fn accept_tcp(socket: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = socket.accept().await?;
    // gRPC sends small frames: Nagle's algorithm would only delay them.
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}

/// Whether an error concerns one connection and not the listener.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected,
    };
    // The last two come from setting options on a socket whose peer has closed it already.
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

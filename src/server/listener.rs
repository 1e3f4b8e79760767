//! Where connections come from: TCP, TCP with TLS, a Unix socket.
//!
//! Sockets are bound by the caller, who knows what a stale socket file or a privileged port means.
//! Certificates are reloaded by the resolver inside the TLS configuration, which is asked at each
//! handshake.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::time;

/// How long to leave the listener alone when accepting fails: without file descriptors it fails at
/// once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// A bound socket that accepts connections.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Tls(TcpListener, Arc<ServerConfig>),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// An accepted connection, before any handshake.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream, SocketAddr),
    Tls(TcpStream, SocketAddr, Arc<ServerConfig>),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Who is at the other end: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The address as the socket tells it: that of a proxy, if there is one.
    Tcp(SocketAddr),
    /// Someone on this machine.
    Unix,
}

impl Listener {
    /// Plain HTTP/2.
    pub fn tcp(socket: TcpListener) -> Self {
        Self(Kind::Tcp(socket))
    }

    /// HTTP/2 over TLS. The ALPN names in `config` are replaced: gRPC is `h2` and nothing else.
    pub fn tls(socket: TcpListener, mut config: ServerConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self(Kind::Tls(socket, Arc::new(config)))
    }

    /// Plain HTTP/2 for this machine only.
    #[cfg(unix)]
    pub fn unix(socket: UnixListener) -> Self {
        Self(Kind::Unix(socket))
    }

    /// The same for HTTP/1 alone, which TLS must say as well.
    pub(super) fn for_http1(mut self) -> Self {
        if let Kind::Tls(_, config) = &mut self.0 {
            Arc::make_mut(config).alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        self
    }

    /// The next connection, however long it takes until one can be accepted.
    pub(super) async fn accept(&self) -> Socket {
        loop {
            match self.try_accept().await {
                Ok(socket) => return socket,
                Err(error) if is_of_one_connection(&error) => {
                    tracing::debug!(%error, "a connection was gone before it was accepted");
                }
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    time::sleep(ACCEPT_PAUSE).await;
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
            #[cfg(unix)]
            Kind::Unix(socket) => Ok(Socket::Unix(socket.accept().await?.0)),
        }
    }
}

async fn accept_tcp(socket: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = socket.accept().await?;
    // Small frames are all that gRPC sends: waiting to fill a segment only delays answers.
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected,
    };
    // The last two come from setting options on a socket whose peer has left already.
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

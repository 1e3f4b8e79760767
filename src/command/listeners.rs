//! Opening what the configuration says to listen on.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::CommandError;
use super::certificate::Certificate;
use crate::config::Address;
use crate::server::Listener;

/// Binds each address.
///
/// # Errors
/// An address that is taken or not this machine's.
pub(super) async fn open(
    addresses: &[Address],
    certificate: Option<&Arc<Certificate>>,
) -> Result<Vec<Listener>, CommandError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        listeners.push(open_one(address, certificate).await?);
    }
    Ok(listeners)
}

/// Binds one address.
///
/// # Errors
/// As [`open`].
pub(super) async fn open_one(
    address: &Address,
    certificate: Option<&Arc<Certificate>>,
) -> Result<Listener, CommandError> {
    tracing::info!(?address, tls = certificate.is_some(), "listening");
    Ok(match address {
        Address::Tcp(tcp) => {
            let socket = TcpListener::bind(tcp).await.map_err(|error| refuse(tcp, &error))?;
            match certificate {
                None => Listener::tcp(socket),
                Some(certificate) => Listener::tls(socket, certificate.server_config()?),
            }
        }
        // Who may open a socket file is the file system's business; TLS would add nothing.
        Address::Unix(path) => {
            let shown = path.display();
            remove_stale(path).await.map_err(|error| refuse(&shown, &error))?;
            let socket = UnixListener::bind(path).map_err(|error| refuse(&shown, &error))?;
            Listener::unix(socket)
        }
    })
}

/// A socket file that nobody answers on is left over from a process that died.
async fn remove_stale(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens on it")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Err(_) => Ok(()),
    }
}

fn refuse(address: &dyn std::fmt::Display, error: &io::Error) -> CommandError {
    CommandError::Other(format!("cannot listen on {address}: {error}"))
}

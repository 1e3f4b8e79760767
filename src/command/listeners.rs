//! Binds the addresses of the configuration.
//!
//! `server` serves on them, logs them and removes the files of Unix sockets when it closes them.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::certificate::Certificate;
use super::error::CommandError;
use crate::config::Address;
use crate::server::Listener;

/// Binds all addresses, or none.
///
/// # Errors
/// An address that is in use or not one of this machine's.
pub(super) async fn bind_all(
    addresses: &[Address],
    certificate: Option<&Arc<Certificate>>,
) -> Result<Vec<Listener>, CommandError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        listeners.push(bind(address, certificate).await?);
    }
    Ok(listeners)
}

/// Binds one address, with TLS if it is a TCP address and there is a certificate.
///
/// # Errors
/// As [`bind_all`].
pub(super) async fn bind(
    address: &Address,
    certificate: Option<&Arc<Certificate>>,
) -> Result<Listener, CommandError> {
    Ok(match address {
        Address::Tcp(tcp) => {
            let socket = TcpListener::bind(tcp).await.map_err(|error| failure(tcp, &error))?;
            match certificate {
                None => Listener::tcp(socket),
                Some(certificate) => Listener::tls(socket, certificate.server_config()?),
            }
        }
        // The permissions of the socket file say who may connect; TLS would add nothing.
        Address::Unix(path) => {
            let socket = bind_unix(path).await.map_err(|error| failure(&path.display(), &error))?;
            Listener::unix(socket)
        }
    })
}

async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens on it")),
        // A socket without a listener is left over from a process that was killed. connect(2) fails in the same way
        // for other kinds of files: those are kept, and the bind fails.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        Err(_) => UnixListener::bind(path),
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

fn failure(address: &dyn std::fmt::Display, error: &io::Error) -> CommandError {
    CommandError::Other(format!("cannot listen on {address}: {error}"))
}

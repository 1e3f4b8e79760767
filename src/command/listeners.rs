//! Opening what the configuration says to listen on.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::Failure;
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
) -> Result<Vec<Listener>, Failure> {
    let tls = certificate.map(Certificate::server_config).transpose()?;
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        tracing::info!(?address, tls = tls.is_some(), "listening");
        listeners.push(match address {
            Address::Tcp(tcp) => {
                let socket = TcpListener::bind(tcp).await.map_err(|error| refuse(tcp, &error))?;
                match &tls {
                    None => Listener::tcp(socket),
                    Some(tls) => Listener::tls(socket, tls.clone()),
                }
            }
            // Who may open a socket file is the file system's business; TLS would add nothing.
            Address::Unix(path) => {
                let shown = path.display();
                remove_stale(path).await.map_err(|error| refuse(&shown, &error))?;
                let socket = UnixListener::bind(path).map_err(|error| refuse(&shown, &error))?;
                Listener::unix(socket)
            }
        });
    }
    Ok(listeners)
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

fn refuse(address: &dyn std::fmt::Display, error: &io::Error) -> Failure {
    Failure::Other(format!("cannot listen on {address}: {error}"))
}

//! Opening what the configuration says to listen on.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::Failure;
use crate::config::{Address, TlsConfig};
use crate::server::Listener;

/// Binds each address.
///
/// # Errors
/// An address that is taken or not this machine's, a certificate that is none.
pub(super) async fn open(
    addresses: &[Address],
    tls: Option<&TlsConfig>,
) -> Result<Vec<Listener>, Failure> {
    let tls = tls.map(server_config).transpose()?;
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
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

/// Reads certificate and key.
///
/// # Errors
/// A file that is not there or holds something else.
pub(super) fn server_config(tls: &TlsConfig) -> Result<ServerConfig, Failure> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&tls.cert.read()?)
        .collect::<Result<_, _>>()
        .map_err(|error| tls.cert.error(&error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&tls.key.read()?)
        .map_err(|error| tls.key.error(&error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Failure::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| tls.cert.error(&format!("it does not go with its key: {error}")))?;
    Ok(config)
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

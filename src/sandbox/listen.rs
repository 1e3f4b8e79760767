//! Listening on loopback over TLS, with a certificate authority made at start and never written to
//! disk.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// What can go wrong when a simulator starts: a port that is taken, a key that cannot be made.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// A throw-away certificate authority. Clients of the sandbox trust its [`Authority::pem`].
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn generate() -> Result<Self, StartError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "restore point sandbox CA");
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The server side of TLS with a leaf for the loopback names, signed by this authority.
    ///
    /// # Errors
    /// When the leaf cannot be made.
    pub fn issue(&self, alpn: &[&str]) -> Result<Identity, StartError> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(loopback_names())?.signed_by(&key, &self.issuer)?;
        Identity::new(&leaf, &key, alpn)
    }
}

/// A server certificate with its key, ready to listen with.
#[derive(Debug)]
pub struct Identity {
    tls: RustlsConfig,
    der: Vec<u8>,
}

impl Identity {
    /// A self-signed certificate, as Enterprise Manager's installer makes one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn self_signed(alpn: &[&str]) -> Result<Self, StartError> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(loopback_names())?.self_signed(&key)?;
        Self::new(&leaf, &key, alpn)
    }

    /// The certificate, DER: what a client that pins it hashes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    fn new(leaf: &rcgen::Certificate, key: &KeyPair, alpn: &[&str]) -> Result<Self, StartError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der())?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self { tls: RustlsConfig::from_config(Arc::new(config)), der: leaf.der().to_vec() })
    }
}

fn loopback_names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec()
}

/// A simulator that is listening; it stops when this is dropped.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
}

impl Listening {
    /// Serves `router` on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(router: axum::Router, identity: Identity) -> Result<Self, StartError> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, identity.tls)?.handle(handle.clone());
        tokio::spawn(async move {
            if let Err(error) = server.serve(router.into_make_service()).await {
                tracing::error!(%error, "a simulator stopped");
            }
        });
        Ok(Self { address, handle })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

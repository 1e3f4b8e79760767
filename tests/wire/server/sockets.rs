//! Sockets other than plaintext TCP.

use std::io;
use std::sync::Arc;

use restore_point_gateway::server::{Drain, Listener, ServerExit};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use restore_point_test_support::wait::in_time;

use super::fixture::{TestServer, client, get, http2_client};

#[tokio::test]
async fn a_unix_socket_serves_calls() {
    let path = std::env::temp_dir().join(format!("restore-point-gateway-{}", std::process::id()));
    let socket = tokio::net::UnixListener::bind(&path).unwrap();
    let unused = ([0, 0, 0, 0], 0).into();
    let server = TestServer::on(Listener::unix(socket), unused, Drain::default());
    let stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let response = in_time(client(http2_client(stream).await).get(get("peer"))).await.unwrap();
    assert_eq!(response.get_ref().name, "unix");
    assert_eq!(server.stop().await, ServerExit::Drained);
}

#[tokio::test]
async fn tls_serves_http2_only() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![cert.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let server = TestServer::on(Listener::tls(socket, config), address, Drain::default());

    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let connect = async |alpn: &[u8]| -> io::Result<_> {
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let stream = TcpStream::connect(address).await?;
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    let stream = in_time(connect(b"h2")).await.unwrap();
    let client_address = stream.get_ref().0.local_addr().unwrap();
    let response = in_time(client(http2_client(stream).await).get(get("peer"))).await.unwrap();
    assert_eq!(response.get_ref().name, client_address.to_string());
    in_time(connect(b"http/1.1")).await.expect_err("gRPC is HTTP/2");
    assert_eq!(server.stop().await, ServerExit::Drained);
}

//! All simulators with their admin API, and sockets that capture every byte.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use restore_point_sandbox::azure::Azure;
use restore_point_sandbox::veeam_em::EnterpriseManager;
use restore_point_sandbox::{Admin, CertificateAuthority, Clock, SimulatedVendor, azure, veeam_em};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// For everything that a test expects to happen.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a test waits to see that nothing happens.
pub(crate) const QUIET_PERIOD: Duration = Duration::from_millis(200);

pub(crate) struct Fixture {
    pub(crate) azure: Arc<Azure>,
    pub(crate) veeam: Arc<EnterpriseManager>,
    pub(crate) admin: Admin,
    pub(crate) http: reqwest::Client,
    pub(crate) ca_pem: String,
    session: String,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a TLS close_notify.
    CloseNotify,
    /// With a TCP FIN only.
    Closed,
    /// With a TCP RST.
    Reset,
}

/// Everything that was received on a connection.
#[derive(Debug)]
pub(crate) struct CapturedResponse {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

impl CapturedResponse {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).expect("a status line").parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn content_length(&self) -> usize {
        self.header("content-length").expect("a Content-Length").parse().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty() && self.body.is_empty()
    }
}

/// One of the simulators, and a target that it serves.
pub(crate) struct Vendor<'a> {
    pub(crate) name: &'static str,
    pub(crate) target: String,
    fixture: &'a Fixture,
    authorization: String,
    port: u16,
    root: Vec<u8>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let ca = CertificateAuthority::generate().unwrap();
        let settings = azure::Settings { clock: clock.clone(), ..azure::Settings::default() };
        let azure = Arc::new(Azure::start(settings, &ca).unwrap());
        let settings = veeam_em::Settings::new(clock.clone());
        let veeam = Arc::new(EnterpriseManager::start(settings).unwrap());
        let address = "127.0.0.1:0".parse().unwrap();
        let vendors: [Arc<dyn SimulatedVendor>; 2] =
            [Arc::<Azure>::clone(&azure), Arc::<EnterpriseManager>::clone(&veeam)];
        let admin = Admin::start(address, vendors.to_vec(), clock.clone());
        let admin = admin.await.unwrap();
        let http = reqwest::Client::builder().no_proxy();
        let trusted = reqwest::Certificate::from_der(veeam.certificate_der()).unwrap();
        let http = http.tls_certs_only([trusted]).build().unwrap();
        let logon = http.post(format!("{}/sessionMngr/?v=latest", veeam.url()));
        let logon = logon.basic_auth(veeam.username(), Some(veeam.password()));
        let logon = logon.header("content-length", "0").send().await.unwrap();
        let session = logon.headers()["x-restsvcsessionid"].to_str().unwrap().to_owned();
        Self { azure, veeam, admin, http, ca_pem: ca.pem(), session }
    }

    pub(crate) fn vendors(&self) -> [Vendor<'_>; 2] {
        [self.azure(), self.veeam()]
    }

    pub(crate) fn azure(&self) -> Vendor<'_> {
        let port = |url: String| url::Url::parse(&url).unwrap().port().unwrap();
        Vendor {
            name: "azure",
            target: format!("{}?api-version=2024-07-01", self.azure.seeded().points[0]),
            fixture: self,
            authorization: format!("Authorization: Bearer {}", self.azure.static_token()),
            port: port(self.azure.endpoint()),
            root: der(&self.ca_pem),
        }
    }

    pub(crate) fn veeam(&self) -> Vendor<'_> {
        Vendor {
            name: "veeam",
            target: "/api/query?type=CloudVmReplicaPoint&format=Entities".to_owned(),
            fixture: self,
            authorization: format!("X-RestSvcSessionId: {}", self.session),
            port: url::Url::parse(&self.veeam.url()).unwrap().port().unwrap(),
            root: self.veeam.certificate_der().to_vec(),
        }
    }

    /// Status and body of a request to the admin API.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.admin.url());
        let reply = self.http.request(method, url).body(body.to_owned()).send().await.unwrap();
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}")))
    }
}

impl Vendor<'_> {
    /// Adds a fault.
    pub(crate) async fn inject(&self, words: &str) {
        let path = format!("/{}/faults", self.name);
        let (status, body) = self.fixture.admin(Method::POST, &path, words).await;
        assert_eq!(status, 201, "{words}: {body}");
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_with(&[]).await
    }

    pub(crate) async fn connect_with(&self, alpn: &[&[u8]]) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.root.clone().into()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap()
    }

    /// Sends a request. The connection may stay open after it.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        extra: &str,
    ) -> TlsStream<TcpStream> {
        let mut tls = self.connect().await;
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost:{}\r\n{}\r\n{extra}\r\n",
            self.port, self.authorization
        );
        tls.write_all(request.as_bytes()).await.unwrap();
        tls
    }

    /// Sends a request and reads until the server ends the connection.
    pub(crate) async fn request(
        &self,
        method: &str,
        target: &str,
        extra: &str,
    ) -> CapturedResponse {
        let tls = self.send(method, target, extra).await;
        timeout(TIMEOUT, read(tls)).await.expect("the connection ends")
    }

    /// GET, on a connection that the server may keep open.
    pub(crate) async fn get(&self) -> CapturedResponse {
        self.request("GET", &self.target, "").await
    }

    /// GET, on a connection that the server has to close after it.
    pub(crate) async fn get_and_close(&self) -> CapturedResponse {
        self.request("GET", &self.target, "Connection: close\r\n").await
    }

    /// The body of the real response.
    pub(crate) async fn full_body(&self) -> Vec<u8> {
        let response = self.get_and_close().await;
        assert_eq!((response.status(), &response.end), (200, &End::CloseNotify), "{response:?}");
        assert_eq!(response.body.len(), response.content_length());
        response.body
    }

    /// No byte is received in response to a GET.
    pub(crate) async fn assert_silent(&self) {
        let mut tls = self.send("GET", &self.target, "").await;
        let first = timeout(QUIET_PERIOD, tls.read_u8()).await;
        assert!(first.is_err(), "{}: {first:?}", self.name);
    }
}

/// Everything until the connection ends.
pub(crate) async fn read(mut tls: TlsStream<TcpStream>) -> CapturedResponse {
    let mut bytes = Vec::new();
    let end = loop {
        match tls.read_buf(&mut bytes).await {
            Ok(0) => break End::CloseNotify,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break End::Closed,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Err(error) => panic!("{error:?}"),
        }
    };
    match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        None => CapturedResponse { head: String::new(), body: bytes, end },
        Some(at) => {
            let body = bytes.split_off(at + 4);
            CapturedResponse { head: String::from_utf8(bytes).unwrap(), body, end }
        }
    }
}

fn der(pem: &str) -> Vec<u8> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

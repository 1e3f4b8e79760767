//! A running simulator with a manual clock, and a client that trusts it.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use restore_point_sandbox::Clock;
use restore_point_sandbox::veeam_em::{EnterpriseManager, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";
pub(crate) const CRM: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
pub(crate) const ABC: &str = "8393c284-c953-403f-a9b9-cff63e0c6815";
pub(crate) const TOKEN: &str = "x-restsvcsessionid";

pub(crate) struct Fixture {
    pub(crate) em: EnterpriseManager,
    pub(crate) clock: Clock,
    pub(crate) client: Client,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Clock::manual("2026-06-16T06:00:00.123456Z".parse::<Timestamp>().unwrap());
        let mut settings = Settings::new(clock.clone());
        change(&mut settings);
        let em = EnterpriseManager::start(settings).unwrap();
        let certificate = reqwest::Certificate::from_der(em.certificate_der()).unwrap();
        let client = Client::builder().tls_certs_only([certificate]).build().unwrap();
        Self { em, clock, client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.em.url() + path).header("content-length", "0")
    }

    pub(crate) async fn log_on(&self) -> String {
        let reply = self.log_on_as(self.em.username(), self.em.password(), "?v=latest").await;
        assert_eq!(reply.status(), StatusCode::CREATED);
        header(&reply, TOKEN)
    }

    pub(crate) async fn log_on_as(&self, user: &str, password: &str, version: &str) -> Response {
        let path = format!("/sessionMngr/{version}");
        let request = self.request(Method::POST, &path).basic_auth(user, Some(password));
        request.send().await.unwrap()
    }

    pub(crate) async fn send(&self, method: Method, path: &str) -> Response {
        let token = self.log_on().await;
        self.request(method, path).header(TOKEN, token).send().await.unwrap()
    }

    /// GET in a new logon session.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let reply = self.send(Method::GET, path).await;
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    pub(crate) async fn query(&self, query: &[(&str, &str)]) -> (u16, String) {
        let mut target = url::form_urlencoded::Serializer::new(String::new());
        target.append_pair("type", "CloudVmReplicaPoint").extend_pairs(query);
        self.get(&format!("/query?{}", target.finish())).await
    }

    /// The names of the points that match a filter, sorted by time.
    pub(crate) async fn names(&self, filter: &str) -> Vec<String> {
        let (status, body) = self.query(&[("filter", filter), ("sortAsc", "creationtime")]).await;
        assert_eq!(status, 200, "{filter}: {body}");
        names(&body)
    }
}

pub(crate) fn header(reply: &Response, name: &str) -> String {
    reply.headers()[name].to_str().unwrap().to_owned()
}

pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} in {text}")).0
}

/// The names of all references of a list.
pub(crate) fn names(body: &str) -> Vec<String> {
    body.split("<Ref ").skip(1).map(|item| between(item, "Name=\"", "\"").to_owned()).collect()
}

/// Sends raw bytes and reads until the server closes the connection.
pub(crate) async fn raw(fixture: &Fixture, request: &str) -> Vec<u8> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(fixture.em.certificate_der().to_vec().into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let url = url::Url::parse(&fixture.em.url()).unwrap();
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut tls =
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    // An end without a TLS close_notify is an error, which some tests expect.
    tls.read_to_end(&mut reply).await.ok();
    reply
}

//! The simulated Enterprise Manager, byte by byte, as a plain HTTP client sees it.
//!
//! Nothing of the gateway is used here: the simulator is held against what the vendor says.

mod backups;
mod bodies;
mod collection;
mod filters;
mod json;
mod logon;
mod mishaps;
mod query;
mod resources;
mod services;
mod tasks;
mod visitors;
mod writing;

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use restore_point_sandbox::Clock;
use restore_point_sandbox::veeam_em::{EnterpriseManager, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";
const CRM: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
const ABC: &str = "8393c284-c953-403f-a9b9-cff63e0c6815";
const TOKEN: &str = "x-restsvcsessionid";

/// A simulator with a clock of its own and a client that trusts it.
struct Bench {
    em: EnterpriseManager,
    clock: Clock,
    client: Client,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Clock::by_hand("2026-06-16T06:00:00.123456Z".parse::<Timestamp>().unwrap());
        let mut settings = Settings::new(clock.clone());
        change(&mut settings);
        let em = EnterpriseManager::start(settings).unwrap();
        let certificate = reqwest::Certificate::from_der(em.certificate_der()).unwrap();
        let client = Client::builder().tls_certs_only([certificate]).build().unwrap();
        Self { em, clock, client }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.em.url() + path).header("content-length", "0")
    }

    async fn log_on(&self) -> String {
        let reply = self.log_on_as(self.em.username(), self.em.password(), "?v=latest").await;
        assert_eq!(reply.status(), StatusCode::CREATED);
        header(&reply, TOKEN)
    }

    async fn log_on_as(&self, user: &str, password: &str, version: &str) -> Response {
        let path = format!("/sessionMngr/{version}");
        let request = self.request(Method::POST, &path).basic_auth(user, Some(password));
        request.send().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str) -> Response {
        let token = self.log_on().await;
        self.request(method, path).header(TOKEN, token).send().await.unwrap()
    }

    /// A logged-on GET.
    async fn get(&self, path: &str) -> (u16, String) {
        let reply = self.send(Method::GET, path).await;
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    async fn query(&self, query: &[(&str, &str)]) -> (u16, String) {
        let mut target = url::form_urlencoded::Serializer::new(String::new());
        target.append_pair("type", "CloudVmReplicaPoint").extend_pairs(query);
        self.get(&format!("/query?{}", target.finish())).await
    }

    /// The names that a filter lets through, sorted by time.
    async fn names(&self, filter: &str) -> Vec<String> {
        let (status, body) = self.query(&[("filter", filter), ("sortAsc", "creationtime")]).await;
        assert_eq!(status, 200, "{filter}: {body}");
        names(&body)
    }
}

fn header(reply: &Response, name: &str) -> String {
    reply.headers()[name].to_str().unwrap().to_owned()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} in {text}")).0
}

/// The names of all references of a list.
fn names(body: &str) -> Vec<String> {
    body.split("<Ref ").skip(1).map(|item| between(item, "Name=\"", "\"").to_owned()).collect()
}

/// What a server says to raw bytes, until it closes the connection.
async fn raw(bench: &Bench, request: &str) -> Vec<u8> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(bench.em.certificate_der().to_vec().into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let url = url::Url::parse(&bench.em.url()).unwrap();
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut tls =
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    // A connection that ends without a goodbye is an error to TLS, and the point of some tests.
    tls.read_to_end(&mut reply).await.ok();
    reply
}

//! A running simulator with a manual clock, and a client that captures raw responses.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Certificate, Client, ClientBuilder, Response};
use restore_point_sandbox::azure::{Azure, Settings};
use restore_point_sandbox::{CertificateAuthority, Clock};
use serde_json::{Value, json};

const V: &str = "api-version=2024-07-01";
/// An api-version of the disk provider.
pub(crate) const DISK: &str = "2024-03-02";
/// An api-version of the compute provider with instant access.
pub(crate) const INSTANT: &str = "2025-04-01";
pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);

pub(crate) struct Fixture {
    pub(crate) azure: Azure,
    pub(crate) clock: Clock,
    pub(crate) http: Client,
    trusted: Certificate,
}

pub(crate) struct CapturedResponse {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl CapturedResponse {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.json()["error"]["code"], code, "{}", self.text);
    }

    pub(crate) fn assert_from_gateway(&self) {
        assert_eq!(self.header("x-ms-failure-cause"), Some("gateway"));
        assert_eq!(self.header("x-ms-request-id"), self.header("x-ms-correlation-request-id"));
        assert_eq!(self.header("x-ms-ratelimit-remaining-resource"), None);
        assert!(!self.text.contains('\n'), "{}", self.text);
    }

    pub(crate) fn assert_from_provider(&self) {
        assert_eq!(self.header("x-ms-failure-cause"), None);
        assert!(self.header("x-ms-ratelimit-remaining-resource").is_some());
        assert!(self.text.starts_with("{\r\n  \""), "{}", self.text);
    }

    /// The members of the body are in this order.
    pub(crate) fn assert_member_order(&self, members: &[&str]) {
        let mut from = 0;
        for member in members {
            let found = self.text[from..].find(&format!("\"{member}\":"));
            from += found
                .unwrap_or_else(|| panic!("{member} is missing or out of order in {}", self.text));
        }
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Clock::manual("2026-04-24T10:48:18.6995494Z".parse::<Timestamp>().unwrap());
        let mut settings = Settings { clock: clock.clone(), ..Settings::default() };
        change(&mut settings);
        let ca = CertificateAuthority::generate().unwrap();
        let azure = Azure::start(settings, &ca).unwrap();
        let trusted = Certificate::from_pem(ca.pem().as_bytes()).unwrap();
        let http = trusting(Client::builder(), &trusted);
        Self { azure, clock, http, trusted }
    }

    /// Another client that trusts the simulator.
    pub(crate) fn client(&self, builder: ClientBuilder) -> Client {
        trusting(builder, &self.trusted)
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        url: &str,
        body: Option<Value>,
    ) -> CapturedResponse {
        let mut request = self.http.request(method, url).bearer_auth(self.azure.static_token());
        if let Some(body) = body {
            request = request.json(&body);
        }
        CapturedResponse::read(request.send().await.unwrap()).await
    }

    pub(crate) fn url(&self, id: &str) -> String {
        let mark = if id.contains('?') { '&' } else { '?' };
        format!("{}{id}{mark}{V}", self.azure.endpoint())
    }

    /// A call with this api-version.
    pub(crate) async fn call_with_version(
        &self,
        version: &str,
        method: Method,
        id: &str,
        body: Option<Value>,
    ) -> CapturedResponse {
        let mark = if id.contains('?') { '&' } else { '?' };
        let url = format!("{}{id}{mark}api-version={version}", self.azure.endpoint());
        self.call(method, &url, body).await
    }

    /// The disk restore points of a point, from the disk provider.
    pub(crate) async fn disks(&self, point: &str) -> Vec<Value> {
        let list = format!("{point}/diskRestorePoints");
        let response = self.call_with_version(DISK, Method::GET, &list, None).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.json()["value"].as_array().unwrap().clone()
    }

    pub(crate) async fn get(&self, id: &str) -> CapturedResponse {
        self.call(Method::GET, &self.url(id), None).await
    }

    pub(crate) async fn put(&self, id: &str, body: Value) -> CapturedResponse {
        self.call(Method::PUT, &self.url(id), Some(body)).await
    }

    pub(crate) async fn delete(&self, id: &str) -> CapturedResponse {
        self.call(Method::DELETE, &self.url(id), None).await
    }

    /// Polls the operation that a response started.
    pub(crate) async fn poll(&self, started: &CapturedResponse) -> CapturedResponse {
        self.call(Method::GET, started.header("azure-asyncoperation").unwrap(), None).await
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/subscriptions/{}{rest}", self.azure.subscription_id())
    }

    pub(crate) fn collection(&self, name: &str) -> String {
        self.path(&format!(
            "/resourceGroups/RG-Prod/providers/Microsoft.Compute/restorePointCollections/{name}"
        ))
    }

    /// Creates a collection of a machine in eastus and returns its id.
    pub(crate) async fn new_collection(&self, name: &str, vm: &str) -> String {
        let id = self.collection(name);
        let body = json!({"location": "eastus", "properties": {"source": {"id": vm}}});
        let created = self.put(&id, body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        id
    }

    /// Creates a collection for copies of the seeded one and returns its id.
    pub(crate) async fn new_target(&self, name: &str, region: &str) -> String {
        let id = self.collection(name);
        let source = &self.azure.seeded().collection;
        let body = json!({"location": region, "properties": {"source": {"id": source}}});
        assert_eq!(self.put(&id, body).await.status, 201);
        id
    }

    pub(crate) async fn copy(&self, target: &str, name: &str, source: &str) -> CapturedResponse {
        let body = json!({"name": name, "properties": {"sourceRestorePoint": {"id": source}}});
        self.put(&format!("{target}/restorePoints/{name}"), body).await
    }

    /// The id of a seeded point, counted from 1.
    pub(crate) fn point(&self, number: usize) -> &str {
        &self.azure.seeded().points[number - 1]
    }
}

fn trusting(builder: ClientBuilder, trusted: &Certificate) -> Client {
    builder.tls_certs_only([trusted.clone()]).no_proxy().build().unwrap()
}

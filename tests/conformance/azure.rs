//! A restore point collection of a machine in Azure.

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use restore_point_gateway::proto::{Collection, CreateCollectionRequest};
use restore_point_sandbox::azure::{Fault, Matching};

use crate::stage::Stage;
use restore_point_test_support::fixture::TestGateway;

const VERSION: &str = "api-version=2024-11-01";

/// The seeded collection of the database server.
pub(crate) struct Collections {
    gateway: TestGateway,
}

impl Collections {
    /// Asks the resource manager, past the gateway.
    async fn ask(&self, method: Method, id: &str, query: &str) -> String {
        let url = format!("{}{id}?{VERSION}{query}", self.gateway.azure.endpoint());
        let request = self.gateway.vendor_client().request(method, url);
        let request = request.bearer_auth(self.gateway.azure.static_token());
        let request = request.header("content-type", "application/json").body("{}");
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.text().await.unwrap()
    }

    /// The ARM id of the point with this name.
    fn id(&self, name: &str) -> String {
        let (_, point) = name.rsplit_once('/').unwrap();
        format!("{}/restorePoints/{point}", self.gateway.azure.seeded().collection)
    }
}

#[async_trait]
impl Stage for Collections {
    async fn start() -> Self {
        Self { gateway: TestGateway::new().await }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        "backends/azure"
    }

    fn collection(&self) -> String {
        TestGateway::azure_collection(&self.gateway.azure.seeded().collection)
    }

    fn absent(&self) -> (&'static str, &'static str) {
        ("rg-prod~nothing", "nothing")
    }

    async fn vendor_ids(&self) -> BTreeSet<String> {
        let id = self.gateway.azure.seeded().collection.clone();
        let body = self.ask(Method::GET, &id, "&$expand=restorePoints").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let points = body["properties"]["restorePoints"].as_array().unwrap();
        points.iter().map(|point| point["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn begin(&self) -> Option<String> {
        let name = format!("{}/restorePoints/tonight", self.collection());
        self.ask(Method::PUT, &self.id(&name), "").await;
        Some(name)
    }

    async fn finish(&self, _: &str) {
        self.gateway.clock.advance(SignedDuration::from_mins(2));
    }

    async fn delete(&self, name: &str) {
        self.ask(Method::DELETE, &self.id(name), "").await;
        self.gateway.clock.advance(SignedDuration::from_mins(1));
    }

    fn fail(&self, calls: usize) {
        let reads = Matching::new(Method::GET, "/restorepointcollections");
        self.gateway.azure.inject(reads, calls, Fault::error(StatusCode::GATEWAY_TIMEOUT));
    }

    fn new_collection(&self) -> Option<CreateCollectionRequest> {
        Some(CreateCollectionRequest {
            parent: self.backend().to_owned(),
            collection_id: "rg-prod~rpc-north".to_owned(),
            collection: Some(Collection {
                location: "northeurope".to_owned(),
                source: self.collection(),
                ..Default::default()
            }),
            ..Default::default()
        })
    }

    fn let_copies_arrive(&self) {
        self.gateway.clock.advance(SignedDuration::from_hours(24));
    }
}

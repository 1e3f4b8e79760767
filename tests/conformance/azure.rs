//! A restore point collection of a virtual machine in Azure.

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::{Collection, CreateCollectionRequest};

use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::azure_collection;

use crate::fixture::Fixture;

/// The seeded collection.
pub(crate) struct AzureCollection {
    gateway: TestGateway,
}

impl AzureCollection {
    fn arm_id(&self) -> &str {
        &self.gateway.azure.seeded().collection
    }

    /// The ARM id of the point with this name.
    fn point_arm_id(&self, name: &str) -> String {
        let (_, point) = name.rsplit_once('/').unwrap();
        format!("{}/restorePoints/{point}", self.arm_id())
    }
}

#[async_trait]
impl Fixture for AzureCollection {
    async fn start() -> Self {
        Self { gateway: TestGateway::start().await }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        "backends/azure"
    }

    fn collection(&self) -> String {
        azure_collection(self.arm_id())
    }

    fn absent_ids(&self) -> (&'static str, &'static str) {
        ("rg-prod~absent", "absent")
    }

    async fn vendor_ids(&self) -> BTreeSet<String> {
        let target = format!("{}?$expand=restorePoints", self.arm_id());
        let body = self.gateway.arm(Method::GET, &target).await.text().await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let points = body["properties"]["restorePoints"].as_array().unwrap();
        points.iter().map(|point| point["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn begin_point(&self) -> Option<String> {
        let name = format!("{}/restorePoints/new", self.collection());
        self.gateway.arm(Method::PUT, &self.point_arm_id(&name)).await;
        Some(name)
    }

    async fn finish_point(&self, _: &str) {
        self.gateway.clock.advance(SignedDuration::from_mins(2));
    }

    async fn delete_point(&self, name: &str) {
        self.gateway.arm(Method::DELETE, &self.point_arm_id(name)).await;
        self.gateway.clock.advance(SignedDuration::from_mins(1));
    }

    fn fail_reads(&self, count: usize) {
        let fault = format!("GET /restorepointcollections times={count} status=504");
        self.gateway.inject_fault("azure", &fault);
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

    fn finish_copies(&self) {
        self.gateway.clock.advance(SignedDuration::from_hours(24));
    }
}

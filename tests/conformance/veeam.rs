//! What Enterprise Manager keeps points in.

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::Method;
use jiff::SignedDuration;
use restore_point_sandbox::veeam_em::{Fault, Matching};

use crate::stage::Stage;
use restore_point_test_support::fixture::TestGateway;

const NOTHING: &str = "00000000-0000-0000-0000-000000000000";

/// The `UID`s that a logged-on customer of Enterprise Manager sees at `path`.
async fn uids(gateway: &TestGateway, path: &str) -> BTreeSet<String> {
    let em = &gateway.veeam;
    let certificate = reqwest::Certificate::from_der(em.certificate_der()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([certificate]).build().unwrap();
    let logon = client
        .post(format!("{}/sessionMngr/?v=latest", em.url()))
        .basic_auth(em.username(), Some(em.password()))
        .header("content-length", "0")
        .send()
        .await
        .unwrap();
    let token = logon.headers()["x-restsvcsessionid"].clone();
    let list = client.get(format!("{}{path}", em.url())).header("x-restsvcsessionid", token);
    let body = list.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
    let uid = |item: &str| item.split('"').next().unwrap().to_owned();
    body.split(" UID=\"").skip(1).map(uid).collect()
}

/// The GUID at the end of a point's name.
fn guid(name: &str) -> &str {
    name.rsplit_once('/').unwrap().1
}

/// A tenant's replica at a service provider.
pub(crate) struct CloudReplicas {
    gateway: TestGateway,
}

impl CloudReplicas {
    const REPLICA: &str = "8393c284-c953-403f-a9b9-cff63e0c6815";
}

#[async_trait]
impl Stage for CloudReplicas {
    async fn start() -> Self {
        Self { gateway: TestGateway::new().await }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        "backends/veeam"
    }

    fn collection(&self) -> String {
        format!("backends/veeam/collections/cloud-replica~{}", Self::REPLICA)
    }

    fn absent(&self) -> (&'static str, &'static str) {
        ("cloud-replica~00000000-0000-0000-0000-000000000000", NOTHING)
    }

    async fn vendor_ids(&self) -> BTreeSet<String> {
        uids(&self.gateway, &format!("/cloud/replicas/{}/vmReplicaPoints", Self::REPLICA)).await
    }

    /// The vendor shows no point that is not whole; one that a failover runs from is not usable either.
    async fn begin(&self) -> Option<String> {
        let id = self.gateway.veeam.add_point(Self::REPLICA, "srv38").unwrap();
        assert!(self.gateway.veeam.set_state(&id, "Failover"));
        Some(format!("{}/restorePoints/{id}", self.collection()))
    }

    async fn finish(&self, name: &str) {
        assert!(self.gateway.veeam.set_state(guid(name), "Ready"));
    }

    async fn delete(&self, name: &str) {
        assert!(self.gateway.veeam.remove_point(guid(name)));
    }

    fn fail(&self, calls: usize) {
        self.gateway.veeam.inject(Matching::new(Method::GET, "/"), calls, Fault::status(503, ""));
    }
}

/// The first collection at `path` that the simulated server has.
async fn first(gateway: &TestGateway, path: &str) -> String {
    let uid = uids(gateway, path).await.pop_first().unwrap();
    uid.rsplit_once(':').unwrap().1.to_owned()
}

/// A replica of a machine of one's own.
pub(crate) struct Replicas {
    gateway: TestGateway,
    replica: String,
}

#[async_trait]
impl Stage for Replicas {
    async fn start() -> Self {
        let gateway = TestGateway::new().await;
        let replica = first(&gateway, "/replicas").await;
        Self { gateway, replica }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        "backends/veeam"
    }

    fn collection(&self) -> String {
        format!("backends/veeam/collections/replica~{}", self.replica)
    }

    fn absent(&self) -> (&'static str, &'static str) {
        ("replica~00000000-0000-0000-0000-000000000000", NOTHING)
    }

    async fn vendor_ids(&self) -> BTreeSet<String> {
        uids(&self.gateway, &format!("/replicas/{}/vmReplicaPoints", self.replica)).await
    }

    /// The vendor tells no state of these points: each that it lists is whole.
    async fn begin(&self) -> Option<String> {
        None
    }

    async fn finish(&self, _: &str) {}

    async fn delete(&self, name: &str) {
        assert!(self.gateway.veeam.collecting_backup_server().remove_point(guid(name)));
    }

    fn fail(&self, calls: usize) {
        self.gateway.veeam.inject(Matching::new(Method::GET, "/"), calls, Fault::status(503, ""));
    }
}

/// A backup, two steps from its points.
pub(crate) struct Backups {
    gateway: TestGateway,
    backup: String,
}

#[async_trait]
impl Stage for Backups {
    async fn start() -> Self {
        let gateway = TestGateway::new().await;
        let backup = first(&gateway, "/backups").await;
        Self { gateway, backup }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        "backends/veeam"
    }

    fn collection(&self) -> String {
        format!("backends/veeam/collections/backup~{}", self.backup)
    }

    fn absent(&self) -> (&'static str, &'static str) {
        ("backup~00000000-0000-0000-0000-000000000000", NOTHING)
    }

    async fn vendor_ids(&self) -> BTreeSet<String> {
        let runs = uids(&self.gateway, &format!("/backups/{}/restorePoints", self.backup)).await;
        let mut points = BTreeSet::new();
        for run in runs {
            let (_, run) = run.rsplit_once(':').unwrap();
            points.extend(
                uids(&self.gateway, &format!("/restorePoints/{run}/vmRestorePoints")).await,
            );
        }
        points
    }

    async fn begin(&self) -> Option<String> {
        let day = SignedDuration::from_hours(24);
        let id = self
            .gateway
            .veeam
            .collecting_backup_server()
            .begin_write(&self.backup, "audi99", day)
            .unwrap();
        Some(format!("{}/restorePoints/{id}", self.collection()))
    }

    async fn finish(&self, name: &str) {
        assert!(self.gateway.veeam.collecting_backup_server().finish_write(guid(name)));
    }

    async fn delete(&self, name: &str) {
        assert!(self.gateway.veeam.collecting_backup_server().remove_point(guid(name)));
    }

    fn fail(&self, calls: usize) {
        self.gateway.veeam.inject(Matching::new(Method::GET, "/"), calls, Fault::status(503, ""));
    }
}

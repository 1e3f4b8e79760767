//! The kinds of collections of Enterprise Manager: cloud replicas, replicas and backups.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::SignedDuration;

use restore_point_test_support::fixture::TestGateway;

use crate::fixture::Fixture;

const BACKEND: &str = "backends/veeam";
const ABSENT_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The UIDs in the response of Enterprise Manager at `path`.
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

/// The GUID of the first resource at `path`.
async fn first_id(gateway: &TestGateway, path: &str) -> String {
    let uid = uids(gateway, path).await.pop_first().unwrap();
    uid.rsplit_once(':').unwrap().1.to_owned()
}

/// The GUID at the end of a point's name.
fn guid(name: &str) -> &str {
    name.rsplit_once('/').unwrap().1
}

fn fail_reads(gateway: &TestGateway, count: usize) {
    gateway.inject_fault("veeam", &format!("GET / times={count} status=503"));
}

/// A replica of a tenant at a service provider.
pub(crate) struct CloudReplica {
    gateway: TestGateway,
}

impl CloudReplica {
    const ID: &str = "8393c284-c953-403f-a9b9-cff63e0c6815";
}

#[async_trait]
impl Fixture for CloudReplica {
    async fn start() -> Self {
        Self { gateway: TestGateway::start().await }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn collection(&self) -> String {
        format!("{BACKEND}/collections/cloud-replica~{}", Self::ID)
    }

    fn absent_ids(&self) -> (&'static str, &'static str) {
        ("cloud-replica~00000000-0000-0000-0000-000000000000", ABSENT_ID)
    }

    async fn vendor_ids(&self) -> BTreeSet<String> {
        uids(&self.gateway, &format!("/cloud/replicas/{}/vmReplicaPoints", Self::ID)).await
    }

    /// The vendor lists a point when it is complete, so this one is unusable because a failover is running from it.
    async fn begin_point(&self) -> Option<String> {
        let id = self.gateway.veeam.add_point(Self::ID, "srv38").unwrap();
        assert!(self.gateway.veeam.set_state(&id, "Failover"));
        Some(format!("{}/restorePoints/{id}", self.collection()))
    }

    async fn finish_point(&self, name: &str) {
        assert!(self.gateway.veeam.set_state(guid(name), "Ready"));
    }

    async fn delete_point(&self, name: &str) {
        assert!(self.gateway.veeam.remove_point(guid(name)));
    }

    fn fail_reads(&self, count: usize) {
        fail_reads(&self.gateway, count);
    }
}

/// A replica.
pub(crate) struct Replica {
    gateway: TestGateway,
    id: String,
}

#[async_trait]
impl Fixture for Replica {
    async fn start() -> Self {
        let gateway = TestGateway::start().await;
        let id = first_id(&gateway, "/replicas").await;
        Self { gateway, id }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn collection(&self) -> String {
        format!("{BACKEND}/collections/replica~{}", self.id)
    }

    fn absent_ids(&self) -> (&'static str, &'static str) {
        ("replica~00000000-0000-0000-0000-000000000000", ABSENT_ID)
    }

    async fn vendor_ids(&self) -> BTreeSet<String> {
        uids(&self.gateway, &format!("/replicas/{}/vmReplicaPoints", self.id)).await
    }

    /// The vendor reports no state of these points; a listed point is complete.
    async fn begin_point(&self) -> Option<String> {
        None
    }

    async fn finish_point(&self, _: &str) {}

    async fn delete_point(&self, name: &str) {
        assert!(self.gateway.veeam.collecting_backup_server().remove_point(guid(name)));
    }

    fn fail_reads(&self, count: usize) {
        fail_reads(&self.gateway, count);
    }
}

/// A backup.
pub(crate) struct Backup {
    gateway: TestGateway,
    id: String,
}

#[async_trait]
impl Fixture for Backup {
    async fn start() -> Self {
        let gateway = TestGateway::start().await;
        let id = first_id(&gateway, "/backups").await;
        Self { gateway, id }
    }

    fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn collection(&self) -> String {
        format!("{BACKEND}/collections/backup~{}", self.id)
    }

    fn absent_ids(&self) -> (&'static str, &'static str) {
        ("backup~00000000-0000-0000-0000-000000000000", ABSENT_ID)
    }

    /// The points of each job run of the backup.
    async fn vendor_ids(&self) -> BTreeSet<String> {
        let runs = uids(&self.gateway, &format!("/backups/{}/restorePoints", self.id)).await;
        let mut points = BTreeSet::new();
        for run in runs {
            let (_, run) = run.rsplit_once(':').unwrap();
            let path = format!("/restorePoints/{run}/vmRestorePoints");
            points.extend(uids(&self.gateway, &path).await);
        }
        points
    }

    async fn begin_point(&self) -> Option<String> {
        let day = SignedDuration::from_hours(24);
        let server = self.gateway.veeam.collecting_backup_server();
        let id = server.begin_write(&self.id, "audi99", day).unwrap();
        Some(format!("{}/restorePoints/{id}", self.collection()))
    }

    async fn finish_point(&self, name: &str) {
        assert!(self.gateway.veeam.collecting_backup_server().finish_write(guid(name)));
    }

    async fn delete_point(&self, name: &str) {
        assert!(self.gateway.veeam.collecting_backup_server().remove_point(guid(name)));
    }

    fn fail_reads(&self, count: usize) {
        fail_reads(&self.gateway, count);
    }
}

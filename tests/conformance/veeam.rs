//! What Enterprise Manager keeps points in.

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::Method;
use restore_point_gateway::proto::CreateCollectionRequest;
use restore_point_gateway::sandbox::veeam::Reply;

use crate::house::House;
use crate::stage::Stage;

const NOTHING: &str = "00000000-0000-0000-0000-000000000000";

/// The `UID`s that a logged-on customer of Enterprise Manager sees at `path`.
async fn uids(house: &House, path: &str) -> BTreeSet<String> {
    let em = &house.veeam;
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
    house: House,
}

impl CloudReplicas {
    const REPLICA: &str = "8393c284-c953-403f-a9b9-cff63e0c6815";
}

#[async_trait]
impl Stage for CloudReplicas {
    async fn start() -> Self {
        Self { house: House::new().await }
    }

    fn house(&self) -> &House {
        &self.house
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
        uids(&self.house, &format!("/cloud/replicas/{}/vmReplicaPoints", Self::REPLICA)).await
    }

    /// The vendor shows no point that is not whole; one that a failover runs from is not usable either.
    async fn begin(&self) -> Option<String> {
        let id = self.house.veeam.add_point(Self::REPLICA, "srv38").unwrap();
        assert!(self.house.veeam.set_state(&id, "Failover"));
        Some(format!("{}/restorePoints/{id}", self.collection()))
    }

    async fn finish(&self, name: &str) {
        assert!(self.house.veeam.set_state(guid(name), "Ready"));
    }

    async fn delete(&self, name: &str) {
        assert!(self.house.veeam.remove_point(guid(name)));
    }

    fn fail(&self, calls: usize) {
        self.house.veeam.answer_next(calls, Method::GET, "/", Reply::status(503, ""));
    }

    fn new_collection(&self) -> Option<CreateCollectionRequest> {
        None
    }

    fn let_copies_arrive(&self) {}
}

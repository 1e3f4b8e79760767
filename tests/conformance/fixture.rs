//! What a kind of collection must provide, so that the conformance tests can be run on it.
//!
//! The methods without a default read and write at the vendor, without the gateway: the tests compare the gateway with
//! them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use restore_point_gateway::proto::{
    Backend, Capabilities, CreateCollectionRequest, ListBackendsRequest, ListRequest, RestorePoint,
};

use restore_point_test_support::fixture::TestGateway;

/// A collection of one kind, with a gateway of its own.
#[async_trait]
pub(crate) trait Fixture: Sync {
    /// Starts a gateway. The collection has at least three points, and the backend has points in other collections.
    async fn start() -> Self
    where
        Self: Sized;

    /// The gateway.
    fn gateway(&self) -> &TestGateway;

    /// The name of the backend, `backends/{backend}`.
    fn backend(&self) -> &'static str;

    /// The name of the collection. All its points are READY.
    fn collection(&self) -> String;

    /// Valid ids of a collection and of a point that do not exist.
    fn absent_ids(&self) -> (&'static str, &'static str);

    /// The vendor's ids of all points in the collection, as the vendor lists them.
    async fn vendor_ids(&self) -> BTreeSet<String>;

    /// Starts to create a point that is not usable before [`Fixture::finish_point`]. Returns its name; none if the
    /// vendor does not list a point before it is complete.
    async fn begin_point(&self) -> Option<String>;

    /// Makes a point of [`Fixture::begin_point`] usable.
    async fn finish_point(&self, name: &str);

    /// Deletes a point.
    async fn delete_point(&self, name: &str);

    /// Makes the vendor fail the next `count` reads.
    fn fail_reads(&self, count: usize);

    /// A valid request for a collection that accepts copies; none if the vendor does not support it.
    fn new_collection(&self) -> Option<CreateCollectionRequest> {
        None
    }

    /// Lets running copies become READY.
    fn finish_copies(&self) {}

    /// The backend as ListBackends returns it.
    async fn describe_backend(&self) -> Backend {
        let response = self.gateway().client().list_backends(ListBackendsRequest {}).await.unwrap();
        let mut backends = response.into_inner().backends.into_iter();
        backends.find(|backend| backend.name == self.backend()).expect("the configured backend")
    }

    /// The declared capabilities of the backend.
    async fn capabilities(&self) -> Capabilities {
        self.describe_backend().await.capabilities.unwrap()
    }

    /// The points of the collection, as the gateway lists them.
    async fn points(&self) -> Vec<RestorePoint> {
        let request = ListRequest { parent: self.collection(), ..Default::default() };
        self.gateway().list_all(request).await
    }
}

pub(crate) fn names(points: &[RestorePoint]) -> BTreeSet<String> {
    points.iter().map(|point| point.name.clone()).collect()
}

pub(crate) fn vendor_ids(points: &[RestorePoint]) -> BTreeSet<String> {
    points.iter().map(|point| point.vendor_id.clone()).collect()
}

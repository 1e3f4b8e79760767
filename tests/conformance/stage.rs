//! What a kind of collection must be able to show, so that the behaviours can be run on it.
//!
//! Everything here is asked of the vendor or done at the vendor, past the gateway: the suite holds the
//! gateway against it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use restore_point_gateway::proto::{
    Backend, Capabilities, CreateCollectionRequest, ListBackendsRequest, ListRequest, RestorePoint,
};

use restore_point_test_support::fixture::TestGateway;

/// One kind of collection of one vendor, with a gateway of its own in front of it.
#[async_trait]
pub(crate) trait Stage: Sync {
    /// A vendor with at least three points in [`Stage::collection`], and points beside it.
    async fn start() -> Self
    where
        Self: Sized;

    fn gateway(&self) -> &TestGateway;

    /// `backends/{backend}`.
    fn backend(&self) -> &'static str;

    /// The name of the collection that the behaviours are played in. All its points are ready.
    fn collection(&self) -> String;

    /// The ids of a collection and of a point as there might be, and are not.
    fn absent(&self) -> (&'static str, &'static str);

    /// The vendor's ids of all points in the collection, by the vendor's own word.
    async fn vendor_ids(&self) -> BTreeSet<String>;

    /// Begins a new point in the collection, which is not usable before [`Stage::finish`]; its name. None
    /// where the vendor shows a point only when it is whole.
    async fn begin(&self) -> Option<String>;

    /// Makes the point that was begun usable.
    async fn finish(&self, name: &str);

    /// Takes a point away.
    async fn delete(&self, name: &str);

    /// Lets the vendor fail the next `calls` reads.
    fn fail(&self, calls: usize);

    /// A request for a collection that could hold copies, if the vendor has such.
    fn new_collection(&self) -> Option<CreateCollectionRequest> {
        None
    }

    /// Lets so much of the vendor's time pass that a copy has arrived.
    fn let_copies_arrive(&self) {}
}

/// The backend as it describes itself.
pub(crate) async fn described(stage: &impl Stage) -> Backend {
    let backends = stage.gateway().client().list_backends(ListBackendsRequest {}).await.unwrap();
    let mut backends = backends.into_inner().backends.into_iter();
    backends.find(|backend| backend.name == stage.backend()).expect("it is configured")
}

pub(crate) async fn claims(stage: &impl Stage) -> Capabilities {
    described(stage).await.capabilities.unwrap()
}

/// The points of the collection, in the order of the list.
pub(crate) async fn points(stage: &impl Stage) -> Vec<RestorePoint> {
    let request = ListRequest { parent: stage.collection(), ..Default::default() };
    stage.gateway().list_all(request).await
}

/// Their names.
pub(crate) fn names(points: &[RestorePoint]) -> BTreeSet<String> {
    points.iter().map(|point| point.name.clone()).collect()
}

/// Their ids at the vendor.
pub(crate) fn vendor_ids(points: &[RestorePoint]) -> BTreeSet<String> {
    points.iter().map(|point| point.vendor_id.clone()).collect()
}

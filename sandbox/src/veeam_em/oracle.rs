//! What is in the database, whatever responses said: for tests that judge a client by it.

use super::format::document::Scalar;
use super::model::inventory::Entity;
use super::model::kind::Kind;
use super::simulator::EnterpriseManager;
use crate::lock::lock;

/// A cloud point, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruePoint {
    /// The GUID at the end of its UID.
    pub id: String,
    /// The GUID of its cloud replica.
    pub replica: String,
    /// Its `State`.
    pub state: String,
}

impl EnterpriseManager {
    /// All cloud points, in the order in which they were added.
    pub fn true_points(&self) -> Vec<TruePoint> {
        let server = self.server();
        let mut inventories = lock(&server.inventories);
        let database = inventories.database(server.settings.clock.now());
        let replica_of = |point| {
            let mut parents = database.all_parents(point);
            let replica = parents.find(|parent| parent.kind == Kind::CloudReplica);
            replica.map(|replica| replica.id.to_string()).unwrap_or_default()
        };
        let state_of = |point: &Entity| match point.field("State")?.to_scalar() {
            Scalar::Text(state) => Some(state),
            Scalar::Number(_) | Scalar::Bool(_) => None,
        };
        let points = database.all(Kind::CloudVmReplicaPoint).map(|point| TruePoint {
            id: point.id.to_string(),
            replica: replica_of(point),
            state: state_of(point).unwrap_or_default(),
        });
        points.collect()
    }
}

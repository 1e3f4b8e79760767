//! Resource names of what the simulators are seeded with, in the backends of [`TestGateway`](crate::fixture::TestGateway).

/// The ids of the backends.
pub const BACKENDS: [&str; 2] = ["azure", "veeam"];

/// The parent of all restore points of all backends.
pub const EVERYTHING: &str = "backends/-/collections/-";

/// The GUID of `srv39@2015-12-25 20:00:47`, a cloud replica point in the documentation of Enterprise Manager.
pub const SRV39_ID: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

/// The name of that point.
pub const SRV39: &str = "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84";

/// The name of that point with a wildcard for its collection.
pub const SRV39_IN_ANY_COLLECTION: &str =
    "backends/veeam/collections/-/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84";

/// The name of its collection, which contains one other point.
pub const SRV39_COLLECTION: &str =
    "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead";

/// The name of the collection with this ARM id.
pub fn azure_collection(arm_id: &str) -> String {
    let segments: Vec<&str> = arm_id.split('/').collect();
    format!("backends/azure/collections/{}~{}", segments[4].to_lowercase(), segments[8])
}

/// The name of the restore point with this ARM id.
pub fn azure_point(arm_id: &str) -> String {
    let (_, point) = arm_id.rsplit_once('/').unwrap();
    format!("{}/restorePoints/{point}", azure_collection(arm_id))
}

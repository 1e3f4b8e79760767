//! What a caller sees of a point whose Ultra Disk is in instant access, and of its background copy. Premium SSD v2 disks are
//! tested at the adapter, in `tests/backends/azure/usable_for.rs`.

use jiff::SignedDuration;
use restore_point_gateway::proto::RestorePoint;
use restore_point_gateway::proto::restore_point::disk::Vendor;
use restore_point_gateway::proto::restore_point::{State, Use};
use serde_json::{Value, json};

use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::azure_point;

/// The first API version with instant access.
const VERSION: &str = "2025-04-01";

/// Creates a point of the machine with an Ultra Disk, in a collection with `properties` of its own. Returns its name.
async fn create(gateway: &TestGateway, mut properties: Value, point: Value) -> String {
    let seeded = gateway.azure.seeded();
    let (collections, _) = seeded.collection.rsplit_once('/').unwrap();
    let collection = format!("{collections}/rpc-hana");
    properties["source"] = json!({ "id": seeded.ultra_vm });
    let body = json!({ "location": "eastus", "properties": properties });
    gateway.put_to_arm(&collection, VERSION, body.to_string()).await;
    let id = format!("{collection}/restorePoints/hana");
    gateway.put_to_arm(&id, VERSION, json!({ "properties": point }).to_string()).await;
    azure_point(&id)
}

fn uses(point: &RestorePoint) -> Vec<Use> {
    point.usable_for().collect()
}

fn access_of_ultra_disk(point: &RestorePoint) -> &str {
    let azure = point
        .disks
        .iter()
        .filter_map(|disk| disk.vendor.as_ref().map(|Vendor::Azure(azure)| azure));
    let mut ultra = azure.filter(|azure| azure.storage_account_type == "UltraSSD_LRS");
    &ultra.next().unwrap().snapshot_access_state
}

#[tokio::test]
async fn an_ultra_disk_is_usable_as_its_snapshot_access_state_says() {
    let gateway = TestGateway::start_with(|settings| {
        settings.azure.replication = SignedDuration::from_mins(90);
    })
    .await;
    let minutes = json!({ "instantAccessDurationMinutes": 60 });
    let name = create(&gateway, json!({ "instantAccess": true }), minutes).await;
    for (minutes, access, state, usable_for) in [
        (5, "InstantAccess", State::Ready, vec![Use::Restore]),
        // Instant access ends before the background copy does.
        (70, "Pending", State::Creating, vec![]),
        (30, "Available", State::Ready, vec![Use::Restore, Use::Copy, Use::Export]),
    ] {
        gateway.clock.advance(SignedDuration::from_mins(minutes));
        let point = gateway.get(&name).await.unwrap();
        assert_eq!(access_of_ultra_disk(&point), access);
        assert_eq!((point.state(), uses(&point)), (state, usable_for), "{access}");
        assert_eq!(point.usable, state == State::Ready, "{access}");
    }
}

#[tokio::test]
async fn without_instant_access_an_ultra_disk_is_pending_until_its_background_copy_ends() {
    let gateway = TestGateway::start_with(|settings| {
        settings.azure.replication = SignedDuration::from_mins(90);
        settings.azure.quirks.background_copy_needs_instant_access = false;
    })
    .await;
    let name = create(&gateway, json!({}), json!({})).await;
    for (minutes, access, state, usable_for) in [
        (5, "Pending", State::Creating, vec![]),
        (100, "Available", State::Ready, vec![Use::Restore, Use::Copy, Use::Export]),
    ] {
        gateway.clock.advance(SignedDuration::from_mins(minutes));
        let point = gateway.get(&name).await.unwrap();
        assert_eq!(access_of_ultra_disk(&point), access);
        assert_eq!((point.state(), uses(&point)), (state, usable_for), "{access}");
    }
}

//! What a point can be used for while the data of its Premium SSD v2 disks is copied in the background.

use restore_point_gateway::model::{DiskVendorProperties, Use};
use serde_json::{Value, json};

use super::fixture::*;

const VERSION: &str = "2025-04-01";
const SAP: &str = "rg-prod~rpc-sap/restorePoints/sap";

/// A background copy of 90 minutes; instant access is for the 60 minutes that a test asks for.
async fn start(change: impl FnOnce(&mut SimulatorSettings)) -> AzureFixture {
    AzureFixture::start_with(|simulator| {
        simulator.replication = SignedDuration::from_mins(90);
        change(simulator);
    })
}

/// Creates a point of the machine with a Premium SSD v2 disk, in a collection of its own.
async fn create(fixture: &AzureFixture, collection: &Value, point: &Value) {
    let root = fixture.simulator.subscription_id();
    let id = format!(
        "/subscriptions/{root}/resourceGroups/RG-Prod/providers/Microsoft.Compute/restorePointCollections/rpc-sap"
    );
    let mut properties = collection.clone();
    properties["source"] = json!({ "id": fixture.simulator.seeded().instant_vm });
    let body = json!({ "location": "eastus", "properties": properties });
    let (status, body) = fixture.send_to_arm_as(VERSION, Method::PUT, &id, &body).await;
    assert_eq!(status, 201, "{body}");
    let body = json!({ "properties": point });
    let id = format!("{id}/restorePoints/sap");
    let (status, body) = fixture.send_to_arm_as(VERSION, Method::PUT, &id, &body).await;
    assert_eq!(status, 201, "{body}");
}

async fn create_target(fixture: &AzureFixture) {
    let new = NewCollection {
        source: "backends/az/collections/rg-prod~rpc-sap".to_owned(),
        ..new_collection("rg-prod~rpc-sap-north", "northeurope")
    };
    fixture.create(&new).await.unwrap();
}

fn uses(point: &RestorePoint) -> Vec<Use> {
    point.usable_for().collect()
}

/// The point as every view shows it, alone and in a list.
async fn in_every_view(fixture: &AzureFixture) -> RestorePoint {
    let full = fixture.get(&point(SAP)).await;
    let parent = Segment::Id("rg-prod~rpc-sap".to_owned());
    for view in [View::Basic, View::Full, View::Raw] {
        for azure in [&fixture.azure, &fixture.replica()] {
            let alone = azure.get(&point(SAP), view).await.unwrap();
            let listed = azure.list(&parent, view, None, 9).await.unwrap().items.remove(0);
            for found in [alone, listed] {
                assert_eq!((found.state, uses(&found)), (full.state, uses(&full)), "{view:?}");
                assert_eq!(found.state_reason, full.state_reason, "{view:?}");
                let (disks, expected) = (access_states(&found), access_states(&full));
                assert!(view == View::Basic || disks == expected, "{view:?}: {disks:?}");
            }
        }
    }
    full
}

fn access_states(point: &RestorePoint) -> Vec<String> {
    let state = |disk: &restore_point_gateway::model::Disk| match &disk.vendor {
        Some(DiskVendorProperties::Azure(azure)) => azure.snapshot_access_state.clone(),
        None => panic!("{disk:?}"),
    };
    point.disks.iter().map(state).collect()
}

async fn copy(fixture: &AzureFixture) -> Result<StartedCopy, Error> {
    fixture.copy(SAP, "rg-prod~rpc-sap-north/restorePoints/c").await
}

fn assert_not_yet(result: Result<StartedCopy, Error>) {
    match result.unwrap_err() {
        Error::NotYetAllowed { rule, subject, retry_after, description } => {
            assert_eq!(rule, "SOURCE_NOT_COPYABLE_YET", "{description}");
            assert_eq!(subject, format!("backends/az/collections/{SAP}"));
            assert_eq!(retry_after.as_secs(), 600);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn instant_access_allows_a_restore_until_the_background_copy_allows_everything() {
    let fixture = start(|_| {}).await;
    let minutes = json!({ "instantAccessDurationMinutes": 60 });
    create(&fixture, &json!({ "instantAccess": true }), &minutes).await;
    create_target(&fixture).await;
    let creating = in_every_view(&fixture).await;
    assert_eq!((creating.state, uses(&creating)), (State::Creating, vec![]));
    assert_eq!(rule(&copy(&fixture).await.unwrap_err()), "SOURCE_NOT_READY");

    fixture.clock.advance(SignedDuration::from_mins(5));
    let instant = in_every_view(&fixture).await;
    assert_eq!((instant.state, uses(&instant)), (State::Ready, vec![Use::Restore]));
    assert_eq!(access_states(&instant), ["", "InstantAccess"]);
    assert!(!instant.is_terminal(), "a watch goes on until everything is possible");
    assert!(instant.state_reason.contains("snapshotAccessState InstantAccess"), "{instant:?}");
    assert!(instant.state_reason.contains("vm-sap05_DataDisk_0"), "{instant:?}");
    assert_not_yet(copy(&fixture).await);

    // Instant access ends before the background copy does.
    fixture.clock.advance(SignedDuration::from_mins(70));
    let pending = in_every_view(&fixture).await;
    assert_eq!((pending.state, uses(&pending)), (State::Creating, vec![]));
    assert_eq!(access_states(&pending), ["", "Pending"]);
    assert!(pending.state_reason.contains("snapshotAccessState Pending"), "{pending:?}");
    let disks: Vec<_> = pending.disks.iter().map(|disk| disk.state).collect();
    assert_eq!(disks, [State::Ready, State::Creating]);
    assert_not_yet(copy(&fixture).await);
    assert_eq!(fixture.point_puts(), 1);

    fixture.clock.advance(SignedDuration::from_mins(30));
    let available = in_every_view(&fixture).await;
    assert_eq!((available.state, uses(&available)), (State::Ready, Use::ALL.to_vec()));
    assert_eq!(access_states(&available), ["", "Available"]);
    assert!(available.is_terminal());
    let copied = copy(&fixture).await.unwrap().point;
    assert_eq!(uses(&copied), []);
    fixture.clock.advance(SignedDuration::from_hours(3));
    let copied = fixture.get(&point("rg-prod~rpc-sap-north/restorePoints/c")).await;
    assert_eq!((copied.state, uses(&copied)), (State::Ready, vec![Use::Restore, Use::Export]));
}

#[tokio::test]
async fn a_disk_outside_of_instant_access_is_looked_up_at_the_disk_provider() {
    let fixture = start(|s| s.quirks.background_copy_needs_instant_access = false).await;
    create(&fixture, &json!({}), &json!({})).await;
    create_target(&fixture).await;
    fixture.clock.advance(SignedDuration::from_mins(1));
    let pending = in_every_view(&fixture).await;
    assert_eq!((pending.state, uses(&pending)), (State::Creating, vec![]));
    assert_eq!(access_states(&pending), ["Available", "Pending"]);
    assert_not_yet(copy(&fixture).await);

    fixture.clock.advance(SignedDuration::from_mins(100));
    // A cloud without that version, and one whose disk provider does not respond: not known is not done.
    let unsupported = Canned {
        status: 400,
        headers: Vec::new(),
        body: r#"{"error":{"code":"NoRegisteredProviderFound","message":"No such version."}}"#
            .into(),
    };
    for fault in [Fault::canned(unsupported), Fault::error(StatusCode::FORBIDDEN)] {
        fixture.fault(Method::GET, "/diskrestorepoints", 1, fault);
        let unknown = fixture.replica().get(&point(SAP), View::Full).await.unwrap();
        assert_eq!((unknown.state, uses(&unknown)), (State::Creating, vec![]));
        let reason = "Azure does not report whether it is";
        assert!(unknown.state_reason.contains(reason), "{}", unknown.state_reason);
    }

    let available = in_every_view(&fixture).await;
    assert_eq!((available.state, uses(&available)), (State::Ready, Use::ALL.to_vec()));
    assert_eq!(access_states(&available), ["Available", "Available"]);
    // That does not change again: the disk provider is not asked any more.
    let calls = fixture.simulator.calls().count(&Method::GET, Kind::DiskPoint);
    assert_eq!(access_states(&fixture.get(&point(SAP)).await), ["Available", "Available"]);
    assert_eq!(fixture.simulator.calls().count(&Method::GET, Kind::DiskPoint), calls);
    copy(&fixture).await.unwrap();
}

#[tokio::test]
async fn ordinary_disks_need_no_look_up() {
    let fixture = AzureFixture::start();
    let local = fixture.get(&point(DAY1)).await;
    assert_eq!((local.state, uses(&local)), (State::Ready, Use::ALL.to_vec()));
    let done = fixture.get(&point(DONE)).await;
    assert_eq!(uses(&done), [Use::Restore, Use::Export], "Azure does not copy copies");
    assert_eq!(uses(&fixture.get(&point(RUNNING)).await), []);
    assert_eq!(fixture.simulator.calls().count(&Method::GET, Kind::DiskPoint), 0);
}

//! The kinds of restore points of Enterprise Manager: listed together with Azure's, read one by one, and watched while
//! they are being written.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::{State, Vendor};
use restore_point_gateway::proto::veeam_properties::Kind;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{
    Collection, ListCollectionsRequest, ListRequest, VeeamProperties, WatchStatusRequest,
};

use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::EVERYTHING;
use restore_point_test_support::watch::state;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The seeded backup `Nightly`.
async fn backup(gateway: &TestGateway) -> Collection {
    let request = ListCollectionsRequest { parent: "backends/veeam".into(), ..Default::default() };
    let page = gateway.client().list_collections(request).await.unwrap().into_inner();
    let is_nightly = |collection: &Collection| {
        collection.name.contains("/backup~") && collection.display_name == "Nightly"
    };
    page.collections.into_iter().find(is_nightly).expect("a backup `Nightly`")
}

/// The GUID at the end of a name.
fn guid(name: &str) -> &str {
    name.rsplit(['~', '/']).next().unwrap()
}

#[tokio::test]
async fn points_of_every_kind_are_listed_and_can_be_read() {
    let gateway = TestGateway::start_with(|settings| settings.veeam.points = 40).await;
    let request = ListRequest { parent: EVERYTHING.into(), page_size: 9, ..Default::default() };
    let mut kinds = BTreeMap::new();
    for listed in gateway.list_all(request).await {
        let Some(Vendor::Veeam(VeeamProperties { kind, .. })) = listed.vendor else { continue };
        *kinds.entry(kind).or_insert(0) += 1;
        assert_eq!(gateway.get(&listed.name).await.unwrap(), listed);
        let wildcard = format!("backends/veeam/collections/-/restorePoints/{}", guid(&listed.name));
        assert_eq!(gateway.get(&wildcard).await.unwrap(), listed);
    }
    let expected = [
        (Kind::CloudVmReplicaPoint.into(), 46),
        (Kind::VmReplicaPoint.into(), 13),
        (Kind::VmRestorePoint.into(), 13),
    ];
    assert_eq!(kinds, BTreeMap::from(expected));
}

#[tokio::test]
async fn a_point_is_watched_while_it_is_written_until_it_is_usable() {
    let gateway = TestGateway::start().await;
    let backup = backup(&gateway).await;
    assert_eq!(backup.platform, "VMware");
    let server = gateway.veeam.collecting_backup_server();
    let id = server.begin_write(guid(&backup.name), "audi99", HOUR).unwrap();
    for collection in [backup.name.as_str(), "backends/veeam/collections/-"] {
        let point = gateway.get(&format!("{collection}/restorePoints/{id}")).await.unwrap();
        assert_eq!((point.state(), point.usable), (State::Creating, false));
    }
    let name = format!("{}/restorePoints/{id}", backup.name);
    let request = WatchStatusRequest { names: vec![name.clone()], ..Default::default() };
    let mut watch = gateway.watch(request).await;
    let first = watch.next_event().await;
    assert_eq!((first.event(), state(&first)), (Event::Snapshot, Some(State::Creating)));
    assert_eq!(watch.next_event().await.event(), Event::Synced);

    gateway.clock.advance(HOUR);
    let event = watch.next_event().await;
    assert_eq!((event.event(), &event.name), (Event::Changed, &name));
    let point = event.restore_point.unwrap();
    assert_eq!((point.state(), point.usable), (State::Ready, true));
    watch.expect_end().await;
}

#[tokio::test]
async fn a_watched_backup_reports_added_and_deleted_points() {
    let gateway = TestGateway::start().await;
    let backup = backup(&gateway).await;
    let request =
        WatchStatusRequest { parent: backup.name.clone(), follow: true, ..Default::default() };
    let mut watch = gateway.watch(request).await;
    for _ in 0..3 {
        let event = watch.next_event().await;
        assert_eq!(event.event(), Event::Snapshot);
        assert!(event.restore_point.unwrap().usable);
    }
    assert_eq!(watch.next_event().await.event(), Event::Synced);

    let server = gateway.veeam.collecting_backup_server();
    let id = server.begin_write(guid(&backup.name), "audi99", HOUR).unwrap();
    for expected in [State::Creating, State::Ready] {
        let event = watch.next_event().await;
        assert_eq!((event.event(), guid(&event.name)), (Event::Changed, id.as_str()));
        assert_eq!(state(&event), Some(expected));
        server.finish_write(&id);
    }
    assert!(server.remove_point(&id));
    let event = watch.next_event().await;
    assert_eq!((event.event(), guid(&event.name)), (Event::Deleted, id.as_str()));
}

/// Until then NOT_FOUND explains the delay.
#[tokio::test]
async fn a_new_point_is_found_after_the_next_data_collection() {
    let gateway = TestGateway::start().await;
    let backup = backup(&gateway).await;
    let day = HOUR * 24;
    let id = gateway.veeam.backup_server().begin_write(guid(&backup.name), "audi99", day).unwrap();
    let name = format!("{}/restorePoints/{id}", backup.name);
    let status = gateway.get(&name).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert!(status.message().contains("every 15 minutes"), "{}", status.message());
    gateway.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(gateway.get(&name).await.unwrap().state(), State::Creating);
}

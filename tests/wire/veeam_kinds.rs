//! The kinds of restore points that Enterprise Manager has, through the service: listed with all vendors',
//! got one by one, and watched until one that is being written is usable.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::{State, Vendor};
use restore_point_gateway::proto::veeam_properties::Kind;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{
    Collection, ListCollectionsRequest, ListRequest, VeeamProperties, WatchStatusRequest,
};

use restore_point_test_support::fixture::TestGateway;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The collection of Veeam's with this name.
async fn collection(gateway: &TestGateway, prefix: &str, display_name: &str) -> Collection {
    let request = ListCollectionsRequest { parent: "backends/veeam".into(), ..Default::default() };
    let all = gateway.client().list_collections(request).await.unwrap().into_inner().collections;
    let fits = |collection: &Collection| {
        collection.name.contains(prefix) && collection.display_name == display_name
    };
    all.into_iter().find(fits).expect("it is there")
}

/// The vendor's id at the end of a name.
fn guid(name: &str) -> &str {
    name.rsplit(['~', '/']).next().unwrap()
}

#[tokio::test]
async fn every_kind_is_listed_with_all_vendors_and_got() {
    let gateway = TestGateway::with(|plan| plan.veeam.points = 40).await;
    let everything = ListRequest {
        parent: "backends/-/collections/-".into(),
        page_size: 9,
        ..Default::default()
    };
    let mut kinds = BTreeMap::new();
    for listed in gateway.list_all(everything).await {
        let Some(Vendor::Veeam(VeeamProperties { kind, .. })) = listed.vendor else { continue };
        *kinds.entry(kind).or_insert(0) += 1;
        let got = gateway.get(&listed.name).await.unwrap();
        assert_eq!(got, listed);
        let anywhere = format!("backends/veeam/collections/-/restorePoints/{}", guid(&listed.name));
        assert_eq!(gateway.get(&anywhere).await.unwrap(), got);
    }
    let expected = [
        (Kind::CloudVmReplicaPoint.into(), 46),
        (Kind::VmReplicaPoint.into(), 13),
        (Kind::VmRestorePoint.into(), 13),
    ];
    assert_eq!(kinds, BTreeMap::from(expected));
}

#[tokio::test]
async fn a_point_is_watched_from_its_writing_to_its_use() {
    let gateway = TestGateway::new().await;
    let backup = collection(&gateway, "/backup~", "Nightly").await;
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
    let first = watch.event().await;
    assert_eq!(
        (first.event(), first.restore_point.unwrap().state()),
        (Event::Snapshot, State::Creating)
    );
    assert_eq!(watch.event().await.event(), Event::Synced);

    gateway.clock.advance(HOUR);
    let event = watch.event().await;
    assert_eq!((event.event(), &event.name), (Event::Changed, &name));
    let point = event.restore_point.unwrap();
    assert_eq!((point.state(), point.usable), (State::Ready, true));
    assert!(watch.next().await.unwrap().is_none(), "nothing will change any more");
}

#[tokio::test]
async fn a_backup_is_watched_whole() {
    let gateway = TestGateway::new().await;
    let backup = collection(&gateway, "/backup~", "Nightly").await;
    let request =
        WatchStatusRequest { parent: backup.name.clone(), follow: true, ..Default::default() };
    let mut watch = gateway.watch(request).await;
    for _ in 0..3 {
        let event = watch.event().await;
        assert_eq!(event.event(), Event::Snapshot);
        assert!(event.restore_point.unwrap().usable);
    }
    assert_eq!(watch.event().await.event(), Event::Synced);

    let server = gateway.veeam.collecting_backup_server();
    let id = server.begin_write(guid(&backup.name), "audi99", HOUR).unwrap();
    for state in [State::Creating, State::Ready] {
        let event = watch.event().await;
        assert_eq!((event.event(), guid(&event.name)), (Event::Changed, id.as_str()));
        assert_eq!(event.restore_point.unwrap().state(), state);
        server.finish_write(&id);
    }
    assert!(server.remove_point(&id));
    let event = watch.event().await;
    assert_eq!((event.event(), guid(&event.name)), (Event::Deleted, id.as_str()));
}

/// What the backup servers have and Enterprise Manager has not heard of is not there yet, and that is
/// said.
#[tokio::test]
async fn a_new_point_is_there_after_the_next_data_collection() {
    let gateway = TestGateway::new().await;
    let backup = collection(&gateway, "/backup~", "Nightly").await;
    let day = HOUR * 24;
    let id = gateway.veeam.backup_server().begin_write(guid(&backup.name), "audi99", day).unwrap();
    let name = format!("{}/restorePoints/{id}", backup.name);
    let status = gateway.get(&name).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert!(status.message().contains("every 15 minutes"), "{}", status.message());
    gateway.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(gateway.get(&name).await.unwrap().state(), State::Creating);
}

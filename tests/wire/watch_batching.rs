//! WatchStatus of many points: one request to the vendor polls several points, without duplicate events.

use std::collections::BTreeSet;

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{ListRequest, WatchStatusRequest};
use restore_point_sandbox::azure::Kind;

use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::{EVERYTHING, azure_collection, azure_point};
use restore_point_test_support::wait::eventually;
use restore_point_test_support::watch::Watch;

/// The names of all points in `parent`.
async fn names(gateway: &TestGateway, parent: &str) -> Vec<String> {
    let request = ListRequest { parent: parent.to_owned(), ..Default::default() };
    gateway.list_all(request).await.into_iter().map(|point| point.name).collect()
}

/// Watches these points, and checks that each is reported once before SYNCED.
async fn watch(gateway: &TestGateway, names: &[String]) -> Watch {
    let request = WatchStatusRequest { names: names.to_vec(), follow: true, ..Default::default() };
    let mut watch = gateway.watch(request).await;
    let mut reported = BTreeSet::new();
    for _ in names {
        let event = watch.next_event().await;
        assert_eq!(event.event(), Event::Snapshot);
        reported.insert(event.name);
    }
    assert_eq!(reported, names.iter().cloned().collect());
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    watch
}

#[tokio::test]
async fn unchanging_points_of_a_collection_are_polled_by_one_request() {
    let gateway = TestGateway::start().await;
    let names = names(&gateway, &azure_collection(&gateway.azure.seeded().collection)).await;
    let mut watch = watch(&gateway, &names).await;
    // Their polls are due at about the same time.
    let point_reads = || gateway.azure.calls().count(&Method::GET, Kind::Point);
    let collection_reads = || gateway.azure.calls().count(&Method::GET, Kind::Collection);
    let (points_before, collections_before) = (point_reads(), collection_reads());
    eventually(|| collection_reads() >= collections_before + 20).await;
    let point_reads = point_reads() - points_before;
    assert!(point_reads <= 1, "{point_reads} reads of single points");
    // The polls have caused no events: the next one is a real change.
    let id = gateway.azure.seeded().points[3].clone();
    let name = azure_point(&id);
    gateway.arm(Method::DELETE, &id).await;
    let deleting = watch.next_event().await;
    assert_eq!((deleting.event(), &deleting.name), (Event::Changed, &name));
    assert_eq!(deleting.restore_point.unwrap().state(), State::Deleting);
    gateway.clock.advance(SignedDuration::from_mins(1));
    let deleted = watch.next_event().await;
    assert_eq!((deleted.event(), &deleted.name), (Event::Deleted, &name));
}

#[tokio::test]
async fn a_running_copy_is_watched_together_with_complete_ones() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded().clone();
    let names = names(&gateway, &azure_collection(&seeded.target)).await;
    assert!(names.len() > 1);
    let mut watch = watch(&gateway, &names).await;
    gateway.clock.advance(SignedDuration::from_hours(24));
    let ready = watch.next_event().await;
    let copy = azure_point(&seeded.running_copy);
    assert_eq!((ready.event(), &ready.name), (Event::Changed, &copy));
    assert_eq!(ready.restore_point.unwrap().state(), State::Ready);
}

#[tokio::test]
async fn points_of_one_kind_are_polled_by_one_query() {
    let gateway = TestGateway::start_with(|settings| settings.veeam.points = 60).await;
    let mut names = names(&gateway, "backends/veeam/collections/-").await;
    names.retain(|name| name.contains("/cloud-replica~"));
    names.truncate(30);
    let mut watch = watch(&gateway, &names).await;
    let point_reads = || gateway.veeam.count(&Method::GET, "/cloud/vmReplicaPoints/");
    let queries = || gateway.veeam.count(&Method::GET, "/query");
    let (points_before, queries_before) = (point_reads(), queries());
    eventually(|| queries() >= queries_before + 20).await;
    let point_reads = point_reads() - points_before;
    assert!(point_reads <= 1, "{point_reads} reads of single points");
    let name = &names[17];
    let (_, id) = name.rsplit_once('/').unwrap();
    assert!(gateway.veeam.set_state(id, "Failover"));
    let changed = watch.next_event().await;
    assert_eq!((changed.event(), &changed.name), (Event::Changed, name));
    assert!(gateway.veeam.remove_point(id));
    let deleted = watch.next_event().await;
    assert_eq!((deleted.event(), &deleted.name), (Event::Deleted, name));
}

#[tokio::test]
async fn one_stream_can_watch_points_of_several_backends() {
    let gateway = TestGateway::start().await;
    let copy = azure_point(&gateway.azure.seeded().running_copy);
    let mut names = names(&gateway, EVERYTHING).await;
    names.retain(|name| {
        name.contains("/backup~") || *name == copy || name.contains("/cloud-replica~")
    });
    assert!((3..=100).contains(&names.len()), "{}", names.len());
    let mut watch = watch(&gateway, &names).await;
    assert_eq!(gateway.replica.hub.target_count(), names.len());
    gateway.clock.advance(SignedDuration::from_hours(24));
    let ready = watch.skip_until(|event| event.name == copy).await;
    assert_eq!(ready.restore_point.unwrap().state(), State::Ready);
}

//! WatchStatus of many points: one call where one answers for many, and nothing told twice for it.

use std::collections::BTreeSet;

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{ListRequest, WatchStatusRequest};
use restore_point_sandbox::azure::Kind;

use restore_point_test_support::fixture::{self, TestGateway, Watch};

async fn names(gateway: &TestGateway, parent: &str) -> Vec<String> {
    let request = ListRequest { parent: parent.to_owned(), ..Default::default() };
    gateway.list_all(request).await.into_iter().map(|point| point.name).collect()
}

/// Follows points until all have been told.
async fn follow(gateway: &TestGateway, names: &[String]) -> Watch {
    let request = WatchStatusRequest { names: names.to_vec(), follow: true, ..Default::default() };
    let mut watch = gateway.watch(request).await;
    let mut told = BTreeSet::new();
    for _ in names {
        let event = watch.event().await;
        assert_eq!(event.event(), Event::Snapshot);
        told.insert(event.name);
    }
    assert_eq!(told, names.iter().cloned().collect());
    assert_eq!(watch.event().await.event(), Event::Synced);
    watch
}

#[tokio::test]
async fn points_of_a_collection_at_rest_are_one_call() {
    let gateway = TestGateway::new().await;
    let names =
        names(&gateway, &TestGateway::azure_collection(&gateway.azure.seeded().collection)).await;
    let mut watch = follow(&gateway, &names).await;
    // By now all of them are due at the same time, or nearly.
    let singles = || gateway.azure.calls().count(&Method::GET, Kind::Point);
    let together = || gateway.azure.calls().count(&Method::GET, Kind::Collection);
    let (before_singles, before) = (singles(), together());
    fixture::eventually(|| together() >= before + 20).await;
    assert!(singles() - before_singles <= 1, "{}", singles() - before_singles);
    // However they were read, nothing about them has changed: the next thing told is a real change.
    let doomed = gateway.azure.seeded().points[3].clone();
    let delete = gateway
        .vendor_client()
        .delete(format!("{}{doomed}?api-version=2024-11-01", gateway.azure.endpoint()));
    delete
        .bearer_auth(gateway.azure.static_token())
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    let deleting = watch.event().await;
    assert_eq!(
        (deleting.event(), &deleting.name),
        (Event::Changed, &TestGateway::azure_point(&doomed))
    );
    assert_eq!(deleting.restore_point.unwrap().state(), State::Deleting);
    gateway.clock.advance(SignedDuration::from_mins(1));
    let deleted = watch.event().await;
    assert_eq!(
        (deleted.event(), &deleted.name),
        (Event::Deleted, &TestGateway::azure_point(&doomed))
    );
}

#[tokio::test]
async fn copies_on_their_way_are_watched_among_those_that_have_arrived() {
    let gateway = TestGateway::new().await;
    let seeded = gateway.azure.seeded().clone();
    let names = names(&gateway, &TestGateway::azure_collection(&seeded.target)).await;
    assert!(names.len() > 1);
    let mut watch = follow(&gateway, &names).await;
    gateway.clock.advance(SignedDuration::from_hours(24));
    let arrived = watch.event().await;
    assert_eq!(
        (arrived.event(), &arrived.name),
        (Event::Changed, &TestGateway::azure_point(&seeded.running_copy))
    );
    assert_eq!(arrived.restore_point.unwrap().state(), State::Ready);
}

#[tokio::test]
async fn points_of_a_kind_are_one_query() {
    let gateway = TestGateway::with(|plan| plan.veeam.points = 60).await;
    let mut cloud = names(&gateway, "backends/veeam/collections/-").await;
    cloud.retain(|name| name.contains("/cloud-replica~"));
    cloud.truncate(30);
    let mut watch = follow(&gateway, &cloud).await;
    let singles = || gateway.veeam.count(&Method::GET, "/cloud/vmReplicaPoints/");
    let queries = || gateway.veeam.count(&Method::GET, "/query");
    let (before_singles, before) = (singles(), queries());
    fixture::eventually(|| queries() >= before + 20).await;
    assert!(singles() - before_singles <= 1, "{}", singles() - before_singles);
    let (_, id) = cloud[17].rsplit_once('/').unwrap();
    assert!(gateway.veeam.set_state(id, "Failover"));
    let changed = watch.event().await;
    assert_eq!((changed.event(), &changed.name), (Event::Changed, &cloud[17]));
    assert!(gateway.veeam.remove_point(id));
    let deleted = watch.event().await;
    assert_eq!((deleted.event(), &deleted.name), (Event::Deleted, &cloud[17]));
}

#[tokio::test]
async fn points_of_several_backends_share_a_stream() {
    let gateway = TestGateway::new().await;
    let mut all = names(&gateway, "backends/-/collections/-").await;
    let running = TestGateway::azure_point(&gateway.azure.seeded().running_copy);
    all.retain(|name| {
        name.contains("/backup~") || *name == running || name.contains("/cloud-replica~")
    });
    assert!((3..=100).contains(&all.len()), "{}", all.len());
    let mut watch = follow(&gateway, &all).await;
    assert!(gateway.hub.target_count() == all.len());
    gateway.clock.advance(SignedDuration::from_hours(24));
    let arrived = watch.until(|event| event.name == running).await;
    assert_eq!(arrived.restore_point.unwrap().state(), State::Ready);
}

//! WatchStatus of many points: one call where one answers for many, and nothing told twice for it.

use std::collections::BTreeSet;

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{ListRequest, WatchStatusRequest};
use restore_point_gateway::sandbox::azure::Kind;

use crate::house::{self, House, Watch};

async fn names(house: &House, parent: &str) -> Vec<String> {
    let request = ListRequest { parent: parent.to_owned(), ..Default::default() };
    house.list_all(request).await.into_iter().map(|point| point.name).collect()
}

/// Follows points until all have been told.
async fn follow(house: &House, names: &[String]) -> Watch {
    let request = WatchStatusRequest { names: names.to_vec(), follow: true, ..Default::default() };
    let mut watch = house.watch(request).await;
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
    let house = House::new().await;
    let names = names(&house, &House::azure_collection(&house.azure.seeded().collection)).await;
    let mut watch = follow(&house, &names).await;
    // By now all of them are due at the same time, or nearly.
    let singles = || house.azure.calls().count(&Method::GET, Kind::Point);
    let together = || house.azure.calls().count(&Method::GET, Kind::Collection);
    let (before_singles, before) = (singles(), together());
    house::eventually(|| together() >= before + 20).await;
    assert!(singles() - before_singles <= 1, "{}", singles() - before_singles);
    // However they were read, nothing about them has changed: the next thing told is a real change.
    let doomed = house.azure.seeded().points[3].clone();
    let delete = house
        .vendor_client()
        .delete(format!("{}{doomed}?api-version=2024-11-01", house.azure.endpoint()));
    delete
        .bearer_auth(house.azure.static_token())
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    let deleting = watch.event().await;
    assert_eq!((deleting.event(), &deleting.name), (Event::Changed, &House::azure_point(&doomed)));
    assert_eq!(deleting.restore_point.unwrap().state(), State::Deleting);
    house.clock.advance(SignedDuration::from_mins(1));
    let deleted = watch.event().await;
    assert_eq!((deleted.event(), &deleted.name), (Event::Deleted, &House::azure_point(&doomed)));
}

#[tokio::test]
async fn copies_on_their_way_are_watched_among_those_that_have_arrived() {
    let house = House::new().await;
    let seeded = house.azure.seeded().clone();
    let names = names(&house, &House::azure_collection(&seeded.target)).await;
    assert!(names.len() > 1);
    let mut watch = follow(&house, &names).await;
    house.clock.advance(SignedDuration::from_hours(24));
    let arrived = watch.event().await;
    assert_eq!(
        (arrived.event(), &arrived.name),
        (Event::Changed, &House::azure_point(&seeded.running_copy))
    );
    assert_eq!(arrived.restore_point.unwrap().state(), State::Ready);
}

#[tokio::test]
async fn points_of_a_kind_are_one_query() {
    let house = House::with(|plan| plan.veeam.points = 60).await;
    let mut cloud = names(&house, "backends/veeam/collections/-").await;
    cloud.retain(|name| name.contains("/cloud-replica~"));
    cloud.truncate(30);
    let mut watch = follow(&house, &cloud).await;
    let singles = || house.veeam.count(&Method::GET, "/cloud/vmReplicaPoints/");
    let queries = || house.veeam.count(&Method::GET, "/query");
    let (before_singles, before) = (singles(), queries());
    house::eventually(|| queries() >= before + 20).await;
    assert!(singles() - before_singles <= 1, "{}", singles() - before_singles);
    let (_, id) = cloud[17].rsplit_once('/').unwrap();
    assert!(house.veeam.set_state(id, "Failover"));
    let changed = watch.event().await;
    assert_eq!((changed.event(), &changed.name), (Event::Changed, &cloud[17]));
    assert!(house.veeam.remove_point(id));
    let deleted = watch.event().await;
    assert_eq!((deleted.event(), &deleted.name), (Event::Deleted, &cloud[17]));
}

#[tokio::test]
async fn points_of_several_backends_share_a_stream() {
    let house = House::new().await;
    let mut all = names(&house, "backends/-/collections/-").await;
    let running = House::azure_point(&house.azure.seeded().running_copy);
    all.retain(|name| {
        name.contains("/backup~") || *name == running || name.contains("/cloud-replica~")
    });
    assert!((3..=100).contains(&all.len()), "{}", all.len());
    let mut watch = follow(&house, &all).await;
    assert!(house.hub.polled_targets() == all.len());
    house.clock.advance(SignedDuration::from_hours(24));
    let arrived = watch.until(|event| event.name == running).await;
    assert_eq!(arrived.restore_point.unwrap().state(), State::Ready);
}

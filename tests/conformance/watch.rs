//! WatchStatus: the present state, every change, and nothing twice.

use std::collections::BTreeSet;

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{WatchStatusRequest, WatchStatusResponse};
use tonic::Code;

use restore_point_test_support::watch::Watch;

use crate::fixture::{self, Fixture};

/// Watches a point until it is terminal.
fn watch(name: &str) -> WatchStatusRequest {
    WatchStatusRequest { names: vec![name.to_owned()], ..Default::default() }
}

/// Watches a point for ever.
fn follow(name: &str) -> WatchStatusRequest {
    WatchStatusRequest { follow: true, ..watch(name) }
}

fn is_usable(event: &WatchStatusResponse) -> bool {
    event.restore_point.as_ref().is_some_and(|point| point.usable)
}

fn is_deleted(event: &WatchStatusResponse) -> bool {
    event.event() == Event::Deleted
}

/// The first event of a watch of one point, which must be followed by SYNCED.
async fn first_event(watch: &mut Watch) -> WatchStatusResponse {
    let first = watch.next_event().await;
    assert!(!first.resume_token.is_empty() && first.observe_time.is_some(), "{first:?}");
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    first
}

pub(crate) async fn a_watch_of_terminal_points_sends_snapshots_and_ends(fixture: &impl Fixture) {
    let points = fixture.points().await;
    let names: Vec<_> = points.iter().map(|point| point.name.clone()).collect();
    let request = WatchStatusRequest { names: names.clone(), ..Default::default() };
    let mut watch = fixture.gateway().watch(request).await;
    let mut reported = BTreeSet::new();
    for _ in &names {
        let event = watch.next_event().await;
        assert_eq!(event.event(), Event::Snapshot);
        assert!(is_usable(&event) && reported.insert(event.name.clone()), "{event:?}");
    }
    assert_eq!(reported, fixture::names(&points));
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    watch.expect_end().await;
}

pub(crate) async fn a_new_point_is_watched_until_it_is_ready(fixture: &impl Fixture) {
    let Some(name) = fixture.begin_point().await else { return };
    let point = fixture.gateway().get(&name).await.unwrap();
    assert!(!point.usable, "{point:?}");
    let mut watch = fixture.gateway().watch(watch(&name)).await;
    let first = first_event(&mut watch).await;
    assert_eq!((first.event(), is_usable(&first)), (Event::Snapshot, false), "{first:?}");
    fixture.finish_point(&name).await;
    let ready = watch.skip_until(is_usable).await;
    assert_eq!(ready.event(), Event::Changed);
    assert_eq!(ready.restore_point.unwrap().state(), State::Ready);
    watch.expect_end().await;
}

pub(crate) async fn a_deletion_is_sent_once(fixture: &impl Fixture) {
    let name = fixture.points().await.remove(0).name;
    let mut first = fixture.gateway().watch(follow(&name)).await;
    first_event(&mut first).await;
    fixture.delete_point(&name).await;
    let event = first.skip_until(is_deleted).await;
    assert_eq!((&event.name, event.restore_point), (&name, None));
    let request = WatchStatusRequest { resume_token: event.resume_token, ..follow(&name) };
    let mut resumed = fixture.gateway().watch(request).await;
    assert_eq!(resumed.next_event().await.event(), Event::Synced);
    let status = match Watch::open(fixture.gateway().client(), watch(&name)).await {
        Err(status) => status,
        Ok(mut watch) => watch.message().await.unwrap_err(),
    };
    assert_eq!(status.code(), Code::NotFound, "a watch without a token");
}

pub(crate) async fn a_watched_collection_reports_added_and_deleted_points(fixture: &impl Fixture) {
    let request =
        WatchStatusRequest { parent: fixture.collection(), follow: true, ..Default::default() };
    let mut watch = fixture.gateway().watch(request).await;
    let points = fixture.points().await;
    let mut reported = BTreeSet::new();
    while reported.len() < points.len() {
        let event = watch.next_event().await;
        assert_eq!(event.event(), Event::Snapshot);
        reported.insert(event.name);
    }
    assert_eq!(reported, fixture::names(&points));
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    fixture.delete_point(&points[0].name).await;
    assert_eq!(watch.skip_until(is_deleted).await.name, points[0].name);
    if let Some(name) = fixture.begin_point().await {
        let added = watch.skip_until(|event| event.name == name).await;
        assert_eq!(added.event(), Event::Changed);
    }
}

pub(crate) async fn an_outage_degrades_the_watch_until_it_ends(fixture: &impl Fixture) {
    let name = fixture.points().await.remove(0).name;
    let mut watch = fixture.gateway().watch(follow(&name)).await;
    let first = first_event(&mut watch).await;
    // More than the attempts of one poll.
    fixture.fail_reads(7);
    let degraded = watch.next_event().await;
    assert_eq!(degraded.event(), Event::Degraded);
    assert_eq!(Code::from(degraded.error.unwrap().code), Code::Unavailable);
    let (before, after) = (first.observe_time.unwrap(), degraded.observe_time.unwrap());
    assert!(after.seconds >= before.seconds, "{after} is before {before}");
    assert_eq!(watch.next_event().await.event(), Event::Recovered);
}

pub(crate) async fn a_resumed_watch_receives_what_it_missed(fixture: &impl Fixture) {
    let points = fixture.points().await;
    let names = [&points[0].name, &points[1].name].map(Clone::clone).to_vec();
    let request = WatchStatusRequest { names, follow: true, ..Default::default() };
    let resume_token = fixture.gateway().watch(request.clone()).await.synced().await.resume_token;
    let request = WatchStatusRequest { resume_token, ..request };
    let mut unchanged = fixture.gateway().watch(request.clone()).await;
    assert_eq!(unchanged.next_event().await.event(), Event::Synced, "nothing is repeated");
    drop(unchanged);
    fixture.delete_point(&points[1].name).await;
    let replica = fixture.gateway().start_replica().await;
    let mut watch = Watch::open(replica.client, request).await.unwrap();
    assert_eq!(watch.skip_until(is_deleted).await.name, points[1].name);
}

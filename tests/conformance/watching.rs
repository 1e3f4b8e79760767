//! WatchStatus: what is, what changes, and nothing twice.

use std::collections::BTreeSet;

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{WatchStatusRequest, WatchStatusResponse};
use tonic::Code;

use crate::stage::{self, Stage};
use restore_point_test_support::fixture::{self, Watch};

fn name(name: &str) -> WatchStatusRequest {
    WatchStatusRequest { names: vec![name.to_owned()], ..Default::default() }
}

fn following(name: &str) -> WatchStatusRequest {
    WatchStatusRequest { follow: true, ..self::name(name) }
}

fn usable(event: &WatchStatusResponse) -> bool {
    event.restore_point.as_ref().is_some_and(|point| point.usable)
}

/// The first event, and the token of the one that closes the beginning.
async fn beginning(watch: &mut Watch) -> (WatchStatusResponse, String) {
    let first = watch.event().await;
    assert!(!first.resume_token.is_empty() && first.observe_time.is_some(), "{first:?}");
    let synced = watch.event().await;
    assert_eq!(synced.event(), Event::Synced);
    (first, synced.resume_token)
}

pub(crate) async fn what_is_at_rest_is_told_once_and_the_watch_ends(stage: &impl Stage) {
    let points = stage::points(stage).await;
    let names: Vec<_> = points.iter().map(|point| point.name.clone()).collect();
    let request = WatchStatusRequest { names: names.clone(), ..Default::default() };
    let mut watch = stage.gateway().watch(request).await;
    let mut told = BTreeSet::new();
    for _ in &names {
        let event = watch.event().await;
        assert_eq!(event.event(), Event::Snapshot);
        assert!(usable(&event) && told.insert(event.name.clone()), "{event:?}");
    }
    assert_eq!(told, stage::names(&points));
    assert_eq!(watch.event().await.event(), Event::Synced);
    assert!(watch.next().await.unwrap().is_none(), "nothing more will happen by itself");
}

pub(crate) async fn a_point_in_the_making_is_watched_to_its_end(stage: &impl Stage) {
    let Some(begun) = stage.begin().await else { return };
    let point = stage.gateway().get(&begun).await.unwrap();
    assert!(!point.usable, "{point:?}");
    let mut watch = stage.gateway().watch(name(&begun)).await;
    let (first, _) = beginning(&mut watch).await;
    assert_eq!((first.event(), usable(&first)), (Event::Snapshot, false), "{first:?}");
    stage.finish(&begun).await;
    let ready = watch.until(usable).await;
    assert_eq!(ready.event(), Event::Changed);
    assert_eq!(ready.restore_point.unwrap().state(), State::Ready);
    assert!(watch.next().await.unwrap().is_none());
}

pub(crate) async fn a_deletion_is_told_and_not_told_again(stage: &impl Stage) {
    let doomed = stage::points(stage).await.remove(0).name;
    let mut watch = stage.gateway().watch(following(&doomed)).await;
    beginning(&mut watch).await;
    stage.delete(&doomed).await;
    let event = watch.until(|event| event.event() == Event::Deleted).await;
    assert_eq!((&event.name, event.restore_point), (&doomed, None));
    let request = WatchStatusRequest { resume_token: event.resume_token, ..following(&doomed) };
    let mut resumed = stage.gateway().watch(request).await;
    assert_eq!(resumed.event().await.event(), Event::Synced);
    let status = match fixture::watch(stage.gateway().client(), name(&doomed)).await {
        Err(status) => status,
        Ok(mut watch) => watch.next().await.unwrap_err(),
    };
    assert_eq!(status.code(), Code::NotFound, "without a token there is nothing to watch");
}

pub(crate) async fn a_collection_tells_of_what_appears_and_vanishes(stage: &impl Stage) {
    let request =
        WatchStatusRequest { parent: stage.collection(), follow: true, ..Default::default() };
    let mut watch = stage.gateway().watch(request).await;
    let points = stage::points(stage).await;
    let mut told = BTreeSet::new();
    while told.len() < points.len() {
        let event = watch.event().await;
        assert_eq!(event.event(), Event::Snapshot);
        told.insert(event.name);
    }
    assert_eq!(told, stage::names(&points));
    assert_eq!(watch.event().await.event(), Event::Synced);
    stage.delete(&points[0].name).await;
    let gone = watch.until(|event| event.event() == Event::Deleted).await;
    assert_eq!(gone.name, points[0].name);
    if let Some(begun) = stage.begin().await {
        let come = watch.until(|event| event.name == begun).await;
        assert_eq!(come.event(), Event::Changed);
    }
}

/// More failures than one poll repeats.
pub(crate) async fn an_outage_degrades_and_ends(stage: &impl Stage) {
    let watched = stage::points(stage).await.remove(0).name;
    let mut watch = stage.gateway().watch(following(&watched)).await;
    let (first, _) = beginning(&mut watch).await;
    stage.fail(7);
    let degraded = watch.event().await;
    assert_eq!(degraded.event(), Event::Degraded);
    let error = degraded.error.expect("why");
    assert_eq!(Code::from(error.code), Code::Unavailable);
    assert!(
        degraded
            .observe_time
            .is_some_and(|time| time.seconds >= first.observe_time.unwrap().seconds)
    );
    assert_eq!(watch.event().await.event(), Event::Recovered);
}

pub(crate) async fn a_resumed_watch_hears_what_it_missed(stage: &impl Stage) {
    let points = stage::points(stage).await;
    let names = [&points[0].name, &points[1].name].map(Clone::clone).to_vec();
    let request = WatchStatusRequest { names, follow: true, ..Default::default() };
    let mut watch = stage.gateway().watch(request.clone()).await;
    let token = watch.until(|event| event.event() == Event::Synced).await.resume_token;
    drop(watch);
    let request = WatchStatusRequest { resume_token: token, ..request };
    let mut quiet = stage.gateway().watch(request.clone()).await;
    assert_eq!(quiet.event().await.event(), Event::Synced, "nothing is repeated");
    drop(quiet);
    stage.delete(&points[1].name).await;
    let replica = stage.gateway().another_replica().await;
    let mut watch = fixture::watch(replica.client, request).await.unwrap();
    let missed = watch.until(|event| event.event() == Event::Deleted).await;
    assert_eq!(missed.name, points[1].name);
}

//! WatchStatus during faults of a vendor: watchers receive the last known state and its time, no change is lost, and the
//! vendor receives no burst of requests when it is back.

use std::time::Instant;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{WatchStatusRequest, WatchStatusResponse};
use restore_point_sandbox::azure::{Fault, Kind, Matching, VendorFault};
use tonic::Code;
use tonic_types::RpcStatusExt;

use restore_point_test_support::fixture::{COPY_ID, MIN_POLL_INTERVAL, TestGateway};
use restore_point_test_support::names::{SRV39, SRV39_ID, azure_point};
use restore_point_test_support::wait::eventually;
use restore_point_test_support::watch::state;

fn follow<const N: usize>(names: [&str; N]) -> WatchStatusRequest {
    let names = names.map(str::to_owned).to_vec();
    WatchStatusRequest { names, follow: true, ..Default::default() }
}

fn running_copy(gateway: &TestGateway) -> String {
    azure_point(&gateway.azure.seeded().running_copy)
}

/// Waits until the gateway has polled Veeam 30 times. In this time it would have polled a target of Azure too.
async fn wait_for_polls(gateway: &TestGateway) {
    let _watch = gateway.synced_watch(follow([SRV39])).await;
    let polls = || gateway.veeam.count(&Method::GET, SRV39_ID);
    let before = polls();
    eventually(|| polls() >= before + 30).await;
}

#[tokio::test]
async fn watches_receive_an_outage_and_the_change_during_it() {
    let gateway = TestGateway::start().await;
    let name = running_copy(&gateway);
    let mut watches = Vec::new();
    for _ in 0..40 {
        watches.push(gateway.synced_watch(follow([&name])).await);
    }
    let outage = Timestamp::now();
    gateway.inject_fault("azure", "hang_up");
    for watch in &mut watches {
        let degraded = watch.next_event().await;
        assert_eq!((degraded.event(), &degraded.name), (Event::Degraded, &name));
        assert_eq!(Code::from(degraded.error.unwrap().code), Code::Unavailable);
        let observed = Timestamp::from_second(degraded.observe_time.unwrap().seconds).unwrap();
        // A poll in flight can still have succeeded.
        assert!(observed <= outage + SignedDuration::from_secs(20), "{observed}");
    }
    // The copy becomes ready during the outage.
    gateway.clock.advance(SignedDuration::from_hours(1));
    let (before, recovered) = (gateway.azure.calls().total(), Instant::now());
    gateway.clear_faults();
    for watch in &mut watches {
        assert_eq!(watch.next_event().await.event(), Event::Recovered);
        let changed = watch.next_event().await;
        assert_eq!((changed.event(), state(&changed)), (Event::Changed, Some(State::Ready)));
    }
    let requests = gateway.azure.calls().total() - before;
    // One poll an interval, and some requests for a token and for polls in flight.
    let max = recovered.elapsed().as_millis() / MIN_POLL_INTERVAL.as_millis() + 20;
    assert!(requests as u128 <= max, "{requests} requests, more than {max}");
}

#[tokio::test]
async fn new_watchers_do_not_shorten_a_long_retry_after() {
    let gateway = TestGateway::start().await;
    let name = running_copy(&gateway);
    let mut watch = gateway.synced_watch(follow([&name])).await;
    let throttle = Fault::error_with_retry_after(StatusCode::TOO_MANY_REQUESTS, 1200);
    gateway.azure.inject(Matching::path("/restorepoints/"), 1, throttle);
    let degraded = watch.next_event().await;
    assert_eq!(degraded.event(), Event::Degraded);
    let retry = degraded.error.unwrap().get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(retry.as_secs(), 1200);
    let before = gateway.azure.calls().total();
    let mut new_watches = Vec::new();
    for _ in 0..20 {
        let mut watch = gateway.watch(follow([&name])).await;
        // The last known state, and that it is outdated.
        let events = [watch.next_event().await, watch.next_event().await, watch.next_event().await];
        let mut events = events.map(|event| event.event());
        events.sort();
        assert_eq!(events, [Event::Snapshot, Event::Synced, Event::Degraded]);
        new_watches.push(watch);
    }
    wait_for_polls(&gateway).await;
    assert_eq!(gateway.azure.calls().total(), before, "a request before the end of Retry-After");
}

#[tokio::test]
async fn an_expired_credential_is_renewed_without_an_event() {
    let gateway = TestGateway::start().await;
    let copy = running_copy(&gateway);
    let mut watch = gateway.synced_watch(follow([&copy, SRV39])).await;
    let tokens = || gateway.azure.calls().count(&Method::POST, Kind::Token);
    let logons = || gateway.veeam.count(&Method::POST, "/sessionMngr");
    let before = (tokens(), logons());
    gateway.azure.revoke_tokens();
    gateway.veeam.expire_sessions();
    eventually(|| tokens() > before.0 && logons() > before.1).await;
    assert!(gateway.veeam.set_state(SRV39_ID, "Failover"));
    let changed = watch.next_event().await;
    assert_eq!((changed.event(), state(&changed)), (Event::Changed, Some(State::InUse)));
    assert_eq!((tokens(), logons()), (before.0 + 1, before.1 + 1), "each renewed once");
}

#[tokio::test]
async fn deleting_a_collection_deletes_its_points_in_all_watches() {
    let gateway = TestGateway::start().await;
    let id = gateway.azure.seeded().failed_copy.clone();
    let name = azure_point(&id);
    let (collection, _) = name.split_once("/restorePoints/").unwrap();
    let mut point_watch = gateway.synced_watch(follow([&name])).await;
    let parent = collection.to_owned();
    let request = WatchStatusRequest { parent, follow: true, ..Default::default() };
    let mut collection_watch = gateway.synced_watch(request).await;

    let (collection_id, _) = id.split_once("/restorePoints/").unwrap();
    gateway.arm(Method::DELETE, collection_id).await;
    gateway.clock.advance(SignedDuration::from_mins(1));
    let is_deleted = |event: &WatchStatusResponse| event.event() == Event::Deleted;
    assert_eq!(point_watch.skip_until(is_deleted).await.name, name);
    let mut deleted = [
        collection_watch.skip_until(is_deleted).await.name,
        collection_watch.skip_until(is_deleted).await.name,
    ];
    deleted.sort();
    assert_eq!(deleted, [collection, &name]);
}

#[tokio::test]
async fn a_failed_copy_is_reported_after_its_operation_has_expired() {
    let gateway = TestGateway::start_with(|settings| {
        settings.azure.operation_retention = SignedDuration::from_secs(30);
    })
    .await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let fault = Fault::vendor(VendorFault::FailCreation {
        code: "VMRestorePointInternalError".into(),
        message: "An internal error occurred. Please retry later.".into(),
    });
    let matching = Matching::new(Method::PUT, &format!("/restorepoints/{COPY_ID}"));
    gateway.azure.inject(matching, 1, fault);
    let started = gateway.start_copy(2, &target).await;
    let name = started.restore_point.unwrap().name;
    gateway.clock.advance(SignedDuration::from_hours(1));
    let request = WatchStatusRequest { resume_token: started.resume_token, ..follow([&name]) };
    let mut watch = gateway.watch(request).await;
    let failed = watch.next_event().await;
    assert_eq!((&failed.name, state(&failed)), (&name, Some(State::Failed)));
    let error = failed.restore_point.unwrap().error.unwrap();
    assert!(!error.message.is_empty(), "{error:?}");
}

//! WatchStatus when things go wrong: what is known and since when, no change lost, and no storm when the vendor
//! is back.

use std::time::Instant;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use restore_point_gateway::proto::WatchStatusRequest;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_sandbox::azure::{Fault, Kind, Matching, VendorFault};
use tonic::Code;
use tonic_types::RpcStatusExt;

use restore_point_test_support::fixture::{self, TestGateway, Watch, state};

const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

fn follow(names: &[String]) -> WatchStatusRequest {
    WatchStatusRequest { names: names.to_vec(), follow: true, ..Default::default() }
}

async fn synced(gateway: &TestGateway, names: &[String]) -> Watch {
    let mut watch = gateway.watch(follow(names)).await;
    watch.until(|event| event.event() == Event::Synced).await;
    watch
}

fn running(gateway: &TestGateway) -> String {
    TestGateway::azure_point(&gateway.azure.seeded().running_copy)
}

/// Lets the gateway poll another vendor for a while: so long it could have polled this one too.
async fn a_while(gateway: &TestGateway) {
    let any = format!("backends/veeam/collections/-/restorePoints/{SRV39}");
    let _watch = synced(gateway, &[any]).await;
    let polls = || gateway.veeam.count(&Method::GET, SRV39);
    let before = polls();
    fixture::eventually(|| polls() >= before + 30).await;
}

#[tokio::test]
async fn an_outage_of_an_hour_is_told_and_what_happened_in_it_too() {
    let gateway = TestGateway::new().await;
    let name = running(&gateway);
    let mut watches = Vec::new();
    for _ in 0..40 {
        watches.push(synced(&gateway, std::slice::from_ref(&name)).await);
    }
    let last_word = Timestamp::now();
    gateway.azure.inject(Matching::path("/"), 1_000_000, Fault::hang_up());
    for watch in &mut watches {
        let degraded = watch.event().await;
        assert_eq!((degraded.event(), &degraded.name), (Event::Degraded, &name));
        assert_eq!(Code::from(degraded.error.unwrap().code), Code::Unavailable);
        let known = Timestamp::from_second(degraded.observe_time.unwrap().seconds).unwrap();
        assert!(known <= last_word.saturating_add(SignedDuration::from_secs(20)).unwrap());
    }
    // The copy arrives while nobody can see it.
    gateway.clock.advance(SignedDuration::from_hours(1));
    let (before, back) = (gateway.azure.calls().total(), Instant::now());
    gateway.azure.clear_faults();
    for watch in &mut watches {
        assert_eq!(watch.event().await.event(), Event::Recovered);
        let arrived = watch.event().await;
        assert_eq!((arrived.event(), state(&arrived)), (Event::Changed, Some(State::Ready)));
    }
    let calls = gateway.azure.calls().total() - before;
    // What one poll after the other makes at the quickest pace, 10 ms here, and a token.
    let most = back.elapsed().as_millis() / 10 + 20;
    assert!(calls as u128 <= most, "{calls} calls when it returned, for forty watchers of a point");
}

#[tokio::test]
async fn a_long_retry_after_is_kept_whoever_comes() {
    let gateway = TestGateway::new().await;
    let name = running(&gateway);
    let mut watch = synced(&gateway, std::slice::from_ref(&name)).await;
    let throttle = Fault::error_with_retry_after(StatusCode::TOO_MANY_REQUESTS, 1200);
    gateway.azure.inject(Matching::path("/restorepoints/"), 1, throttle);
    let degraded = watch.event().await;
    assert_eq!(degraded.event(), Event::Degraded);
    let retry = degraded.error.unwrap().get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(retry.as_secs(), 1200);
    let before = gateway.azure.calls().total();
    let mut newcomers = Vec::new();
    for _ in 0..20 {
        let mut newcomer = gateway.watch(follow(std::slice::from_ref(&name))).await;
        // What is known, and that it is old, at once.
        let told = [newcomer.event().await, newcomer.event().await, newcomer.event().await];
        let mut told = told.map(|event| event.event());
        told.sort();
        assert_eq!(told, [Event::Snapshot, Event::Synced, Event::Degraded]);
        newcomers.push(newcomer);
    }
    a_while(&gateway).await;
    assert_eq!(gateway.azure.calls().total(), before, "the vendor is left alone");
}

#[tokio::test]
async fn a_credential_that_runs_out_midway_is_nobodys_business() {
    let gateway = TestGateway::new().await;
    let names = [
        running(&gateway),
        format!(
            "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead/restorePoints/{SRV39}"
        ),
    ];
    let mut watch = synced(&gateway, &names).await;
    let tokens = || gateway.azure.calls().count(&Method::POST, Kind::Token);
    let logons = || gateway.veeam.count(&Method::POST, "/sessionMngr");
    let before = (tokens(), logons());
    gateway.azure.revoke_tokens();
    gateway.veeam.expire_sessions();
    fixture::eventually(|| tokens() > before.0 && logons() > before.1).await;
    assert!(gateway.veeam.set_state(SRV39, "Failover"));
    let changed = watch.event().await;
    assert_eq!((changed.event(), state(&changed)), (Event::Changed, Some(State::InUse)));
    assert_eq!((tokens(), logons()), (before.0 + 1, before.1 + 1), "each renewed once");
}

#[tokio::test]
async fn a_collection_deleted_under_watch_takes_its_points_along() {
    let gateway = TestGateway::new().await;
    let seeded = gateway.azure.seeded().clone();
    let name = TestGateway::azure_point(&seeded.failed_copy);
    let collection = name.split("/restorePoints/").next().unwrap().to_owned();
    let mut point = synced(&gateway, std::slice::from_ref(&name)).await;
    let request =
        WatchStatusRequest { parent: collection.clone(), follow: true, ..Default::default() };
    let mut whole = gateway.watch(request).await;
    whole.until(|event| event.event() == Event::Synced).await;

    let id = seeded.failed_copy.split("/restorePoints/").next().unwrap();
    let url = format!("{}{id}?api-version=2024-11-01", gateway.azure.endpoint());
    let delete = gateway.vendor_client().delete(url).bearer_auth(gateway.azure.static_token());
    delete.send().await.unwrap().error_for_status().unwrap();
    gateway.clock.advance(SignedDuration::from_mins(1));
    let gone = point.until(|event| event.event() == Event::Deleted).await;
    assert_eq!(gone.name, name);
    let mut gone = vec![whole.until(|event| event.event() == Event::Deleted).await.name];
    gone.push(whole.until(|event| event.event() == Event::Deleted).await.name);
    gone.sort();
    assert_eq!(gone, [collection, name]);
}

#[tokio::test]
async fn a_failure_is_told_even_when_its_operation_is_forgotten() {
    let gateway = TestGateway::with(|plan| {
        plan.azure.operation_retention = SignedDuration::from_secs(30);
    })
    .await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    let fault = Fault::vendor(VendorFault::FailCreation {
        code: "VMRestorePointInternalError".into(),
        message: "An internal error occurred. Please retry later.".into(),
    });
    gateway.azure.inject(Matching::new(Method::PUT, "/restorepoints/the-copy"), 1, fault);
    let started = gateway.copy(2, &target).await;
    let name = started.restore_point.unwrap().name;
    gateway.clock.advance(SignedDuration::from_hours(1));
    let request = WatchStatusRequest {
        resume_token: started.resume_token,
        ..follow(std::slice::from_ref(&name))
    };
    let mut watch = gateway.watch(request).await;
    let failed = watch.event().await;
    assert_eq!((&failed.name, state(&failed)), (&name, Some(State::Failed)));
    let error = failed.restore_point.unwrap().error.unwrap();
    assert!(!error.message.is_empty(), "{error:?}");
}

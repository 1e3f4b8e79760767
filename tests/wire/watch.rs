//! WatchStatus: the latest state of each target, nothing sent twice, and one poller for all watchers of a target.

use std::collections::HashSet;

use http::{Method, StatusCode};
use jiff::SignedDuration;
use restore_point_gateway::model::{Purpose, Sealer, TokenKey};
use restore_point_gateway::proto::WatchStatusRequest;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::server::ServerExit;
use restore_point_sandbox::azure::{Calls, Canned, Fault, Kind, Matching, VendorFault};
use tonic::Code;
use tonic_types::{RpcStatusExt, StatusExt};

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::fixture::{TOKEN_KEY, TestGateway};
use restore_point_test_support::names::{
    SRV39, SRV39_COLLECTION, SRV39_ID, SRV39_IN_ANY_COLLECTION, azure_collection, azure_point,
};
use restore_point_test_support::wait::{eventually, in_time};
use restore_point_test_support::watch::{Watch, state};

/// Watches these points until they are terminal.
fn names<const N: usize>(names: [&str; N]) -> WatchStatusRequest {
    WatchStatusRequest { names: names.map(str::to_owned).to_vec(), ..Default::default() }
}

/// Watches this point for ever.
fn follow(name: &str) -> WatchStatusRequest {
    WatchStatusRequest { follow: true, ..names([name]) }
}

#[tokio::test]
async fn a_copy_is_watched_until_it_is_ready() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let started = gateway.start_copy(2, &target).await;
    let name = started.restore_point.unwrap().name;
    let mut watch = gateway
        .watch(WatchStatusRequest { resume_token: started.resume_token, ..names([&name]) })
        .await;
    let first = watch.next_event().await;
    assert_eq!((first.event(), state(&first)), (Event::Snapshot, Some(State::Creating)));
    assert_eq!(first.name, name);
    assert_eq!(watch.next_event().await.event(), Event::Synced);

    gateway.clock.advance(SignedDuration::from_secs(10));
    let copying = watch.next_event().await;
    assert_eq!((copying.event(), state(&copying)), (Event::Changed, Some(State::Copying)));
    let mut percents = vec![0];
    let last = loop {
        gateway.clock.advance(SignedDuration::from_mins(10));
        let event = watch.next_event().await;
        let point = event.restore_point.as_ref().unwrap();
        assert_eq!(point.usable, point.state() == State::Ready);
        percents.push(point.copy_progress_percent.unwrap());
        if point.usable {
            break event;
        }
    };
    assert!(percents.is_sorted() && percents.len() > 2, "{percents:?}");
    assert_eq!(state(&last), Some(State::Ready));
    assert!(!last.resume_token.is_empty() && last.observe_time.is_some());
    watch.expect_end().await;
}

#[tokio::test]
async fn a_watch_of_terminal_points_sends_snapshots_and_ends() {
    let gateway = TestGateway::start().await;
    let azure = azure_point(&gateway.azure.seeded().points[0]);
    let mut watch = gateway.watch(names([&azure, SRV39])).await;
    let mut events = [watch.next_event().await, watch.next_event().await];
    events.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!([events[0].name.as_str(), &events[1].name], [&azure, SRV39]);
    assert!(events.iter().all(|event| event.event() == Event::Snapshot));
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    watch.expect_end().await;
}

#[tokio::test]
async fn a_watch_with_follow_receives_every_later_change() {
    let gateway = TestGateway::start().await;
    let mut watch = gateway.synced_watch(follow(SRV39)).await;
    for (raw, expected) in [
        ("Failover", State::InUse),
        ("Ready", State::Ready),
        ("PermanentFailover", State::Retired),
        ("Levitating", State::Unknown),
    ] {
        assert!(gateway.veeam.set_state(SRV39_ID, raw));
        let event = watch.next_event().await;
        assert_eq!((event.event(), state(&event)), (Event::Changed, Some(expected)));
    }
    // A point that is watched by another of its names is reported by its canonical name.
    let mut other = gateway.synced_watch(follow(SRV39_IN_ANY_COLLECTION)).await;
    assert!(gateway.veeam.remove_point(SRV39_ID));
    for watch in [&mut watch, &mut other] {
        let event = watch.next_event().await;
        assert_eq!((event.event(), event.name.as_str()), (Event::Deleted, SRV39));
    }
}

#[tokio::test]
async fn a_resumed_watch_repeats_nothing_and_loses_nothing() {
    let gateway = TestGateway::start().await;
    let resume = |resume_token| WatchStatusRequest { resume_token, ..follow(SRV39) };
    let mut watch = gateway.watch(follow(SRV39)).await;
    let token = watch.synced().await.resume_token;
    drop(watch);

    // Nothing has changed.
    let mut watch = gateway.watch(resume(token.clone())).await;
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    drop(watch);
    // A poller that is still running would read the change before the last watch below begins.
    eventually(|| gateway.replica.hub.target_count() == 0).await;

    // A change without a watcher is sent, also by another replica.
    assert!(gateway.veeam.set_state(SRV39_ID, "Failover"));
    let replica = gateway.start_replica().await;
    let mut watch = Watch::open(replica.client, resume(token)).await.unwrap();
    let event = watch.next_event().await;
    assert_eq!((event.event(), state(&event)), (Event::Snapshot, Some(State::InUse)));
    let token = event.resume_token;

    // A deletion is sent once.
    assert!(gateway.veeam.remove_point(SRV39_ID));
    let mut watch = gateway.watch(resume(token)).await;
    let event = watch.next_event().await;
    assert_eq!((event.event(), event.name.as_str()), (Event::Deleted, SRV39));
    let mut watch = gateway.watch(resume(event.resume_token)).await;
    assert_eq!(watch.next_event().await.event(), Event::Synced);
}

#[tokio::test]
async fn an_expired_token_resets_the_watch() {
    let gateway = TestGateway::start().await;
    let expired = jiff::Timestamp::now() - SignedDuration::from_hours(24 * 40);
    let sealer = Sealer::new(TokenKey::new(TOKEN_KEY).unwrap(), Vec::new());
    let target = SRV39.to_lowercase();
    let resume_token = sealer.seal(Purpose::Resume, target.as_bytes(), &[], expired).unwrap();
    let mut watch = gateway.watch(WatchStatusRequest { resume_token, ..names([SRV39]) }).await;
    for expected in [Event::Reset, Event::Snapshot, Event::Synced] {
        assert_eq!(watch.next_event().await.event(), expected);
    }
    watch.expect_end().await;
}

#[tokio::test]
async fn another_replica_reports_the_failure_reason_by_the_token_of_the_copy() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let fault = Fault::vendor(VendorFault::FailCreation {
        code: "VMRestorePointInternalError".into(),
        message: "An internal error occurred. Please retry later.".into(),
    });
    gateway.azure.inject(Matching::new(Method::PUT, "/restorepoints/the-copy"), 1, fault);
    let started = gateway.start_copy(2, &target).await;
    let name = started.restore_point.unwrap().name;
    gateway.clock.advance(SignedDuration::from_mins(1));

    // Not the replica that started the copy.
    let replica = gateway.start_replica().await;
    let request = WatchStatusRequest { resume_token: started.resume_token, ..names([&name]) };
    let mut watch = Watch::open(replica.client, request).await.unwrap();
    let event = watch.next_event().await;
    assert_eq!(state(&event), Some(State::Failed));
    let error = event.restore_point.unwrap().error.unwrap();
    assert!(error.message.contains("An internal error occurred"), "{error:?}");
    let info = error.get_details_error_info().unwrap();
    assert_eq!(info.metadata["vendor_code"], "VMRestorePointInternalError");
    assert!(!event.resume_token.is_empty());
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    watch.expect_end().await;
}

#[tokio::test]
async fn a_hundred_watchers_share_one_polled_target() {
    let gateway = TestGateway::start().await;
    let mut watches = Vec::new();
    for _ in 0..100 {
        watches.push(gateway.synced_watch(follow(SRV39)).await);
    }
    assert_eq!(gateway.replica.hub.target_count(), 1);
    // Names are case-insensitive.
    let upper_case = SRV39.replace(SRV39_ID, &SRV39_ID.to_uppercase());
    watches.push(gateway.synced_watch(follow(&upper_case)).await);
    assert_eq!(gateway.replica.hub.target_count(), 1);

    assert!(gateway.veeam.set_state(SRV39_ID, "Failback"));
    for watch in &mut watches {
        let event = watch.next_event().await;
        assert_eq!((event.event(), state(&event)), (Event::Changed, Some(State::InUse)));
    }
    // Without watchers the target is not polled.
    drop(watches);
    eventually(|| gateway.replica.hub.target_count() == 0).await;
}

#[tokio::test]
async fn a_watched_collection_reports_added_and_deleted_points() {
    let gateway = TestGateway::start().await;
    let parent = SRV39_COLLECTION.to_owned();
    let request = WatchStatusRequest { parent, follow: true, ..Default::default() };
    let mut watch = gateway.watch(request.clone()).await;
    for expected in [Event::Snapshot, Event::Snapshot, Event::Synced] {
        assert_eq!(watch.next_event().await.event(), expected);
    }

    let replica = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
    let new = gateway.veeam.add_point(replica, "srv39").unwrap();
    let event = watch.next_event().await;
    assert_eq!(event.event(), Event::Changed);
    assert!(event.name.ends_with(&new), "{event:?}");
    let resume_token = event.resume_token;
    assert!(gateway.veeam.remove_point(SRV39_ID));
    let event = watch.next_event().await;
    assert_eq!((event.event(), event.name.as_str()), (Event::Deleted, SRV39));
    drop(watch);

    // A watch that is resumed from before the deletion receives it too.
    let mut watch = gateway.watch(WatchStatusRequest { resume_token, ..request }).await;
    let event = watch.next_event().await;
    assert_eq!((event.event(), event.name.as_str()), (Event::Deleted, SRV39));
}

#[tokio::test]
async fn a_token_covers_exactly_the_events_up_to_its_own() {
    let gateway = TestGateway::start().await;
    let parent = azure_collection(&gateway.azure.seeded().collection);
    let request = WatchStatusRequest { parent, follow: true, ..Default::default() };
    // The stream ends after each event and is resumed with the token of that event.
    let mut names = HashSet::new();
    let mut resume_token = String::new();
    for _ in &gateway.azure.seeded().points {
        let mut watch = gateway.watch(WatchStatusRequest { resume_token, ..request.clone() }).await;
        let event = watch.next_event().await;
        assert_eq!(event.event(), Event::Snapshot);
        assert!(names.insert(event.name.clone()), "a repeated event: {event:?}");
        resume_token = event.resume_token;
    }
    let mut watch = gateway.watch(WatchStatusRequest { resume_token, ..request }).await;
    assert_eq!(watch.next_event().await.event(), Event::Synced);
}

#[tokio::test]
async fn a_404_that_is_not_about_the_point_degrades_the_watch() {
    for (code, expected) in [
        ("InvalidResourceType", Code::FailedPrecondition),
        ("SubscriptionNotFound", Code::FailedPrecondition),
        ("", Code::Internal),
    ] {
        let gateway = TestGateway::start().await;
        let name = azure_point(&gateway.azure.seeded().running_copy);
        let mut watch = gateway.synced_watch(names([&name])).await;
        let body = format!(r#"{{"error":{{"code":"{code}","message":"M"}}}}"#);
        let response = Canned { status: 404, headers: Vec::new(), body: body.into() };
        let matching = Matching::path("restorepoints/db01-day2-copy");
        gateway.azure.inject(matching, 1, Fault::canned(response));
        let event = watch.next_event().await;
        assert_eq!((event.event(), &event.name), (Event::Degraded, &name), "{code}");
        assert_eq!(Code::from(event.error.unwrap().code), expected, "{code}");
        assert_eq!(watch.next_event().await.event(), Event::Recovered, "{code}");
    }
}

#[tokio::test]
async fn an_unavailable_vendor_degrades_the_watch_without_ending_it() {
    let gateway = TestGateway::start().await;
    let name = azure_point(&gateway.azure.seeded().running_copy);
    let mut watch = gateway.synced_watch(names([&name])).await;
    // Each poll makes three attempts.
    gateway.azure.inject(
        Matching::path("restorepoints/db01-day2-copy"),
        6,
        Fault::error(StatusCode::GATEWAY_TIMEOUT),
    );
    let event = watch.next_event().await;
    assert_eq!((event.event(), &event.name), (Event::Degraded, &name));
    let error = event.error.unwrap();
    assert_eq!(Code::from(error.code), Code::Unavailable);
    assert!(event.observe_time.is_some(), "the time of the last successful read");
    assert_eq!(watch.next_event().await.event(), Event::Recovered);
    gateway.clock.advance(SignedDuration::from_hours(2));
    let event = watch.next_event().await;
    assert_eq!(state(&event), Some(State::Ready));
    watch.expect_end().await;
}

#[tokio::test]
async fn an_idle_stream_sends_heartbeats() {
    let gateway = TestGateway::start().await;
    let name = azure_point(&gateway.azure.seeded().running_copy);
    let heartbeat_interval = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    let request = WatchStatusRequest { heartbeat_interval, ..names([&name]) };
    let mut watch = gateway.synced_watch(request).await;
    let event = watch.next_event().await;
    assert_eq!(event.event(), Event::Heartbeat);
    assert!(!event.resume_token.is_empty() && event.observe_time.is_some());
}

#[tokio::test]
async fn a_draining_gateway_sends_a_token_that_another_replica_accepts() {
    let gateway = TestGateway::start().await;
    let mut watch = gateway.synced_watch(follow(SRV39)).await;
    let replica = gateway.start_replica().await;
    gateway.replica.shutdown.requested.cancel();
    let event = watch.next_event().await;
    assert_eq!(event.event(), Event::Draining);
    let status = watch.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.get_details_retry_info().is_some());
    let resume_token = event.resume_token;
    let request = WatchStatusRequest { resume_token, ..follow(SRV39) };
    let mut watch = Watch::open(replica.client, request).await.unwrap();
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    assert_eq!(gateway.stop().await, ServerExit::Drained);
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let gateway = TestGateway::start().await;
    let name = azure_point(&gateway.azure.seeded().running_copy);
    let mut request = tonic::Request::new(names([&name]));
    request.metadata_mut().insert("grpc-timeout", "300m".parse().unwrap());
    let mut stream = gateway.client().watch_status(request).await.unwrap().into_inner();
    let status = loop {
        match in_time(stream.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended with OK"),
            Err(status) => break status,
        }
    };
    assert_status(&status, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn an_invalid_request_names_the_field() {
    let gateway = TestGateway::start().await;
    let absent = "backends/azure/collections/rg-prod~rpc-db01/restorePoints/absent";
    let too_many: Vec<String> = (0..101).map(|n| format!("{SRV39}{n}")).collect();
    for (request, field) in [
        (WatchStatusRequest::default(), "names"),
        (WatchStatusRequest { names: too_many, ..Default::default() }, "names"),
        (WatchStatusRequest { parent: SRV39_COLLECTION.into(), ..names([SRV39]) }, "parent"),
        (WatchStatusRequest { parent: "x".into(), ..Default::default() }, "parent"),
        (names([SRV39, "x"]), "names[1]"),
        (names([SRV39, SRV39]), "names[1]"),
        (names(["backends/nowhere/collections/a/restorePoints/b"]), "names[0]"),
        (names(["backends/azure/collections/a/restorePoints/b"]), "names[0]"),
        (names([absent]), "names[0]"),
        (WatchStatusRequest { resume_token: "forged".into(), ..names([SRV39]) }, "resume_token"),
        (
            WatchStatusRequest {
                heartbeat_interval: Some(prost_types::Duration { seconds: 0, nanos: 1 }),
                ..names([SRV39])
            },
            "heartbeat_interval",
        ),
    ] {
        let status = match Watch::open(gateway.client(), request.clone()).await {
            Err(status) => status,
            Ok(mut watch) => watch.message().await.unwrap_err(),
        };
        assert!([Code::InvalidArgument, Code::NotFound].contains(&status.code()), "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{request:?}");
    }
}

#[tokio::test]
async fn a_poll_of_one_point_is_one_request() {
    let gateway = TestGateway::start().await;
    let name = azure_point(&gateway.azure.seeded().running_copy);
    let _watch = gateway.synced_watch(names([&name])).await;
    let reads = |calls: &Calls| calls.count(&Method::GET, Kind::Point);
    let others = |calls: &Calls| calls.total() - reads(calls);
    let before = gateway.azure.calls();
    eventually(|| reads(&gateway.azure.calls()) >= reads(&before) + 5).await;
    let after = gateway.azure.calls();
    assert_eq!(others(&after), others(&before), "only the point itself is read");
}

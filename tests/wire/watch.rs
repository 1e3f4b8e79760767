//! WatchStatus: many watchers, one poll; the latest state, and nothing twice.

use http::{Method, StatusCode};
use jiff::SignedDuration;
use restore_point_gateway::model::{Purpose, Sealer};
use restore_point_gateway::proto::WatchStatusRequest;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_sandbox::azure::{Canned, Fault, Kind, Matching, VendorFault};
use tonic::Code;
use tonic_types::{RpcStatusExt, StatusExt};

use restore_point_test_support::fixture::{self, TestGateway, Watch, state};

const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

fn names<const N: usize>(names: [&str; N]) -> WatchStatusRequest {
    WatchStatusRequest { names: names.map(str::to_owned).to_vec(), ..Default::default() }
}

fn srv39() -> String {
    format!(
        "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead/restorePoints/{SRV39}"
    )
}

async fn expect_end(watch: &mut Watch) {
    let end = watch.next().await.unwrap();
    assert!(end.is_none(), "{end:?}");
}

#[tokio::test]
async fn a_copy_is_watched_from_its_creation_to_its_end() {
    let gateway = TestGateway::new().await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    let started = gateway.copy(2, &target).await;
    let name = started.restore_point.unwrap().name;
    let mut watch = gateway
        .watch(WatchStatusRequest { resume_token: started.resume_token, ..names([&name]) })
        .await;
    let first = watch.event().await;
    assert_eq!((first.event(), state(&first)), (Event::Snapshot, Some(State::Creating)));
    assert_eq!(first.name, name);
    assert_eq!(watch.event().await.event(), Event::Synced);

    gateway.clock.advance(SignedDuration::from_secs(10));
    let copying = watch.event().await;
    assert_eq!((copying.event(), state(&copying)), (Event::Changed, Some(State::Copying)));
    let mut percents = vec![0];
    let last = loop {
        gateway.clock.advance(SignedDuration::from_mins(10));
        let event = watch.event().await;
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
    expect_end(&mut watch).await;
}

#[tokio::test]
async fn what_is_at_rest_is_told_and_the_watch_ends() {
    let gateway = TestGateway::new().await;
    let azure = TestGateway::azure_point(&gateway.azure.seeded().points[0]);
    let mut watch = gateway.watch(names([&azure, &srv39()])).await;
    let mut told = [watch.event().await, watch.event().await];
    told.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!([&told[0].name, &told[1].name], [&azure, &srv39()]);
    assert!(told.iter().all(|event| event.event() == Event::Snapshot));
    assert_eq!(watch.event().await.event(), Event::Synced);
    expect_end(&mut watch).await;
}

#[tokio::test]
async fn a_follower_stays_and_hears_of_changes_and_the_end() {
    let gateway = TestGateway::new().await;
    let mut watch = gateway.watch(WatchStatusRequest { follow: true, ..names([&srv39()]) }).await;
    watch.until(|event| event.event() == Event::Synced).await;
    for (raw, expected) in [
        ("Failover", State::InUse),
        ("Ready", State::Ready),
        ("PermanentFailover", State::Retired),
        ("Levitating", State::Unknown),
    ] {
        assert!(gateway.veeam.set_state(SRV39, raw));
        let event = watch.event().await;
        assert_eq!((event.event(), state(&event)), (Event::Changed, Some(expected)));
    }
    // By whatever name it is watched, it is told by its own.
    let any = format!("backends/veeam/collections/-/restorePoints/{SRV39}");
    let mut other = gateway.watch(WatchStatusRequest { follow: true, ..names([&any]) }).await;
    other.until(|event| event.event() == Event::Synced).await;
    assert!(gateway.veeam.remove_point(SRV39));
    for watch in [&mut watch, &mut other] {
        let event = watch.event().await;
        assert_eq!((event.event(), event.name), (Event::Deleted, srv39()));
    }
}

#[tokio::test]
async fn a_resumed_watch_repeats_nothing_and_loses_nothing() {
    let gateway = TestGateway::new().await;
    let follow = WatchStatusRequest { follow: true, ..names([&srv39()]) };
    let mut watch = gateway.watch(follow.clone()).await;
    let token = watch.until(|event| event.event() == Event::Synced).await.resume_token;
    drop(watch);

    // Nothing has changed: nothing is told but that nothing has.
    let resume = WatchStatusRequest { resume_token: token.clone(), ..follow.clone() };
    let mut watch = gateway.watch(resume.clone()).await;
    assert_eq!(watch.event().await.event(), Event::Synced);
    drop(watch);
    // A poller that lingers would read the change, and tell it to the last watch below.
    fixture::eventually(|| gateway.hub.target_count() == 0).await;

    // A change while nobody watched is told, by whichever replica.
    assert!(gateway.veeam.set_state(SRV39, "Failover"));
    let replica = gateway.another_replica().await;
    let mut watch = fixture::watch(replica.client, resume.clone()).await.unwrap();
    let event = watch.event().await;
    assert_eq!((event.event(), state(&event)), (Event::Snapshot, Some(State::InUse)));
    let token = event.resume_token;

    // So is a deletion, once.
    assert!(gateway.veeam.remove_point(SRV39));
    let mut watch =
        gateway.watch(WatchStatusRequest { resume_token: token, ..follow.clone() }).await;
    let event = watch.event().await;
    assert_eq!((event.event(), &event.name), (Event::Deleted, &srv39()));
    let token = event.resume_token;
    let mut watch = gateway.watch(WatchStatusRequest { resume_token: token, ..follow }).await;
    assert_eq!(watch.event().await.event(), Event::Synced);
}

#[tokio::test]
async fn a_token_that_is_too_old_begins_anew() {
    let gateway = TestGateway::new().await;
    let long_ago = jiff::Timestamp::now() - SignedDuration::from_hours(24 * 40);
    let sealer = Sealer::new(fixture::TOKEN_KEY).unwrap();
    let resume_token = sealer
        .seal(Purpose::Resume, srv39().to_lowercase().as_bytes(), &[], long_ago)
        .expect("sealed");
    let mut watch = gateway.watch(WatchStatusRequest { resume_token, ..names([&srv39()]) }).await;
    let told = [watch.event().await, watch.event().await, watch.event().await];
    let told = told.map(|event| event.event());
    assert_eq!(told, [Event::Reset, Event::Snapshot, Event::Synced]);
    expect_end(&mut watch).await;
}

#[tokio::test]
async fn the_reason_of_a_failure_reaches_whoever_holds_the_token() {
    let gateway = TestGateway::new().await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    let fault = Fault::vendor(VendorFault::FailCreation {
        code: "VMRestorePointInternalError".into(),
        message: "An internal error occurred. Please retry later.".into(),
    });
    gateway.azure.inject(Matching::new(Method::PUT, "/restorepoints/the-copy"), 1, fault);
    let started = gateway.copy(2, &target).await;
    let name = started.restore_point.unwrap().name;
    gateway.clock.advance(SignedDuration::from_mins(1));

    // The replica that started it is gone; another one is asked.
    let replica = gateway.another_replica().await;
    let request = WatchStatusRequest { resume_token: started.resume_token, ..names([&name]) };
    let mut watch = fixture::watch(replica.client, request).await.unwrap();
    let event = watch.event().await;
    assert_eq!(state(&event), Some(State::Failed));
    let error = event.restore_point.unwrap().error.unwrap();
    assert!(error.message.contains("An internal error occurred"), "{error:?}");
    let info = error.get_details_error_info().unwrap();
    assert_eq!(info.metadata["vendor_code"], "VMRestorePointInternalError");
    assert!(!event.resume_token.is_empty());
    assert_eq!(watch.event().await.event(), Event::Synced);
    expect_end(&mut watch).await;
}

#[tokio::test]
async fn a_hundred_watchers_cost_the_polls_of_one() {
    let gateway = TestGateway::new().await;
    let request = WatchStatusRequest { follow: true, ..names([&srv39()]) };
    let mut watches = Vec::new();
    for _ in 0..100 {
        let mut watch = gateway.watch(request.clone()).await;
        watch.until(|event| event.event() == Event::Synced).await;
        watches.push(watch);
    }
    assert_eq!(gateway.hub.target_count(), 1);
    // Upper and lower case are one target.
    let shouted = names([&srv39().replace(SRV39, &SRV39.to_uppercase())]);
    let mut shouted = gateway.watch(WatchStatusRequest { follow: true, ..shouted }).await;
    shouted.until(|event| event.event() == Event::Synced).await;
    assert_eq!(gateway.hub.target_count(), 1);

    assert!(gateway.veeam.set_state(SRV39, "Failback"));
    for watch in watches.iter_mut().chain([&mut shouted]) {
        let event = watch.event().await;
        assert_eq!((event.event(), state(&event)), (Event::Changed, Some(State::InUse)));
    }
    // When the last has left, the polling ends.
    drop((watches, shouted));
    fixture::eventually(|| gateway.hub.target_count() == 0).await;
}

#[tokio::test]
async fn a_collection_is_watched_whole() {
    let gateway = TestGateway::new().await;
    let parent = "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead";
    let request =
        WatchStatusRequest { parent: parent.to_owned(), follow: true, ..Default::default() };
    let mut watch = gateway.watch(request.clone()).await;
    let told = [watch.event().await, watch.event().await];
    assert!(told.iter().all(|event| event.event() == Event::Snapshot));
    assert_eq!(watch.event().await.event(), Event::Synced);

    let replica = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
    let new = gateway.veeam.add_point(replica, "srv39").unwrap();
    let event = watch.event().await;
    assert_eq!(event.event(), Event::Changed);
    assert!(event.name.ends_with(&new), "{event:?}");
    let token = event.resume_token;
    assert!(gateway.veeam.remove_point(SRV39));
    let event = watch.event().await;
    assert_eq!((event.event(), &event.name), (Event::Deleted, &srv39()));
    drop(watch);

    // Whoever was away hears of the deletion by name.
    let mut watch = gateway.watch(WatchStatusRequest { resume_token: token, ..request }).await;
    let event = watch.event().await;
    assert_eq!((event.event(), &event.name), (Event::Deleted, &srv39()));
}

#[tokio::test]
async fn a_token_speaks_for_what_was_told_and_for_nothing_behind_it() {
    let gateway = TestGateway::new().await;
    let parent = TestGateway::azure_collection(&gateway.azure.seeded().collection);
    let request = WatchStatusRequest { parent, follow: true, ..Default::default() };
    let mut watch = gateway.watch(request.clone()).await;
    let mut names = vec![watch.event().await];
    let all = gateway.azure.seeded().points.len();
    // The stream breaks after each event, and each time it is taken up where it was.
    while names.len() < all {
        let resume_token = names.last().unwrap().resume_token.clone();
        let mut watch = gateway.watch(WatchStatusRequest { resume_token, ..request.clone() }).await;
        let event = watch.event().await;
        assert_eq!(event.event(), Event::Snapshot);
        names.push(event);
    }
    let resume_token = names.last().unwrap().resume_token.clone();
    let unique: std::collections::HashSet<_> = names.iter().map(|event| &event.name).collect();
    assert_eq!(unique.len(), all);
    let mut watch = gateway.watch(WatchStatusRequest { resume_token, ..request }).await;
    assert_eq!(watch.event().await.event(), Event::Synced);
}

#[tokio::test]
async fn a_404_that_is_not_about_the_point_does_not_delete_it() {
    for (code, wanted) in [
        ("InvalidResourceType", Code::FailedPrecondition),
        ("SubscriptionNotFound", Code::FailedPrecondition),
        ("", Code::Internal),
    ] {
        let gateway = TestGateway::new().await;
        let name = TestGateway::azure_point(&gateway.azure.seeded().running_copy);
        let mut watch = gateway.watch(names([&name])).await;
        watch.until(|event| event.event() == Event::Synced).await;
        let body = format!(r#"{{"error":{{"code":"{code}","message":"M"}}}}"#);
        let answer = Canned { status: 404, headers: Vec::new(), body: body.into() };
        let matching = Matching::path("restorepoints/db01-day2-copy");
        gateway.azure.inject(matching, 1, Fault::canned(answer));
        let event = watch.event().await;
        assert_eq!((event.event(), &event.name), (Event::Degraded, &name), "{code}");
        assert_eq!(Code::from(event.error.unwrap().code), wanted, "{code}");
        assert_eq!(watch.event().await.event(), Event::Recovered, "{code}");
    }
}

#[tokio::test]
async fn a_vendor_that_stops_answering_degrades_the_watch_and_does_not_end_it() {
    let gateway = TestGateway::new().await;
    let name = TestGateway::azure_point(&gateway.azure.seeded().running_copy);
    let mut watch = gateway.watch(names([&name])).await;
    watch.until(|event| event.event() == Event::Synced).await;
    // Each poll tries three times.
    gateway.azure.inject(
        Matching::path("restorepoints/db01-day2-copy"),
        6,
        Fault::error(StatusCode::GATEWAY_TIMEOUT),
    );
    let event = watch.event().await;
    assert_eq!((event.event(), &event.name), (Event::Degraded, &name));
    let error = event.error.unwrap();
    assert_eq!(Code::from(error.code), Code::Unavailable);
    assert!(event.observe_time.is_some(), "what is known is dated");
    assert_eq!(watch.event().await.event(), Event::Recovered);
    gateway.clock.advance(SignedDuration::from_hours(2));
    let event = watch.event().await;
    assert_eq!(state(&event), Some(State::Ready));
    expect_end(&mut watch).await;
}

#[tokio::test]
async fn an_idle_stream_shows_that_it_is_alive() {
    let gateway = TestGateway::new().await;
    let name = TestGateway::azure_point(&gateway.azure.seeded().running_copy);
    let heartbeat_interval = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    let mut watch =
        gateway.watch(WatchStatusRequest { heartbeat_interval, ..names([&name]) }).await;
    watch.until(|event| event.event() == Event::Synced).await;
    let event = watch.event().await;
    assert_eq!(event.event(), Event::Heartbeat);
    assert!(!event.resume_token.is_empty() && event.observe_time.is_some());
}

#[tokio::test]
async fn a_stopping_gateway_says_goodbye_with_a_token() {
    let gateway = TestGateway::new().await;
    let request = WatchStatusRequest { follow: true, ..names([&srv39()]) };
    let mut watch = gateway.watch(request.clone()).await;
    watch.until(|event| event.event() == Event::Synced).await;
    let replica = gateway.another_replica().await;
    gateway.shutdown.requested.cancel();
    let event = watch.event().await;
    assert_eq!(event.event(), Event::Draining);
    let status = watch.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.get_details_retry_info().is_some());
    let resume = WatchStatusRequest { resume_token: event.resume_token, ..request };
    let mut watch = fixture::watch(replica.client, resume).await.unwrap();
    assert_eq!(watch.event().await.event(), Event::Synced);
    assert_eq!(gateway.stop().await, restore_point_gateway::server::ServerExit::Drained);
}

#[tokio::test]
async fn a_stream_obeys_its_deadline() {
    let gateway = TestGateway::new().await;
    let name = TestGateway::azure_point(&gateway.azure.seeded().running_copy);
    let mut request = tonic::Request::new(names([&name]));
    request.metadata_mut().insert("grpc-timeout", "300m".parse().unwrap());
    let mut stream = gateway.client().watch_status(request).await.unwrap().into_inner();
    let end = loop {
        match tokio::time::timeout(fixture::PATIENCE, stream.message()).await.unwrap() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended well"),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), Code::DeadlineExceeded, "{end:?}");
    assert_eq!(end.get_details_error_info().unwrap().reason, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn malformed_requests_name_their_field() {
    let gateway = TestGateway::new().await;
    let point = srv39();
    let parent = "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead";
    let absent = "backends/azure/collections/rg-prod~rpc-db01/restorePoints/nothing";
    let many: Vec<String> = (0..101).map(|n| format!("{point}{n}")).collect();
    for (request, field) in [
        (WatchStatusRequest::default(), "names"),
        (WatchStatusRequest { names: many, ..Default::default() }, "names"),
        (WatchStatusRequest { parent: parent.into(), ..names([&point]) }, "parent"),
        (WatchStatusRequest { parent: "x".into(), ..Default::default() }, "parent"),
        (names([&point, "x"]), "names[1]"),
        (names([&point, &point]), "names[1]"),
        (names(["backends/nowhere/collections/a/restorePoints/b"]), "names[0]"),
        (names(["backends/azure/collections/a/restorePoints/b"]), "names[0]"),
        (names([absent]), "names[0]"),
        (WatchStatusRequest { resume_token: "forged".into(), ..names([&point]) }, "resume_token"),
        (
            WatchStatusRequest {
                heartbeat_interval: Some(prost_types::Duration { seconds: 0, nanos: 1 }),
                ..names([&point])
            },
            "heartbeat_interval",
        ),
    ] {
        let status = match fixture::watch(gateway.client(), request.clone()).await {
            Err(status) => status,
            Ok(mut watch) => watch.next().await.unwrap_err(),
        };
        assert!([Code::InvalidArgument, Code::NotFound].contains(&status.code()), "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{request:?}");
    }
}

#[tokio::test]
async fn polls_of_one_point_are_one_call_each() {
    let gateway = TestGateway::new().await;
    let name = TestGateway::azure_point(&gateway.azure.seeded().running_copy);
    let mut watch = gateway.watch(names([&name])).await;
    watch.until(|event| event.event() == Event::Synced).await;
    let before = gateway.azure.calls();
    fixture::eventually(|| {
        gateway.azure.calls().count(&Method::GET, Kind::Point)
            >= before.count(&Method::GET, Kind::Point) + 5
    })
    .await;
    let after = gateway.azure.calls();
    let others = |calls: &restore_point_sandbox::azure::Calls| {
        calls.total() - calls.count(&Method::GET, Kind::Point)
    };
    assert_eq!(others(&after), others(&before), "nothing but the point itself is read");
}

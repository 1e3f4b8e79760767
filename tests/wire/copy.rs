//! Copy: checked before it is written, written once, and usable only when every disk has arrived.

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::{CopyRequest, CopyResponse, RestorePoint};
use restore_point_sandbox::azure::{Fault, Kind, Matching};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::TestGateway;

async fn copy(gateway: &TestGateway, request: CopyRequest) -> Result<CopyResponse, Status> {
    gateway.client().copy(request).await.map(tonic::Response::into_inner)
}

fn puts(gateway: &TestGateway) -> usize {
    gateway.azure.calls().count(&Method::PUT, Kind::Point)
}

/// A copy of the seeded point `index` into `destination`.
fn request(gateway: &TestGateway, index: usize, destination: &str) -> CopyRequest {
    CopyRequest {
        source: TestGateway::azure_point(&gateway.azure.seeded().points[index]),
        destination: destination.to_owned(),
        ..Default::default()
    }
}

fn rule(status: &Status) -> String {
    let violations = status.get_details_precondition_failure().expect("a rule").violations;
    assert!(!violations[0].description.is_empty() && !violations[0].subject.is_empty());
    assert_eq!(status.get_details_error_info().unwrap().reason, violations[0].r#type);
    violations[0].r#type.clone()
}

#[tokio::test]
async fn a_copy_is_usable_only_when_every_disk_has_arrived() {
    let gateway = TestGateway::new().await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    let started = gateway.copy(2, &target).await;
    let point = started.restore_point.unwrap();
    assert_eq!(point.name, format!("{target}/restorePoints/the-copy"));
    assert_eq!((point.state(), point.usable), (State::Creating, false));
    assert!(!started.resume_token.is_empty());

    // The vendor says Succeeded of it from here on.
    gateway.clock.advance(SignedDuration::from_secs(10));
    let mut seen: Vec<RestorePoint> = Vec::new();
    for _ in 0..8 {
        let point = gateway.get(&point.name).await.unwrap();
        assert_eq!(point.usable, point.state() == State::Ready);
        seen.push(point);
        gateway.clock.advance(SignedDuration::from_mins(10));
    }
    assert_eq!(seen[0].state(), State::Copying);
    let percents: Vec<_> = seen.iter().map(|p| p.copy_progress_percent.unwrap()).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert_eq!(percents[0], 0);
    assert!(percents.iter().any(|percent| (1..100).contains(percent)), "{percents:?}");
    let ready = seen.last().unwrap();
    assert_eq!((ready.state(), ready.copy_progress_percent), (State::Ready, Some(100)));

    let source = TestGateway::azure_point(&gateway.azure.seeded().points[2]);
    assert_eq!(ready.source_restore_point, source);
    assert_eq!(ready.location, "northeurope");
    assert_eq!(ready.source.as_ref().unwrap().location, "eastus");
    let source = gateway.get(&source).await.unwrap();
    assert_eq!(ready.point_time, source.point_time, "a copy holds the moment of its source");
}

#[tokio::test]
async fn the_same_copy_twice_is_one_copy() {
    let gateway = TestGateway::new().await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    let request = CopyRequest {
        request_id: "6b2b42d5-3850-421c-93c1-e063f12a2ead".into(),
        ..request(&gateway, 2, &target)
    };
    let first = copy(&gateway, request.clone()).await.unwrap().restore_point.unwrap();
    let second = copy(&gateway, request.clone()).await.unwrap().restore_point.unwrap();
    assert_eq!(first.name, second.name);
    assert_eq!(puts(&gateway), 1);
    // On another replica as well, and long after.
    gateway.clock.advance(SignedDuration::from_hours(3));
    let mut replica = gateway.another_replica().await;
    let third = replica.client.copy(request).await.unwrap().into_inner().restore_point.unwrap();
    assert_eq!((third.name, third.usable), (first.name, true));
    assert_eq!(puts(&gateway), 1);
}

#[tokio::test]
async fn a_lost_reply_is_looked_up_before_it_is_repeated() {
    let gateway = TestGateway::new().await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    gateway.azure.inject(Matching::new(Method::PUT, "/restorepoints/"), 1, Fault::lose_reply());
    let started = copy(&gateway, request(&gateway, 2, &target)).await.unwrap();
    assert_eq!(started.restore_point.unwrap().state(), State::Creating);
    assert_eq!(puts(&gateway), 1);
}

#[tokio::test]
async fn validate_only_runs_the_same_checks_and_writes_nothing() {
    let gateway = TestGateway::new().await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    let check = |request| CopyRequest { validate_only: true, ..request };
    let checked = copy(&gateway, check(request(&gateway, 2, &target))).await.unwrap();
    assert!(checked.resume_token.is_empty());
    assert!(checked.restore_point.unwrap().name.starts_with(&target));
    let home = TestGateway::azure_collection(&gateway.azure.seeded().collection);
    let status = copy(&gateway, check(request(&gateway, 2, &home))).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(puts(&gateway), 0);
}

#[tokio::test]
async fn each_rule_refuses_in_its_own_name() {
    let gateway = TestGateway::new().await;
    let seeded = gateway.azure.seeded();
    let (home, target) = (
        TestGateway::azure_collection(&seeded.collection),
        TestGateway::azure_collection(&seeded.target),
    );

    // Into a collection of the machine itself, which takes no copies.
    let status = copy(&gateway, request(&gateway, 2, &home)).await.unwrap_err();
    assert_eq!(rule(&status), "WRONG_DESTINATION");

    // A copy of a copy.
    let nested = CopyRequest {
        source: TestGateway::azure_point(&seeded.finished_copy),
        ..request(&gateway, 0, &target)
    };
    assert_eq!(rule(&copy(&gateway, nested).await.unwrap_err()), "COPY_OF_COPY");

    // While another copy of the pair is under way.
    let status = copy(&gateway, request(&gateway, 3, &target)).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
    assert!(status.get_details_retry_info().is_some());

    // Once it is over: the same point again under another name, and an older one out of turn.
    gateway.clock.advance(SignedDuration::from_hours(2));
    let status = copy(&gateway, request(&gateway, 1, &target)).await.unwrap_err();
    assert_eq!(rule(&status), "ALREADY_COPIED");
    let started = copy(&gateway, request(&gateway, 4, &target)).await.unwrap();
    gateway.clock.advance(SignedDuration::from_hours(2));
    let status = copy(&gateway, request(&gateway, 3, &target)).await.unwrap_err();
    assert_eq!(rule(&status), "COPY_ORDER");

    // The id is taken by a copy of something else.
    let name = started.restore_point.unwrap().name;
    let taken = CopyRequest {
        restore_point_id: name.rsplit('/').next().unwrap().to_owned(),
        ..request(&gateway, 5, &target)
    };
    let status = copy(&gateway, taken).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
    assert_eq!(status.get_details_resource_info().unwrap().resource_name, name);
    assert_eq!(puts(&gateway), 1);
}

#[tokio::test]
async fn a_source_that_is_not_ready_is_not_copied() {
    let gateway = TestGateway::new().await;
    let token = gateway.azure.static_token();
    let url = format!(
        "{}{}/restorePoints/fresh?api-version=2024-07-01",
        gateway.azure.endpoint(),
        gateway.azure.seeded().collection
    );
    let made = gateway.vendor_client().put(url).bearer_auth(token).body("{}");
    let made = made.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(made.status(), 201);
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    let home = TestGateway::azure_collection(&gateway.azure.seeded().collection);
    let request = CopyRequest {
        source: format!("{home}/restorePoints/fresh"),
        ..request(&gateway, 0, &target)
    };
    let status = copy(&gateway, request).await.unwrap_err();
    assert_eq!(rule(&status), "SOURCE_NOT_READY");
}

#[tokio::test]
async fn malformed_requests_name_their_field() {
    let gateway = TestGateway::new().await;
    let target = TestGateway::azure_collection(&gateway.azure.seeded().target);
    type Change = fn(&mut CopyRequest);
    let changes: [(Change, &str); 9] = [
        (|r| r.source.clear(), "source"),
        (|r| r.source = "srv39".into(), "source"),
        (|r| r.source = "backends/nowhere/collections/a~b/restorePoints/c".into(), "source"),
        (|r| r.source = "backends/azure/collections/rg-prod~no/restorePoints/c".into(), "source"),
        (|r| r.destination.clear(), "destination"),
        (|r| r.destination = "backends/veeam/collections/x".into(), "destination"),
        (|r| r.destination = "backends/azure/collections/rg-prod~no".into(), "destination"),
        (|r| r.restore_point_id = "a/b".into(), "restore_point_id"),
        (|r| r.request_id = "1".into(), "request_id"),
    ];
    for (change, field) in changes {
        let mut malformed = request(&gateway, 2, &target);
        change(&mut malformed);
        let status = copy(&gateway, malformed).await.unwrap_err();
        assert!([Code::InvalidArgument, Code::NotFound].contains(&status.code()), "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{status:?}");
    }
    assert_eq!(puts(&gateway), 0);
}

#[tokio::test]
async fn the_hourly_quota_of_copies_is_told_with_its_end() {
    let gateway =
        TestGateway::with(|plan| plan.azure.replication = SignedDuration::from_secs(1)).await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    for index in 0..3 {
        copy(&gateway, request(&gateway, index, &target)).await.unwrap();
        gateway.clock.advance(SignedDuration::from_mins(11));
    }
    let status = copy(&gateway, request(&gateway, 3, &target)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let details = status.get_error_details();
    assert_eq!(details.quota_failure().unwrap().violations[0].subject, target);
    assert!(details.retry_info().unwrap().retry_delay.unwrap().as_secs() > 60);
}

#[tokio::test]
async fn veeam_says_why_it_cannot() {
    let gateway = TestGateway::new().await;
    let request = CopyRequest {
        source: "backends/veeam/collections/-/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84"
            .into(),
        ..Default::default()
    };
    let status = copy(&gateway, request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "CAPABILITY_NOT_SUPPORTED");
    assert_eq!(
        (info.metadata["backend"].as_str(), info.metadata["capability"].as_str()),
        ("veeam", "copy")
    );
}

//! Copy: validated before the write, written once, and READY only when the data of every disk has been transferred.

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::{State, Use};
use restore_point_gateway::proto::{
    Collection, CopyRequest, CopyResponse, CreateCollectionRequest, DiskEncryption, ListRequest,
    RestorePoint,
};
use restore_point_sandbox::azure::{Canned, Fault, Kind, Matching};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::{COPY_ID, TestGateway};
use restore_point_test_support::names::{
    EVERYTHING, SRV39_IN_ANY_COLLECTION, azure_collection, azure_point,
};

async fn copy(gateway: &TestGateway, request: CopyRequest) -> Result<CopyResponse, Status> {
    gateway.client().copy(request).await.map(tonic::Response::into_inner)
}

/// How many PUT requests for restore points ARM has received.
fn puts(gateway: &TestGateway) -> usize {
    gateway.azure.calls().count(&Method::PUT, Kind::Point)
}

/// A request to copy the seeded point `index` into `destination`.
fn request(gateway: &TestGateway, index: usize, destination: &str) -> CopyRequest {
    CopyRequest {
        source: azure_point(&gateway.azure.seeded().points[index]),
        destination: destination.to_owned(),
        ..Default::default()
    }
}

/// The rule that a FAILED_PRECONDITION names, in both of its details.
fn rule(status: &Status) -> String {
    let details = status.get_details_precondition_failure();
    let violations = details.expect("a PreconditionFailure").violations;
    assert!(!violations[0].description.is_empty() && !violations[0].subject.is_empty());
    assert_eq!(status.get_details_error_info().unwrap().reason, violations[0].r#type);
    violations[0].r#type.clone()
}

#[tokio::test]
async fn a_copy_is_usable_only_when_every_disk_is_complete() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let started = gateway.start_copy(2, &target).await;
    let point = started.restore_point.unwrap();
    assert_eq!(point.name, format!("{target}/restorePoints/{COPY_ID}"));
    assert_eq!((point.state(), point.usable), (State::Creating, false));
    assert!(!started.resume_token.is_empty());

    // From here on ARM reports the provisioningState Succeeded.
    gateway.clock.advance(SignedDuration::from_secs(10));
    let mut samples: Vec<RestorePoint> = Vec::new();
    for _ in 0..8 {
        let point = gateway.get(&point.name).await.unwrap();
        assert_eq!(point.usable, point.state() == State::Ready);
        samples.push(point);
        gateway.clock.advance(SignedDuration::from_mins(10));
    }
    assert_eq!(samples[0].state(), State::Copying);
    let percents: Vec<_> = samples.iter().map(|p| p.copy_progress_percent.unwrap()).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert_eq!(percents[0], 0);
    assert!(percents.iter().any(|percent| (1..100).contains(percent)), "{percents:?}");
    let ready = samples.last().unwrap();
    assert_eq!((ready.state(), ready.copy_progress_percent), (State::Ready, Some(100)));

    let source = azure_point(&gateway.azure.seeded().points[2]);
    assert_eq!(ready.source_restore_point, source);
    assert_eq!(ready.location, "northeurope");
    assert_eq!(ready.source.as_ref().unwrap().location, "eastus");
    let source = gateway.get(&source).await.unwrap();
    assert_eq!(ready.point_time, source.point_time);
}

#[tokio::test]
async fn a_repeated_copy_request_starts_one_copy() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let request = CopyRequest {
        request_id: "6b2b42d5-3850-421c-93c1-e063f12a2ead".into(),
        ..request(&gateway, 2, &target)
    };
    let first = copy(&gateway, request.clone()).await.unwrap().restore_point.unwrap();
    let second = copy(&gateway, request.clone()).await.unwrap().restore_point.unwrap();
    assert_eq!(first.name, second.name);
    assert_eq!(puts(&gateway), 1);
    // The same on another replica, and after the copy is complete.
    gateway.clock.advance(SignedDuration::from_hours(3));
    let mut replica = gateway.start_replica().await;
    let third = replica.client.copy(request).await.unwrap().into_inner().restore_point.unwrap();
    assert_eq!((third.name, third.usable), (first.name, true));
    assert_eq!(puts(&gateway), 1);
}

#[tokio::test]
async fn equal_calls_at_the_same_time_return_the_same_copy() {
    let gateway = TestGateway::start().await;
    let replica = gateway.start_replica().await;
    for (region, clients) in [
        ("northeurope", vec![gateway.client()]),
        ("westeurope", vec![gateway.client(), replica.client.clone()]),
    ] {
        let target = gateway.create_target(&format!("rg-prod~rpc-{region}"), region).await;
        let request = request(&gateway, 2, &target);
        let calls = clients.iter().cycle().take(8).map(|client| {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.copy(request).await }
        });
        let mut names = Vec::new();
        for started in futures::future::join_all(calls).await {
            let started = started.unwrap_or_else(|status| panic!("{region}: {status:?}"));
            names.push(started.into_inner().restore_point.unwrap().name);
        }
        names.dedup();
        assert_eq!(names.len(), 1, "{names:?}");
        let points = gateway.list(ListRequest { parent: target, ..Default::default() }).await;
        assert_eq!(points.unwrap().restore_points.len(), 1);
    }
}

#[tokio::test]
async fn after_a_lost_reply_the_point_is_read_before_the_write_is_repeated() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    gateway.azure.inject(Matching::new(Method::PUT, "/restorepoints/"), 1, Fault::lose_reply());
    let started = copy(&gateway, request(&gateway, 2, &target)).await.unwrap();
    assert_eq!(started.restore_point.unwrap().state(), State::Creating);
    assert_eq!(puts(&gateway), 1);
}

#[tokio::test]
async fn validate_only_validates_without_writing() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let validate = |request| CopyRequest { validate_only: true, ..request };
    let validated = copy(&gateway, validate(request(&gateway, 2, &target))).await.unwrap();
    assert!(validated.resume_token.is_empty());
    assert!(validated.restore_point.unwrap().name.starts_with(&target));
    let own_collection = azure_collection(&gateway.azure.seeded().collection);
    let status = copy(&gateway, validate(request(&gateway, 2, &own_collection))).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(puts(&gateway), 0);
}

#[tokio::test]
async fn each_violated_rule_is_the_reason_of_its_error() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded();
    let (own_collection, target) =
        (azure_collection(&seeded.collection), azure_collection(&seeded.target));

    // The collection of the virtual machine itself does not accept copies.
    let status = copy(&gateway, request(&gateway, 2, &own_collection)).await.unwrap_err();
    assert_eq!(rule(&status), "WRONG_DESTINATION");

    // The source is a copy.
    let nested =
        CopyRequest { source: azure_point(&seeded.finished_copy), ..request(&gateway, 0, &target) };
    assert_eq!(rule(&copy(&gateway, nested).await.unwrap_err()), "COPY_OF_COPY");

    // Another copy between the two collections is in progress.
    let status = copy(&gateway, request(&gateway, 3, &target)).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
    assert!(status.get_details_retry_info().is_some());

    // After that copy: the same point under another name, and a point that is older than the last one copied.
    gateway.clock.advance(SignedDuration::from_hours(2));
    let status = copy(&gateway, request(&gateway, 1, &target)).await.unwrap_err();
    assert_eq!(rule(&status), "ALREADY_COPIED");
    let started = copy(&gateway, request(&gateway, 4, &target)).await.unwrap();
    gateway.clock.advance(SignedDuration::from_hours(2));
    let status = copy(&gateway, request(&gateway, 3, &target)).await.unwrap_err();
    assert_eq!(rule(&status), "COPY_ORDER");

    // The id belongs to a copy of another point.
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
async fn a_source_that_is_being_created_can_be_copied_after_the_time_in_retry_info() {
    let gateway = TestGateway::start().await;
    let id = format!("{}/restorePoints/new", gateway.azure.seeded().collection);
    assert_eq!(gateway.arm(Method::PUT, &id).await.status(), 201);
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let request = CopyRequest { source: azure_point(&id), ..request(&gateway, 0, &target) };
    let status = copy(&gateway, request.clone()).await.unwrap_err();
    assert_eq!(rule(&status), "SOURCE_NOT_READY");
    assert!(status.message().contains("being created"), "{status:?}");
    let retry = status.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "60000");
    gateway.clock.advance(SignedDuration::try_from(retry).unwrap());
    copy(&gateway, request).await.unwrap();
}

#[tokio::test]
async fn a_source_has_retry_info_only_if_waiting_helps() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    let request = request(&gateway, 0, &target);
    let source = &gateway.azure.seeded().points[0];
    let body = gateway.arm(Method::GET, source).await.text().await.unwrap();
    let original: serde_json::Value = serde_json::from_str(&body).unwrap();
    let (not_ready, not_copyable) = ("SOURCE_NOT_READY", "SOURCE_NOT_COPYABLE_YET");
    for (provisioning_state, vm_region, expected, retry) in [
        ("Creating", "eastus", not_ready, Some("60000")),
        // Its data is on its way from another region: COPYING.
        ("Succeeded", "westus", not_copyable, Some("600000")),
        ("Failed", "eastus", not_ready, None),
        ("Deleting", "eastus", not_ready, None),
        ("Unheard", "eastus", not_ready, None),
    ] {
        let mut point = original.clone();
        point["properties"]["provisioningState"] = provisioning_state.into();
        point["properties"]["sourceMetadata"]["location"] = vm_region.into();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let body = point.to_string().into();
        let read = Matching::new(Method::GET, source.rsplit('/').next().unwrap());
        gateway.azure.inject(read, 9, Fault::canned(Canned { status: 200, headers, body }));
        let status = copy(&gateway, request.clone()).await.unwrap_err();
        gateway.clear_faults();
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
        assert_eq!(rule(&status), expected, "{provisioning_state}");
        assert_eq!(status.get_details_retry_info().is_some(), retry.is_some(), "{status:?}");
        let pushback = status.metadata().get("grpc-retry-pushback-ms");
        assert_eq!(pushback.map(|value| value.to_str().unwrap()), retry, "{provisioning_state}");
    }
    assert_eq!(puts(&gateway), 0);
    copy(&gateway, request).await.unwrap();
}

#[tokio::test]
async fn a_source_whose_disks_are_copied_in_the_background_is_not_copied_yet() {
    let gateway = TestGateway::start_with(|settings| {
        settings.azure.quirks.background_copy_needs_instant_access = false;
    })
    .await;
    let create = async |id: &str, location: &str, source: &str| {
        let collection = Collection {
            location: location.to_owned(),
            source: source.to_owned(),
            ..Default::default()
        };
        let request = CreateCollectionRequest {
            parent: "backends/azure".to_owned(),
            collection_id: id.to_owned(),
            collection: Some(collection),
            ..Default::default()
        };
        gateway.client().create_collection(request).await.unwrap().into_inner()
    };
    let sap = create("rg-prod~rpc-sap", "eastus", &gateway.azure.seeded().instant_vm).await;
    let north = create("rg-prod~rpc-north", "northeurope", &sap.name).await;
    let id = format!("{}/restorePoints/sap", sap.vendor_id);
    assert_eq!(gateway.arm(Method::PUT, &id).await.status(), 201);
    gateway.clock.advance(SignedDuration::from_mins(1));
    let pending = gateway.get(&azure_point(&id)).await.unwrap();
    assert_eq!((pending.state(), pending.usable), (State::Creating, false));
    assert!(pending.usable_for.is_empty() && pending.state_reason.contains("Pending"));

    let request =
        CopyRequest { source: azure_point(&id), destination: north.name, ..Default::default() };
    let status = copy(&gateway, request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    assert_eq!(rule(&status), "SOURCE_NOT_COPYABLE_YET");
    let retry = status.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "600000");
    // After that time it can be copied, or the next RetryInfo says when.
    let mut waited = 0;
    while let Err(status) = copy(&gateway, request.clone()).await {
        assert_eq!(rule(&status), "SOURCE_NOT_COPYABLE_YET");
        waited += 1;
        assert!(waited < 9, "{status:?}");
        gateway.clock.advance(SignedDuration::try_from(retry).unwrap());
    }
    let copyable = gateway.get(&azure_point(&id)).await.unwrap();
    let all: Vec<Use> = copyable.usable_for().collect();
    assert_eq!(all, [Use::Restore, Use::Copy, Use::Export]);
}

#[tokio::test]
async fn a_filter_by_machine_finds_its_copies() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded();
    let filter = "source.vm_name = \"vm-db01\"".to_owned();
    let request = ListRequest { parent: EVERYTHING.into(), filter, ..Default::default() };
    let found = gateway.list_all(request).await;
    let names: Vec<&str> = found.iter().map(|point| point.name.as_str()).collect();
    for copy in [&seeded.finished_copy, &seeded.running_copy, &seeded.failed_copy] {
        assert!(names.contains(&azure_point(copy).as_str()), "{copy}: {names:?}");
        let copy = gateway.get(&azure_point(copy)).await.unwrap();
        assert_eq!(copy.source.unwrap().vm_name, "vm-db01");
    }
}

#[tokio::test]
async fn an_invalid_request_names_the_field() {
    let gateway = TestGateway::start().await;
    let target = azure_collection(&gateway.azure.seeded().target);
    type Change = fn(&mut CopyRequest);
    let changes: [(Change, &str); 11] = [
        (|r| r.source.clear(), "source"),
        (|r| r.source = "srv39".into(), "source"),
        (|r| r.source = "backends/nowhere/collections/a~b/restorePoints/c".into(), "source"),
        (|r| r.source = "backends/azure/collections/rg-prod~no/restorePoints/c".into(), "source"),
        (|r| r.destination.clear(), "destination"),
        (|r| r.destination = "backends/veeam/collections/x".into(), "destination"),
        (|r| r.destination = "backends/azure/collections/rg-prod~no".into(), "destination"),
        (|r| r.restore_point_id = "a/b".into(), "restore_point_id"),
        (|r| r.request_id = "1".into(), "request_id"),
        (|r| r.encryption = Some(DiskEncryption { key: None }), "encryption"),
        (
            |r| drop(r.disk_encryption.insert("os".into(), DiskEncryption { key: None })),
            "disk_encryption",
        ),
    ];
    for (change, field) in changes {
        let mut invalid = request(&gateway, 2, &target);
        change(&mut invalid);
        let status = copy(&gateway, invalid).await.unwrap_err();
        assert!([Code::InvalidArgument, Code::NotFound].contains(&status.code()), "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{status:?}");
    }
    assert_eq!(puts(&gateway), 0);
}

#[tokio::test]
async fn an_exhausted_copy_quota_reports_when_to_retry() {
    let gateway = TestGateway::start_with(|settings| {
        settings.azure.replication = SignedDuration::from_secs(1)
    })
    .await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
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
async fn copy_is_not_supported_on_veeam() {
    let gateway = TestGateway::start().await;
    let request = CopyRequest { source: SRV39_IN_ANY_COLLECTION.into(), ..Default::default() };
    let status = copy(&gateway, request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "CAPABILITY_NOT_SUPPORTED");
    assert_eq!(
        (info.metadata["backend"].as_str(), info.metadata["capability"].as_str()),
        ("veeam", "copy")
    );
}

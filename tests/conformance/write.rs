//! CreateCollection and Copy: executed once, or unsupported.

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, GetCollectionRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::COPY_ID;

use crate::fixture::Fixture;

fn assert_unsupported(fixture: &impl Fixture, status: &Status, capability: &str) {
    assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "CAPABILITY_NOT_SUPPORTED");
    assert_eq!(info.metadata["capability"], capability);
    assert!(fixture.backend().ends_with(&info.metadata["backend"]), "{info:?}");
    assert!(!status.message().is_empty());
}

pub(crate) async fn a_collection_is_created_once_or_unsupported(fixture: &impl Fixture) {
    let mut client = fixture.gateway().client();
    if !fixture.capabilities().await.create_collection {
        // UNIMPLEMENTED comes first: the collection would be invalid.
        let request = CreateCollectionRequest {
            parent: fixture.backend().to_owned(),
            collection_id: "new".to_owned(),
            collection: Some(Collection::default()),
            ..Default::default()
        };
        let status = client.create_collection(request).await.unwrap_err();
        return assert_unsupported(fixture, &status, "create_collection");
    }
    let request = fixture.new_collection().expect("a request for the declared capability");
    let created = client.create_collection(request.clone()).await.unwrap().into_inner();
    let repeated = client.create_collection(request.clone()).await.unwrap().into_inner();
    assert_eq!(created, repeated);
    let get = GetCollectionRequest { name: created.name.clone() };
    assert_eq!(client.get_collection(get).await.unwrap().into_inner(), created);
    let mut other = request;
    other.collection.as_mut().unwrap().labels.insert("another".into(), "label".into());
    let status = client.create_collection(other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
    assert_eq!(status.get_details_resource_info().unwrap().resource_name, created.name);
}

pub(crate) async fn a_copy_is_started_once_or_unsupported(fixture: &impl Fixture) {
    let mut client = fixture.gateway().client();
    let capabilities = fixture.capabilities().await;
    let source = fixture.points().await.pop().unwrap();
    let mut request = CopyRequest { source: source.name.clone(), ..Default::default() };
    if !capabilities.copy {
        let status = client.copy(request).await.unwrap_err();
        return assert_unsupported(fixture, &status, "copy");
    }
    let target = fixture.new_collection().expect("a request for the declared capability");
    request.destination = client.create_collection(target).await.unwrap().into_inner().name;
    request.restore_point_id = COPY_ID.to_owned();
    let started = client.copy(request.clone()).await.unwrap().into_inner();
    let copy = started.restore_point.unwrap();
    assert!(!copy.usable && !started.resume_token.is_empty(), "{copy:?}");
    assert_eq!(copy.source_restore_point, source.name);
    let repeated = client.copy(request).await.unwrap().into_inner().restore_point.unwrap();
    assert_eq!((&repeated.name, &repeated.vendor_id), (&copy.name, &copy.vendor_id));
    fixture.finish_copies();
    let ready = fixture.gateway().get(&copy.name).await.unwrap();
    assert_eq!((ready.state(), ready.usable), (State::Ready, true));
    assert_eq!(ready.point_time, source.point_time);
    assert_eq!(ready.copy_progress_percent, capabilities.copy_progress.then_some(100));
}

pub(crate) async fn validate_only_writes_nothing(fixture: &impl Fixture) {
    let mut client = fixture.gateway().client();
    let Some(request) = fixture.new_collection() else { return };
    let validate = CreateCollectionRequest { validate_only: true, ..request.clone() };
    let name = client.create_collection(validate).await.unwrap().into_inner().name;
    let get = GetCollectionRequest { name: name.clone() };
    assert_eq!(client.get_collection(get).await.unwrap_err().code(), Code::NotFound);
    client.create_collection(request).await.unwrap();
    let copy = CopyRequest {
        source: fixture.points().await.pop().unwrap().name,
        destination: name.clone(),
        restore_point_id: COPY_ID.to_owned(),
        validate_only: true,
        ..Default::default()
    };
    assert!(client.copy(copy).await.unwrap().into_inner().restore_point.is_some());
    let copy = format!("{name}/restorePoints/{COPY_ID}");
    assert_eq!(fixture.gateway().get(&copy).await.unwrap_err().code(), Code::NotFound);
}

//! CreateCollection and Copy: once, or not at all and said so.

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, GetCollectionRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::stage::{self, Stage};

/// A vendor that cannot do it says so, before it looks at what is wanted.
fn assert_unsupported(stage: &impl Stage, status: &Status, capability: &str) {
    assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "CAPABILITY_NOT_SUPPORTED");
    assert_eq!(info.metadata["capability"], capability);
    assert!(stage.backend().ends_with(&info.metadata["backend"]), "{info:?}");
    assert!(!status.message().is_empty());
}

fn some_collection(stage: &impl Stage) -> CreateCollectionRequest {
    CreateCollectionRequest {
        parent: stage.backend().to_owned(),
        collection_id: "new".to_owned(),
        collection: Some(Collection::default()),
        ..Default::default()
    }
}

pub(crate) async fn a_collection_is_made_once_or_refused_as_unsupported(stage: &impl Stage) {
    let mut client = stage.gateway().client();
    if !stage::claims(stage).await.create_collection {
        let status = client.create_collection(some_collection(stage)).await.unwrap_err();
        return assert_unsupported(stage, &status, "create_collection");
    }
    let request = stage.new_collection().expect("what is claimed can be shown");
    let made = client.create_collection(request.clone()).await.unwrap().into_inner();
    let again = client.create_collection(request.clone()).await.unwrap().into_inner();
    assert_eq!(made, again, "the same request is the same collection");
    let get = GetCollectionRequest { name: made.name.clone() };
    assert_eq!(client.get_collection(get).await.unwrap().into_inner(), made);
    let mut other = request;
    other.collection.as_mut().unwrap().labels.insert("another".into(), "label".into());
    let status = client.create_collection(other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
    assert_eq!(status.get_details_resource_info().unwrap().resource_name, made.name);
}

pub(crate) async fn a_copy_is_made_once_or_refused_as_unsupported(stage: &impl Stage) {
    let mut client = stage.gateway().client();
    let claims = stage::claims(stage).await;
    let source = stage::points(stage).await.pop().unwrap();
    let mut request = CopyRequest { source: source.name.clone(), ..Default::default() };
    if !claims.copy {
        let status = client.copy(request).await.unwrap_err();
        return assert_unsupported(stage, &status, "copy");
    }
    let target = stage.new_collection().expect("what is claimed can be shown");
    request.destination = client.create_collection(target).await.unwrap().into_inner().name;
    request.restore_point_id = "the-copy".to_owned();
    let started = client.copy(request.clone()).await.unwrap().into_inner();
    let copy = started.restore_point.unwrap();
    assert!(!copy.usable && !started.resume_token.is_empty(), "it has only begun");
    assert_eq!(copy.source_restore_point, source.name);
    let again = client.copy(request).await.unwrap().into_inner().restore_point.unwrap();
    assert_eq!((&again.name, &again.vendor_id), (&copy.name, &copy.vendor_id));
    stage.let_copies_arrive();
    let arrived = stage.gateway().get(&copy.name).await.unwrap();
    assert_eq!((arrived.state(), arrived.usable), (State::Ready, true));
    assert_eq!(arrived.point_time, source.point_time, "a copy holds the moment of its source");
    assert_eq!(arrived.copy_progress_percent, claims.copy_progress.then_some(100));
}

pub(crate) async fn a_check_writes_nothing(stage: &impl Stage) {
    let mut client = stage.gateway().client();
    let Some(request) = stage.new_collection() else { return };
    let check = CreateCollectionRequest { validate_only: true, ..request.clone() };
    let name = client.create_collection(check).await.unwrap().into_inner().name;
    let get = GetCollectionRequest { name: name.clone() };
    assert_eq!(client.get_collection(get).await.unwrap_err().code(), Code::NotFound);
    client.create_collection(request).await.unwrap();
    let copy = CopyRequest {
        source: stage::points(stage).await.pop().unwrap().name,
        destination: name.clone(),
        restore_point_id: "the-copy".to_owned(),
        validate_only: true,
        ..Default::default()
    };
    assert!(client.copy(copy).await.unwrap().into_inner().restore_point.is_some());
    let copy = format!("{name}/restorePoints/the-copy");
    assert_eq!(stage.gateway().get(&copy).await.unwrap_err().code(), Code::NotFound);
}

//! CreateCollection: once, whole, and only where the vendor can.

use http::Method;
use restore_point_gateway::proto::{Collection, CreateCollectionRequest, GetCollectionRequest};
use restore_point_gateway::sandbox::azure::{Fault, Kind, Matching};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::house::House;

fn request(house: &House) -> CreateCollectionRequest {
    CreateCollectionRequest {
        parent: "backends/azure".into(),
        collection_id: "rg-prod~rpc-new".into(),
        collection: Some(Collection {
            location: "West US 2".into(),
            source: House::azure_collection(&house.azure.seeded().collection),
            labels: [("team".to_owned(), "dr".to_owned())].into(),
            ..Default::default()
        }),
        request_id: "6b2b42d5-3850-421c-93c1-e063f12a2ead".into(),
        validate_only: false,
    }
}

async fn create(house: &House, request: CreateCollectionRequest) -> Result<Collection, Status> {
    house.client().create_collection(request).await.map(tonic::Response::into_inner)
}

fn puts(house: &House) -> usize {
    house.azure.calls().count(&Method::PUT, Kind::Collection)
}

#[tokio::test]
async fn a_target_collection_is_made_once() {
    let house = House::new().await;
    let made = create(&house, request(&house)).await.unwrap();
    assert_eq!(made.name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!((made.location.as_str(), made.source_location.as_str()), ("westus2", "eastus"));
    assert_eq!(made.source, House::azure_collection(&house.azure.seeded().collection));
    assert_eq!(made.labels["team"], "dr");
    let again = create(&house, request(&house)).await.unwrap();
    assert_eq!(again, made);
    assert_eq!(puts(&house), 1);
    let read = GetCollectionRequest { name: made.name.clone() };
    assert_eq!(house.client().get_collection(read).await.unwrap().into_inner(), made);
}

#[tokio::test]
async fn a_collection_of_a_machine_is_made_too() {
    let house = House::new().await;
    let seeded = house.azure.seeded();
    let request = CreateCollectionRequest {
        collection: Some(Collection {
            location: "eastus".into(),
            source: seeded.windows_vm.clone(),
            ..Default::default()
        }),
        ..request(&house)
    };
    assert_eq!(create(&house, request).await.unwrap().source, seeded.windows_vm);
}

#[tokio::test]
async fn validate_only_writes_nothing() {
    let house = House::new().await;
    let request = CreateCollectionRequest { validate_only: true, ..request(&house) };
    let would_be = create(&house, request).await.unwrap();
    assert_eq!(would_be.name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!(puts(&house), 0);
}

#[tokio::test]
async fn the_same_id_with_another_source_exists_already() {
    let house = House::new().await;
    create(&house, request(&house)).await.unwrap();
    let mut other = request(&house);
    other.collection.as_mut().unwrap().source = house.azure.seeded().vm.clone();
    let status = create(&house, other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
    let details = status.get_error_details();
    let resource = details.resource_info().unwrap();
    assert_eq!(resource.resource_name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!(puts(&house), 1);
}

#[tokio::test]
async fn an_absent_resource_group_is_named_with_what_to_do() {
    let house = House::new().await;
    let request =
        CreateCollectionRequest { collection_id: "rg-none~rpc-new".into(), ..request(&house) };
    let status = create(&house, request).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let violations = status.get_details_precondition_failure().unwrap().violations;
    assert_eq!(violations[0].r#type, "RESOURCE_GROUP_NOT_FOUND");
    assert_eq!(violations[0].subject, "resource group rg-none");
    assert_eq!(puts(&house), 0);
}

#[tokio::test]
async fn a_lost_reply_is_looked_up_before_it_is_repeated() {
    let house = House::new().await;
    house.azure.script(Matching::new(Method::PUT, "rpc-new"), 1, Fault::lose_reply());
    let made = create(&house, request(&house)).await.unwrap();
    assert_eq!(made.name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!(puts(&house), 1);
}

#[tokio::test]
async fn malformed_requests_name_their_field() {
    let house = House::new().await;
    type Change = fn(&mut CreateCollectionRequest);
    let changes: [(Change, &str); 9] = [
        (|r| r.parent.clear(), "parent"),
        (|r| r.parent = "backends/-".into(), "parent"),
        (|r| r.parent = "backends/nowhere".into(), "parent"),
        (|r| r.collection_id.clear(), "collection_id"),
        (|r| r.collection_id = "no-tilde".into(), "collection_id"),
        (|r| r.collection = None, "collection.location"),
        (|r| r.collection.as_mut().unwrap().source.clear(), "collection.source"),
        (|r| r.collection.as_mut().unwrap().source = "a machine".into(), "collection.source"),
        (|r| r.request_id = "1".into(), "request_id"),
    ];
    for (change, field) in changes {
        let mut malformed = request(&house);
        change(&mut malformed);
        let status = create(&house, malformed).await.unwrap_err();
        assert!([Code::InvalidArgument, Code::NotFound].contains(&status.code()), "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{status:?}");
    }
    assert_eq!(puts(&house), 0);
}

#[tokio::test]
async fn veeam_says_why_it_cannot() {
    let house = House::new().await;
    let request = CreateCollectionRequest { parent: "backends/veeam".into(), ..Default::default() };
    let status = create(&house, request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "CAPABILITY_NOT_SUPPORTED");
    assert_eq!(info.metadata["backend"], "veeam");
    assert_eq!(info.metadata["capability"], "create_collection");
}

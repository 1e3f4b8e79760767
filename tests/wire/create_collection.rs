//! CreateCollection: written once, and only where the vendor supports it.

use http::Method;
use restore_point_gateway::proto::{Collection, CreateCollectionRequest, GetCollectionRequest};
use restore_point_sandbox::azure::{Fault, Kind, Matching};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::azure_collection;

fn request(gateway: &TestGateway) -> CreateCollectionRequest {
    CreateCollectionRequest {
        parent: "backends/azure".into(),
        collection_id: "rg-prod~rpc-new".into(),
        collection: Some(Collection {
            location: "West US 2".into(),
            source: azure_collection(&gateway.azure.seeded().collection),
            labels: [("team".to_owned(), "dr".to_owned())].into(),
            ..Default::default()
        }),
        request_id: "6b2b42d5-3850-421c-93c1-e063f12a2ead".into(),
        validate_only: false,
    }
}

async fn create(
    gateway: &TestGateway,
    request: CreateCollectionRequest,
) -> Result<Collection, Status> {
    gateway.client().create_collection(request).await.map(tonic::Response::into_inner)
}

/// How many PUT requests for collections ARM has received.
fn puts(gateway: &TestGateway) -> usize {
    gateway.azure.calls().count(&Method::PUT, Kind::Collection)
}

#[tokio::test]
async fn a_repeated_request_creates_one_target_collection() {
    let gateway = TestGateway::start().await;
    let created = create(&gateway, request(&gateway)).await.unwrap();
    assert_eq!(created.name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!(
        (created.location.as_str(), created.source_location.as_str()),
        ("westus2", "eastus")
    );
    assert_eq!(created.source, azure_collection(&gateway.azure.seeded().collection));
    assert_eq!(created.labels["team"], "dr");
    let repeated = create(&gateway, request(&gateway)).await.unwrap();
    assert_eq!(repeated, created);
    assert_eq!(puts(&gateway), 1);
    let get = GetCollectionRequest { name: created.name.clone() };
    assert_eq!(gateway.client().get_collection(get).await.unwrap().into_inner(), created);
}

#[tokio::test]
async fn a_collection_of_a_virtual_machine_can_be_created() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded();
    let request = CreateCollectionRequest {
        collection: Some(Collection {
            location: "eastus".into(),
            source: seeded.windows_vm.clone(),
            ..Default::default()
        }),
        ..request(&gateway)
    };
    assert_eq!(create(&gateway, request).await.unwrap().source, seeded.windows_vm);
}

#[tokio::test]
async fn validate_only_writes_nothing() {
    let gateway = TestGateway::start().await;
    let request = CreateCollectionRequest { validate_only: true, ..request(&gateway) };
    let validated = create(&gateway, request).await.unwrap();
    assert_eq!(validated.name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!(puts(&gateway), 0);
}

#[tokio::test]
async fn the_same_id_with_another_source_already_exists() {
    let gateway = TestGateway::start().await;
    create(&gateway, request(&gateway)).await.unwrap();
    let mut other = request(&gateway);
    other.collection.as_mut().unwrap().source = gateway.azure.seeded().vm.clone();
    let status = create(&gateway, other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
    let details = status.get_error_details();
    let resource = details.resource_info().unwrap();
    assert_eq!(resource.resource_name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!(puts(&gateway), 1);
}

#[tokio::test]
async fn an_absent_resource_group_is_a_failed_precondition() {
    let gateway = TestGateway::start().await;
    let request =
        CreateCollectionRequest { collection_id: "rg-none~rpc-new".into(), ..request(&gateway) };
    let status = create(&gateway, request).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let violations = status.get_details_precondition_failure().unwrap().violations;
    assert_eq!(violations[0].r#type, "RESOURCE_GROUP_NOT_FOUND");
    assert_eq!(violations[0].subject, "resource group rg-none");
    assert_eq!(puts(&gateway), 0);
}

#[tokio::test]
async fn after_a_lost_reply_the_collection_is_read_before_the_write_is_repeated() {
    let gateway = TestGateway::start().await;
    gateway.azure.inject(Matching::new(Method::PUT, "rpc-new"), 1, Fault::lose_reply());
    let created = create(&gateway, request(&gateway)).await.unwrap();
    assert_eq!(created.name, "backends/azure/collections/rg-prod~rpc-new");
    assert_eq!(puts(&gateway), 1);
}

#[tokio::test]
async fn an_invalid_request_names_the_field() {
    let gateway = TestGateway::start().await;
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
        let mut invalid = request(&gateway);
        change(&mut invalid);
        let status = create(&gateway, invalid).await.unwrap_err();
        assert!([Code::InvalidArgument, Code::NotFound].contains(&status.code()), "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{status:?}");
    }
    assert_eq!(puts(&gateway), 0);
}

#[tokio::test]
async fn create_collection_is_not_supported_on_veeam() {
    let gateway = TestGateway::start().await;
    let request = CreateCollectionRequest { parent: "backends/veeam".into(), ..Default::default() };
    let status = create(&gateway, request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "CAPABILITY_NOT_SUPPORTED");
    assert_eq!(info.metadata["backend"], "veeam");
    assert_eq!(info.metadata["capability"], "create_collection");
}

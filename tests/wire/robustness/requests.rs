//! Invalid requests: every string of every request, too large, too deeply nested, or of unusual characters. The error
//! names the field and fits into a client's headers.

use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, GetRequest, ListCollectionsRequest,
    ListRequest, WatchStatusRequest,
};

use restore_point_test_support::failure::failure;
use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::EVERYTHING;

const COLLECTION: &str = "backends/azure/collections/rg-prod~rpc-db01";

/// Strings that are invalid in every field.
fn invalid_strings() -> Vec<String> {
    vec![
        "x".repeat(1 << 20),
        "/".repeat(1 << 20),
        "\u{10FFFF}".repeat(4096),
        "\u{0}\u{1}\r\n\t".repeat(1000),
        "\u{202e}~%2e%2e/..\\?#".to_owned(),
        "(".repeat(1 << 20),
        "\"".repeat(4095),
        "a.".repeat(2000),
    ]
}

#[tokio::test]
async fn an_invalid_string_in_a_read_names_the_field() {
    let gateway = TestGateway::start().await;
    let list = ListRequest { parent: COLLECTION.to_owned(), ..Default::default() };
    for text in invalid_strings() {
        let case = format!("{text:.20}");
        for (field, request) in [
            ("parent", ListRequest { parent: text.clone(), ..list.clone() }),
            ("filter", ListRequest { filter: text.clone(), ..list.clone() }),
            ("order_by", ListRequest { order_by: text.clone(), ..list.clone() }),
            ("page_token", ListRequest { page_token: text.clone(), ..list.clone() }),
            ("parent", ListRequest { parent: format!("{COLLECTION}/{text}"), ..list.clone() }),
        ] {
            failure(&case, gateway.client().list(request)).await.assert_invalid_field(field);
        }
        let request = ListCollectionsRequest { parent: text.clone(), ..Default::default() };
        let failed = failure(&case, gateway.client().list_collections(request)).await;
        failed.assert_invalid_field("parent");
        let request = GetRequest { name: text.clone(), view: 0 };
        failure(&case, gateway.client().get(request)).await.assert_invalid_field("name");
        let request = WatchStatusRequest { names: vec![text.clone()], ..Default::default() };
        let failed = failure(&case, gateway.client().watch_status(request)).await;
        failed.assert_invalid_field("names[0]");
        let parent = COLLECTION.to_owned();
        let request = WatchStatusRequest { parent, resume_token: text, ..Default::default() };
        let failed = failure(&case, gateway.client().watch_status(request)).await;
        failed.assert_invalid_field("resume_token");
    }
    let names = vec!["x".to_owned(); 500_000];
    let request = WatchStatusRequest { names, ..Default::default() };
    let failed = failure("500,000 names", gateway.client().watch_status(request)).await;
    failed.assert_invalid_field("names");
    for page_size in [-1, i32::MIN] {
        let request = ListRequest { page_size, ..list.clone() };
        let failed = failure("a negative page size", gateway.client().list(request)).await;
        failed.assert_invalid_field("page_size");
    }
    let all = ListRequest { page_size: i32::MAX, ..list };
    assert_eq!(gateway.list_all(all).await.len(), 6, "the gateway still serves valid requests");
}

#[tokio::test]
async fn an_invalid_string_in_a_write_names_the_field() {
    let gateway = TestGateway::start().await;
    let before = gateway.azure.calls().total();
    let create = CreateCollectionRequest {
        parent: "backends/azure".to_owned(),
        collection_id: "rg-prod~new".to_owned(),
        collection: Some(Collection {
            location: "westus".to_owned(),
            source: COLLECTION.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let copy = CopyRequest {
        source: format!("{COLLECTION}/restorePoints/db01-day6"),
        destination: "backends/azure/collections/rg-prod~rpc-db01-westus".to_owned(),
        restore_point_id: "copy".to_owned(),
        ..Default::default()
    };
    let with_collection = |change: fn(&mut Collection, String), text: &str| {
        let mut request = create.clone();
        change(request.collection.as_mut().unwrap(), text.to_owned());
        request
    };
    for text in invalid_strings() {
        let case = format!("{text:.20}");
        for (field, request) in [
            ("parent", CreateCollectionRequest { parent: text.clone(), ..create.clone() }),
            (
                "collection_id",
                CreateCollectionRequest { collection_id: text.clone(), ..create.clone() },
            ),
            ("request_id", CreateCollectionRequest { request_id: text.clone(), ..create.clone() }),
            ("collection.source", with_collection(|new, text| new.source = text, &text)),
            (
                "collection.source",
                with_collection(
                    |new, text| {
                        new.source = format!(
                            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{text}"
                        )
                    },
                    &text.replace('/', "%"),
                ),
            ),
            ("collection.location", with_collection(|new, text| new.location = text, &text)),
        ] {
            let failed = failure(&case, gateway.client().create_collection(request)).await;
            failed.assert_invalid_field(field);
        }
        for (field, request) in [
            ("source", CopyRequest { source: text.clone(), ..copy.clone() }),
            ("destination", CopyRequest { destination: text.clone(), ..copy.clone() }),
            ("restore_point_id", CopyRequest { restore_point_id: text.clone(), ..copy.clone() }),
            ("request_id", CopyRequest { request_id: text.clone(), ..copy.clone() }),
        ] {
            failure(&case, gateway.client().copy(request)).await.assert_invalid_field(field);
        }
    }
    assert_eq!(gateway.azure.calls().total(), before, "a request was sent to the vendor");
}

#[tokio::test]
async fn filters_are_limited_in_size_and_depth() {
    let gateway = TestGateway::start().await;
    let nested = |depth: usize| format!("{}usable = true{}", "(".repeat(depth), ")".repeat(depth));
    let long = |count: usize| vec!["name = \"*x*\""; count].join(" OR ");
    let request =
        |filter| ListRequest { parent: EVERYTHING.to_owned(), filter, ..Default::default() };
    for filter in
        [nested(30), format!("NOT {}", nested(30)), long(200), vec!["usable=true"; 300].join(" ")]
    {
        gateway.list_all(request(filter)).await;
    }
    for filter in
        [nested(2000), long(1000), "-".repeat(4000), "NOT ".repeat(1000), "f(".repeat(2000)]
    {
        let case = format!("{filter:.30}");
        failure(&case, gateway.client().list(request(filter))).await.assert_invalid_field("filter");
    }
}

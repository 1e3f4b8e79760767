//! Hostile callers: every text of every request, far too large, far too deep, or of odd characters. The answer
//! comes, names the field, and is small enough for a client's headers.

use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, GetRequest, ListCollectionsRequest,
    ListRequest, WatchStatusRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::hostile_gateway::failure;

/// Texts that are nothing anywhere.
fn hostile() -> Vec<String> {
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

fn assert_refused(what: &str, field: &str, status: &Status) {
    assert_eq!(status.code(), Code::InvalidArgument, "{what}: {}", status.message());
    let details = status.get_error_details();
    let violation = &details.bad_request().expect("a BadRequest").field_violations[0];
    assert_eq!(violation.field, field, "{what}");
    assert_eq!(details.error_info().expect("an ErrorInfo").domain, "restorepoint.v1");
}

const COLLECTION: &str = "backends/azure/collections/rg-prod~rpc-db01";

#[tokio::test]
async fn texts_of_reads() {
    let gateway = TestGateway::new().await;
    let list = ListRequest { parent: COLLECTION.to_owned(), ..Default::default() };
    for text in hostile() {
        let what = format!("{text:.20}");
        for (field, request) in [
            ("parent", ListRequest { parent: text.clone(), ..list.clone() }),
            ("filter", ListRequest { filter: text.clone(), ..list.clone() }),
            ("order_by", ListRequest { order_by: text.clone(), ..list.clone() }),
            ("page_token", ListRequest { page_token: text.clone(), ..list.clone() }),
            ("parent", ListRequest { parent: format!("{COLLECTION}/{text}"), ..list.clone() }),
        ] {
            assert_refused(&what, field, &failure(&what, gateway.client().list(request)).await);
        }
        let request = ListCollectionsRequest { parent: text.clone(), ..Default::default() };
        let status = failure(&what, gateway.client().list_collections(request)).await;
        assert_refused(&what, "parent", &status);
        let request = GetRequest { name: text.clone(), view: 0 };
        assert_refused(&what, "name", &failure(&what, gateway.client().get(request)).await);
        let request = WatchStatusRequest { names: vec![text.clone()], ..Default::default() };
        let status = failure(&what, gateway.client().watch_status(request)).await;
        assert_refused(&what, "names[0]", &status);
        let parent = COLLECTION.to_owned();
        let request = WatchStatusRequest { parent, resume_token: text, ..Default::default() };
        let status = failure(&what, gateway.client().watch_status(request)).await;
        assert_refused(&what, "resume_token", &status);
    }
    let names = vec!["x".to_owned(); 500_000];
    let request = WatchStatusRequest { names, ..Default::default() };
    let status = failure("names", gateway.client().watch_status(request)).await;
    assert_refused("names", "names", &status);
    for page_size in [-1, i32::MIN] {
        let request = ListRequest { page_size, ..list.clone() };
        let status = failure("page_size", gateway.client().list(request)).await;
        assert_refused("page_size", "page_size", &status);
    }
    let all = ListRequest { page_size: i32::MAX, ..list };
    assert_eq!(gateway.list_all(all).await.len(), 6, "the gateway still stands");
}

#[tokio::test]
async fn texts_of_writes() {
    let gateway = TestGateway::new().await;
    let calls = || gateway.azure.calls().total();
    let before = calls();
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
    let with = |change: fn(&mut Collection, String), text: &str| {
        let mut request = create.clone();
        change(request.collection.as_mut().unwrap(), text.to_owned());
        request
    };
    for text in hostile() {
        let what = format!("{text:.20}");
        for (field, request) in [
            ("parent", CreateCollectionRequest { parent: text.clone(), ..create.clone() }),
            (
                "collection_id",
                CreateCollectionRequest { collection_id: text.clone(), ..create.clone() },
            ),
            ("request_id", CreateCollectionRequest { request_id: text.clone(), ..create.clone() }),
            ("collection.source", with(|new, text| new.source = text, &text)),
            (
                "collection.source",
                with(
                    |new, text| {
                        new.source = format!(
                            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{text}"
                        )
                    },
                    &text.replace('/', "%"),
                ),
            ),
            ("collection.location", with(|new, text| new.location = text, &text)),
        ] {
            let status = failure(&what, gateway.client().create_collection(request)).await;
            assert_refused(&what, field, &status);
        }
        for (field, request) in [
            ("source", CopyRequest { source: text.clone(), ..copy.clone() }),
            ("destination", CopyRequest { destination: text.clone(), ..copy.clone() }),
            ("restore_point_id", CopyRequest { restore_point_id: text.clone(), ..copy.clone() }),
            ("request_id", CopyRequest { request_id: text.clone(), ..copy.clone() }),
        ] {
            assert_refused(&what, field, &failure(&what, gateway.client().copy(request)).await);
        }
    }
    assert_eq!(calls(), before, "the vendor was asked nothing");
}

#[tokio::test]
async fn filters_of_any_size_and_depth() {
    let gateway = TestGateway::new().await;
    let nested = |depth: usize| format!("{}usable = true{}", "(".repeat(depth), ")".repeat(depth));
    let long = |count: usize| vec!["name = \"*x*\""; count].join(" OR ");
    let request = |filter: String| ListRequest {
        parent: "backends/-/collections/-".to_owned(),
        filter,
        ..Default::default()
    };
    for filter in
        [nested(30), format!("NOT {}", nested(30)), long(200), vec!["usable=true"; 300].join(" ")]
    {
        gateway.list_all(request(filter)).await;
    }
    for filter in
        [nested(2000), long(1000), "-".repeat(4000), "NOT ".repeat(1000), "f(".repeat(2000)]
    {
        let status = failure(&filter, gateway.client().list(request(filter.clone()))).await;
        assert_refused(&format!("{filter:.30}"), "filter", &status);
    }
}

//! List and ListCollections: one sequence of pages over all backends, complete or an error.

use std::collections::HashSet;

use prost::Message;
use restore_point_gateway::proto::restore_point::{State, Vendor, View};
use restore_point_gateway::proto::{ListCollectionsRequest, ListRequest, RestorePoint};
use restore_point_sandbox::veeam_em::CloudQuery;
use tonic::Code;
use tonic_types::StatusExt;

use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::{EVERYTHING, SRV39_COLLECTION, azure_collection};

fn request(parent: &str) -> ListRequest {
    ListRequest { parent: parent.to_owned(), ..Default::default() }
}

fn names(points: &[RestorePoint]) -> Vec<&str> {
    points.iter().map(|point| point.name.as_str()).collect()
}

#[tokio::test]
async fn one_call_lists_the_points_of_both_vendors() {
    let gateway = TestGateway::start().await;
    let page = gateway.list(request(EVERYTHING)).await.unwrap();
    let azure = page.restore_points.iter().filter(|p| matches!(p.vendor, Some(Vendor::Azure(_))));
    let veeam = page.restore_points.iter().filter(|p| matches!(p.vendor, Some(Vendor::Veeam(_))));
    // Six local points, a running, a finished and a failed copy, and one point of Azure Backup.
    assert_eq!(azure.count(), 10);
    // Six points of cloud replicas, three of a replica and three of a backup.
    assert_eq!(veeam.count(), 6 + 3 + 3);
    for point in &page.restore_points {
        assert_eq!(point.usable, point.state() == State::Ready, "{}", point.name);
    }
}

#[tokio::test]
async fn small_pages_have_the_points_of_one_large_page() {
    let gateway = TestGateway::start_with(|settings| {
        settings.azure.points = 120;
        settings.veeam.points = 230;
        settings.azure.page_size = 2;
    })
    .await;
    let whole = gateway.list_all(ListRequest { page_size: 1000, ..request(EVERYTHING) }).await;
    assert_eq!(whole.len(), 10 + 120 + (6 + 230) + 2 * (3 + 58));
    let paged = gateway.list_all(ListRequest { page_size: 7, ..request(EVERYTHING) }).await;
    assert_eq!(names(&paged), names(&whole));
    assert_eq!(names(&whole).iter().collect::<HashSet<_>>().len(), whole.len());
}

#[tokio::test]
async fn the_page_size_can_change_between_pages() {
    for cloud_query in [CloudQuery::Answered, CloudQuery::Refused] {
        let gateway = TestGateway::start_with(|settings| {
            settings.veeam.points = 60;
            settings.veeam.cloud_query = cloud_query;
        })
        .await;
        let whole = gateway.list_all(ListRequest { page_size: 1000, ..request(EVERYTHING) }).await;
        let mut paged = Vec::new();
        let mut token = String::new();
        for page_size in [12, 20, 3, 7, 1, 1000] {
            let request = ListRequest { page_size, page_token: token, ..request(EVERYTHING) };
            let page = gateway.list(request).await.unwrap();
            assert!(page.restore_points.len() <= usize::try_from(page_size).unwrap());
            paged.extend(page.restore_points);
            token = page.next_page_token;
        }
        assert_eq!(token, "");
        let unique: HashSet<_> = names(&paged).into_iter().collect();
        assert_eq!((unique.len(), paged.len()), (whole.len(), whole.len()), "{cloud_query:?}");
    }
}

#[tokio::test]
async fn a_page_can_exceed_the_vendors_page_size_of_100() {
    let gateway = TestGateway::start_with(|settings| settings.veeam.points = 300).await;
    let request = ListRequest { page_size: 1000, ..request("backends/veeam/collections/-") };
    let page = gateway.list(request).await.unwrap();
    assert_eq!(page.restore_points.len(), 306 + 2 * 78);
}

#[tokio::test]
async fn a_page_fits_into_the_default_message_size_of_clients() {
    let gateway = TestGateway::start_with(|settings| settings.azure.points = 1500).await;
    for order_by in ["", "point_time desc"] {
        let mut request = ListRequest {
            page_size: 1000,
            view: View::Raw.into(),
            order_by: order_by.to_owned(),
            ..request("backends/azure/collections/-")
        };
        let mut count = 0;
        loop {
            let page = gateway.list(request.clone()).await.unwrap();
            // A thousand of these points have 2.4 MB; clients accept 4 MiB by default.
            assert!(page.encoded_len() < (2 << 20), "{} bytes", page.encoded_len());
            count += page.restore_points.len();
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(count, 1510);
    }
}

#[tokio::test]
async fn a_single_collection_can_be_listed() {
    let gateway = TestGateway::start().await;
    let target = azure_collection(&gateway.azure.seeded().target);
    let points = gateway.list_all(request(&target)).await;
    assert_eq!(points.len(), 2);
    let states: Vec<_> = points.iter().map(RestorePoint::state).collect();
    assert_eq!(states, [State::Ready, State::Copying]);
    assert!(points.iter().all(|point| point.name.starts_with(&target)));

    let points = gateway.list_all(request(SRV39_COLLECTION)).await;
    assert_eq!(points.len(), 2);
    assert!(points.iter().all(|point| point.display_name.starts_with("srv39@")));
}

#[tokio::test]
async fn an_absent_collection_is_not_found() {
    let gateway = TestGateway::start().await;
    for parent in [
        "backends/azure/collections/rg-prod~absent",
        "backends/veeam/collections/cloud-replica~00000000-0000-0000-0000-000000000000",
    ] {
        let status = gateway.list(request(parent)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let resource = status.get_details_resource_info().unwrap();
        assert_eq!(resource.resource_name, parent);
    }
}

#[tokio::test]
async fn a_filter_selects_the_matching_points() {
    let gateway = TestGateway::start().await;
    for (filter, expected) in [
        ("state = COPYING", 1),
        ("state = FAILED", 1),
        ("usable = false", 2),
        ("NOT usable = true", 2),
        ("source_restore_point = \"*\"", 22),
        ("source_restore_point = \"backends*\"", 3),
        ("display_name = \"srv39*\"", 2),
        ("display_name : srv4 OR display_name : srv38", 4),
        ("point_time < \"2016-01-01T00:00:00Z\"", 6),
        ("consistency = APPLICATION_CONSISTENT AND state = READY", 3),
        ("location = westus", 2),
    ] {
        let request = ListRequest { filter: filter.to_owned(), ..request(EVERYTHING) };
        let page = gateway.list(request).await.unwrap();
        let names = names(&page.restore_points);
        assert_eq!(names.len(), expected, "{filter}: {names:?}");
    }
}

#[tokio::test]
async fn an_invalid_request_names_the_field() {
    let gateway = TestGateway::start().await;
    for (request, field) in [
        (request("backends/-"), "parent"),
        (request(""), "parent"),
        (request("backends/-/collections/x"), "parent"),
        (request("backends/nowhere/collections/-"), "parent"),
        (ListRequest { page_size: -1, ..request(EVERYTHING) }, "page_size"),
        (ListRequest { page_token: "forged".into(), ..request(EVERYTHING) }, "page_token"),
        (ListRequest { filter: "colour = red".into(), ..request(EVERYTHING) }, "filter"),
        (ListRequest { filter: "state = ".into(), ..request(EVERYTHING) }, "filter"),
        (ListRequest { filter: "prod".into(), ..request(EVERYTHING) }, "filter"),
        (ListRequest { order_by: "size".into(), ..request(EVERYTHING) }, "order_by"),
        (ListRequest { view: 99, ..request(EVERYTHING) }, "view"),
    ] {
        let status = gateway.list(request.clone()).await.unwrap_err();
        let expected = [Code::InvalidArgument, Code::NotFound];
        assert!(expected.contains(&status.code()), "{request:?}: {status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{request:?}");
        assert!(!violations[0].description.is_empty());
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.domain, "restorepoint.v1");
    }
}

#[tokio::test]
async fn a_page_token_is_valid_for_its_own_list_only() {
    let gateway = TestGateway::start().await;
    let first = gateway.list(ListRequest { page_size: 3, ..request(EVERYTHING) }).await.unwrap();
    let token = first.next_page_token;
    assert!(!token.is_empty());
    let with_token = |request: ListRequest| ListRequest { page_token: token.clone(), ..request };

    // The page size may differ, and so may the replica.
    let next = ListRequest { page_size: 5, ..with_token(request(EVERYTHING)) };
    let first = gateway.list(next.clone()).await.unwrap();
    let second = gateway.start_replica().await.client.list(next).await.unwrap().into_inner();
    assert_eq!(names(&first.restore_points), names(&second.restore_points));

    for other in [
        with_token(request("backends/azure/collections/-")),
        with_token(ListRequest { filter: "usable = true".into(), ..request(EVERYTHING) }),
        with_token(ListRequest { order_by: "name".into(), ..request(EVERYTHING) }),
        with_token(ListRequest { view: 2, ..request(EVERYTHING) }),
    ] {
        let status = gateway.list(other).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.get_details_error_info().unwrap().reason, "INVALID_PAGE_TOKEN");
    }
    let status = gateway
        .client()
        .list_collections(ListCollectionsRequest {
            parent: "backends/-".into(),
            page_token: token.clone(),
            page_size: 0,
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_order_spans_vendors_and_pages() {
    let gateway = TestGateway::start_with(|settings| settings.veeam.points = 150).await;
    let ordered = |order: &str, page_size| ListRequest {
        order_by: order.to_owned(),
        page_size,
        ..request(EVERYTHING)
    };
    let newest_first = gateway.list_all(ordered("point_time desc", 1000)).await;
    assert_eq!(newest_first.len(), 10 + 156 + 2 * (3 + 38));
    let time = |point: &RestorePoint| point.point_time.map(|time| (time.seconds, time.nanos));
    assert!(newest_first.is_sorted_by(|a, b| time(a) >= time(b)));
    let paged = gateway.list_all(ordered("point_time desc", 13)).await;
    assert_eq!(names(&paged), names(&newest_first));

    let by_name = gateway.list_all(ordered("name desc", 50)).await;
    assert!(by_name.is_sorted_by(|a, b| a.name > b.name));
}

#[tokio::test]
async fn an_unreachable_backend_is_named_and_the_other_is_listed() {
    let gateway = TestGateway::start().await;
    gateway.inject_fault("veeam", "GET /api/ status=503");
    let page = gateway.list(request(EVERYTHING)).await.unwrap();
    assert_eq!(page.unreachable, ["backends/veeam"]);
    assert_eq!(page.restore_points.len(), 10);

    let status = gateway.list(request("backends/veeam/collections/-")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.get_details_retry_info().is_some());
    assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
}

#[tokio::test]
async fn collections_of_both_vendors_are_listed_in_pages() {
    let gateway = TestGateway::start_with(|settings| settings.azure.page_size = 2).await;
    let mut request =
        ListCollectionsRequest { parent: "backends/-".into(), page_size: 2, ..Default::default() };
    let mut collections = Vec::new();
    loop {
        let page = gateway.client().list_collections(request.clone()).await.unwrap().into_inner();
        collections.extend(page.collections);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let names: HashSet<_> = collections.iter().map(|collection| collection.name.clone()).collect();
    assert_eq!(names.len(), collections.len());
    let seeded = gateway.azure.seeded();
    for id in [&seeded.collection, &seeded.target, &seeded.empty_collection] {
        assert!(names.contains(&azure_collection(id)), "{id}");
    }
    let target = azure_collection(&seeded.target);
    let target = collections.iter().find(|collection| collection.name == target).unwrap();
    assert_eq!(target.source, azure_collection(&seeded.collection));
    assert_eq!((target.location.as_str(), target.source_location.as_str()), ("westus", "eastus"));
    let replica = "backends/veeam/collections/cloud-replica~8393c284-c953-403f-a9b9-cff63e0c6815";
    assert!(names.contains(replica));
}

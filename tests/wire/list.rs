//! List and ListCollections: one sequence of pages over all vendors, whole or not at all.

use std::collections::HashSet;

use prost::Message;
use restore_point_gateway::proto::restore_point::{State, Vendor, View};
use restore_point_gateway::proto::{
    ListCollectionsRequest, ListRequest, ListResponse, RestorePoint,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::TestGateway;

const EVERYTHING: &str = "backends/-/collections/-";

fn request(parent: &str) -> ListRequest {
    ListRequest { parent: parent.to_owned(), ..Default::default() }
}

async fn list(gateway: &TestGateway, request: ListRequest) -> Result<ListResponse, Status> {
    gateway.client().list(request).await.map(tonic::Response::into_inner)
}

fn names(points: &[RestorePoint]) -> Vec<&str> {
    points.iter().map(|point| point.name.as_str()).collect()
}

#[tokio::test]
async fn one_call_tells_the_points_of_both_vendors() {
    let gateway = TestGateway::new().await;
    let page = list(&gateway, request(EVERYTHING)).await.unwrap();
    let azure = page.restore_points.iter().filter(|p| matches!(p.vendor, Some(Vendor::Azure(_))));
    let veeam = page.restore_points.iter().filter(|p| matches!(p.vendor, Some(Vendor::Veeam(_))));
    // Six local points, a running, a finished and a failed copy, and one of Azure Backup.
    assert_eq!(azure.count(), 10);
    // Six of tenants' replicas, three of a replica, three of a backup.
    assert_eq!(veeam.count(), 6 + 3 + 3);
    for point in &page.restore_points {
        assert_eq!(point.usable, point.state() == State::Ready, "{}", point.name);
    }
}

#[tokio::test]
async fn small_pages_tell_what_one_large_page_tells() {
    let gateway = TestGateway::with(|plan| {
        plan.azure.points = 120;
        plan.veeam.points = 230;
        plan.azure.page_size = 2;
    })
    .await;
    let whole = gateway.list_all(ListRequest { page_size: 1000, ..request(EVERYTHING) }).await;
    assert_eq!(whole.len(), 10 + 120 + (6 + 230) + 2 * (3 + 58));
    let paged = gateway.list_all(ListRequest { page_size: 7, ..request(EVERYTHING) }).await;
    assert_eq!(names(&paged), names(&whole));
    assert_eq!(names(&whole).iter().collect::<HashSet<_>>().len(), whole.len());
}

#[tokio::test]
async fn the_page_size_may_change_from_page_to_page() {
    use restore_point_sandbox::veeam_em::CloudQuery;
    for answer in [CloudQuery::Answered, CloudQuery::Refused] {
        let gateway = TestGateway::with(|plan| {
            plan.veeam.points = 60;
            plan.veeam.cloud_query = answer;
        })
        .await;
        let whole = gateway.list_all(ListRequest { page_size: 1000, ..request(EVERYTHING) }).await;
        let mut told = Vec::new();
        let mut token = String::new();
        for page_size in [12, 20, 3, 7, 1, 1000] {
            let request = ListRequest { page_size, page_token: token, ..request(EVERYTHING) };
            let page = list(&gateway, request).await.unwrap();
            assert!(page.restore_points.len() <= usize::try_from(page_size).unwrap());
            told.extend(page.restore_points);
            token = page.next_page_token;
        }
        assert_eq!(token, "");
        let unique: HashSet<_> = names(&told).into_iter().map(str::to_owned).collect();
        assert_eq!((unique.len(), told.len()), (whole.len(), whole.len()), "{answer:?}");
    }
}

#[tokio::test]
async fn the_vendors_cut_at_a_hundred_is_not_ours() {
    let gateway = TestGateway::with(|plan| plan.veeam.points = 300).await;
    let request = ListRequest { page_size: 1000, ..request("backends/veeam/collections/-") };
    let page = list(&gateway, request).await.unwrap();
    assert_eq!(page.restore_points.len(), 306 + 2 * 78);
}

#[tokio::test]
async fn a_page_fits_into_the_message_that_every_client_takes() {
    let gateway = TestGateway::with(|plan| plan.azure.points = 1500).await;
    for order_by in ["", "point_time desc"] {
        let mut request = ListRequest {
            page_size: 1000,
            view: View::Raw.into(),
            order_by: order_by.to_owned(),
            ..request("backends/azure/collections/-")
        };
        let mut told = 0;
        loop {
            let page = list(&gateway, request.clone()).await.unwrap();
            // Clients refuse more than 4 MiB; a thousand of these are 2.4 MB.
            assert!(page.encoded_len() < (2 << 20), "{} bytes", page.encoded_len());
            told += page.restore_points.len();
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(told, 1510);
    }
}

#[tokio::test]
async fn one_collection_is_listed_alone() {
    let gateway = TestGateway::new().await;
    let target = TestGateway::azure_collection(&gateway.azure.seeded().target);
    let points = gateway.list_all(request(&target)).await;
    assert_eq!(points.len(), 2);
    let states: Vec<_> = points.iter().map(RestorePoint::state).collect();
    assert_eq!(states, [State::Ready, State::Copying]);
    assert!(points.iter().all(|point| point.name.starts_with(&target)));

    let replica = "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead";
    let points = gateway.list_all(request(replica)).await;
    assert_eq!(points.len(), 2);
    assert!(points.iter().all(|point| point.display_name.starts_with("srv39@")));
}

#[tokio::test]
async fn an_absent_collection_is_not_found() {
    let gateway = TestGateway::new().await;
    for parent in [
        "backends/azure/collections/rg-prod~nothing",
        "backends/veeam/collections/cloud-replica~00000000-0000-0000-0000-000000000000",
    ] {
        let status = list(&gateway, request(parent)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let resource = status.get_details_resource_info().unwrap();
        assert_eq!(resource.resource_name, parent);
    }
}

#[tokio::test]
async fn a_filter_lets_through_what_fits_and_nothing_else() {
    let gateway = TestGateway::new().await;
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
        let page = list(&gateway, request).await.unwrap();
        assert_eq!(
            page.restore_points.len(),
            expected,
            "{filter}: {:?}",
            names(&page.restore_points)
        );
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused_by_name() {
    let gateway = TestGateway::new().await;
    for (change, field) in [
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
        let status = list(&gateway, change.clone()).await.unwrap_err();
        let expected = [Code::InvalidArgument, Code::NotFound];
        assert!(expected.contains(&status.code()), "{change:?}: {status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{change:?}");
        assert!(!violations[0].description.is_empty());
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.domain, "restorepoint.v1");
    }
}

#[tokio::test]
async fn a_token_serves_its_own_list_only() {
    let gateway = TestGateway::new().await;
    let first = list(&gateway, ListRequest { page_size: 3, ..request(EVERYTHING) }).await.unwrap();
    let token = first.next_page_token;
    assert!(!token.is_empty());
    let with = |change: ListRequest| ListRequest { page_token: token.clone(), ..change };

    // Another page size is allowed, on another replica too.
    let page = ListRequest { page_size: 5, ..with(request(EVERYTHING)) };
    let here = list(&gateway, page.clone()).await.unwrap();
    let there = gateway.another_replica().await.client.list(page).await.unwrap().into_inner();
    assert_eq!(names(&here.restore_points), names(&there.restore_points));

    for foreign in [
        with(request("backends/azure/collections/-")),
        with(ListRequest { filter: "usable = true".into(), ..request(EVERYTHING) }),
        with(ListRequest { order_by: "name".into(), ..request(EVERYTHING) }),
        with(ListRequest { view: 2, ..request(EVERYTHING) }),
    ] {
        let status = list(&gateway, foreign).await.unwrap_err();
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
async fn an_order_holds_across_vendors_and_pages() {
    let gateway = TestGateway::with(|plan| plan.veeam.points = 150).await;
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
async fn a_vendor_that_is_down_is_named_and_the_other_is_told() {
    let gateway = TestGateway::new().await;
    gateway.veeam.inject(
        restore_point_sandbox::fault::Matching::new(http::Method::GET, "/api/"),
        100,
        restore_point_sandbox::veeam_em::Fault::status(503, "maintenance"),
    );
    let page = list(&gateway, request(EVERYTHING)).await.unwrap();
    assert_eq!(page.unreachable, ["backends/veeam"]);
    assert_eq!(page.restore_points.len(), 10);

    let status = list(&gateway, request("backends/veeam/collections/-")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.get_details_retry_info().is_some());
    assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
}

#[tokio::test]
async fn collections_of_both_vendors_come_in_pages_too() {
    let gateway = TestGateway::with(|plan| plan.azure.page_size = 2).await;
    let mut request =
        ListCollectionsRequest { parent: "backends/-".into(), page_size: 2, ..Default::default() };
    let mut told = Vec::new();
    loop {
        let page = gateway.client().list_collections(request.clone()).await.unwrap().into_inner();
        told.extend(page.collections);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let names: HashSet<_> = told.iter().map(|collection| collection.name.clone()).collect();
    assert_eq!(names.len(), told.len());
    let seeded = gateway.azure.seeded();
    for id in [&seeded.collection, &seeded.target, &seeded.empty_collection] {
        assert!(names.contains(&TestGateway::azure_collection(id)), "{id}");
    }
    let target = TestGateway::azure_collection(&seeded.target);
    let target = told.iter().find(|collection| collection.name == target).unwrap();
    assert_eq!(target.source, TestGateway::azure_collection(&seeded.collection));
    assert_eq!((target.location.as_str(), target.source_location.as_str()), ("westus", "eastus"));
    let replica = "backends/veeam/collections/cloud-replica~8393c284-c953-403f-a9b9-cff63e0c6815";
    assert!(names.contains(replica));
}

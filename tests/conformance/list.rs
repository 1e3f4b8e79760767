//! List and ListCollections: complete, in order, and an error rather than a shorter list.

use std::collections::BTreeSet;

use restore_point_gateway::proto::{ListCollectionsRequest, ListRequest, RestorePoint};
use tonic::Code;
use tonic_types::StatusExt;

use restore_point_test_support::names::EVERYTHING;

use crate::fixture::{self, Fixture};

fn list(parent: String) -> ListRequest {
    ListRequest { parent, ..Default::default() }
}

fn all_collections(fixture: &impl Fixture) -> ListRequest {
    list(format!("{}/collections/-", fixture.backend()))
}

pub(crate) async fn a_list_is_complete_at_any_page_size(fixture: &impl Fixture) {
    let expected = fixture.vendor_ids().await;
    assert!(expected.len() >= 3, "{expected:?}");
    for page_size in [0, 1, 2, 1000] {
        let request = ListRequest { page_size, ..list(fixture.collection()) };
        let points = fixture.gateway().list_all(request).await;
        assert_eq!(points.len(), expected.len(), "duplicates at page size {page_size}");
        assert_eq!(fixture::vendor_ids(&points), expected);
    }
}

pub(crate) async fn the_wildcard_lists_the_points_of_all_collections(fixture: &impl Fixture) {
    let whole = fixture.gateway().list_all(all_collections(fixture)).await;
    let names = fixture::names(&whole);
    assert_eq!(names.len(), whole.len(), "duplicate names");
    let uids: BTreeSet<_> = whole.iter().map(|point| &point.uid).collect();
    assert_eq!(uids.len(), whole.len(), "duplicate uids");

    let mut names_by_collection = BTreeSet::new();
    let mut collections = 0;
    let mut page_token = String::new();
    loop {
        let parent = fixture.backend().to_owned();
        let request = ListCollectionsRequest { parent, page_size: 2, page_token };
        let page = fixture.gateway().client().list_collections(request).await.unwrap().into_inner();
        for collection in page.collections {
            collections += 1;
            let points = fixture.gateway().list_all(list(collection.name)).await;
            names_by_collection.extend(fixture::names(&points));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(collections > 1);
    assert_eq!(names_by_collection, names);
}

pub(crate) async fn a_filter_selects_the_matching_points(fixture: &impl Fixture) {
    let whole = fixture.gateway().list_all(all_collections(fixture)).await;
    let point = fixture.points().await.remove(1);
    let time = point.point_time.unwrap();
    let vm = point.source.as_ref().unwrap().vm_name.clone();
    let quoted = vm.replace('\\', "\\\\").replace('"', "\\\"");
    type Predicate<'a> = Box<dyn Fn(&RestorePoint) -> bool + 'a>;
    let cases: [(String, Predicate<'_>); 4] = [
        ("state = READY".to_owned(), Box::new(|point| point.usable)),
        ("NOT state = READY".to_owned(), Box::new(|point| !point.usable)),
        (
            format!("source.vm_name = \"{quoted}\""),
            Box::new(|point| point.source.as_ref().is_some_and(|source| source.vm_name == vm)),
        ),
        (
            format!("point_time >= \"{time}\""),
            Box::new(|point| {
                let key = |time: &prost_types::Timestamp| (time.seconds, time.nanos);
                point.point_time.as_ref().is_some_and(|other| key(other) >= key(&time))
            }),
        ),
    ];
    for (filter, matches) in cases {
        let request =
            ListRequest { filter: filter.clone(), page_size: 3, ..all_collections(fixture) };
        let filtered = fixture::names(&fixture.gateway().list_all(request).await);
        let expected: Vec<_> = whole.iter().filter(|point| matches(point)).cloned().collect();
        assert_eq!(filtered, fixture::names(&expected), "{filter}");
    }
    let request = ListRequest { filter: "colour = red".into(), ..all_collections(fixture) };
    let status = fixture.gateway().client().list(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "filter");
}

pub(crate) async fn an_order_spans_pages(fixture: &impl Fixture) {
    let key = |point: &RestorePoint| point.point_time.map(|time| (time.seconds, time.nanos));
    for (order_by, descending) in [("point_time desc", true), ("point_time", false)] {
        let request =
            ListRequest { order_by: order_by.into(), page_size: 2, ..list(fixture.collection()) };
        let mut points = fixture.gateway().list_all(request).await;
        if descending {
            points.reverse();
        }
        assert!(points.is_sorted_by_key(key), "{order_by}");
        assert_eq!(fixture::vendor_ids(&points), fixture.vendor_ids().await);
    }
}

pub(crate) async fn a_page_token_is_valid_for_its_own_list_only(fixture: &impl Fixture) {
    let mut client = fixture.gateway().client();
    let first = ListRequest { page_size: 1, ..list(fixture.collection()) };
    let page = client.list(first.clone()).await.unwrap().into_inner();
    assert!(!page.next_page_token.is_empty());
    let mut forged = page.next_page_token.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    for (page_token, request) in [
        (page.next_page_token.clone(), all_collections(fixture)),
        (page.next_page_token, ListRequest { filter: "state = READY".into(), ..first.clone() }),
        (forged, first.clone()),
        ("none".to_owned(), first),
    ] {
        let status = client.list(ListRequest { page_token, ..request }).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, "page_token");
    }
}

pub(crate) async fn a_failure_between_pages_is_never_a_shorter_list(fixture: &impl Fixture) {
    let mut client = fixture.gateway().client();
    let request = ListRequest { page_size: 1, ..list(fixture.collection()) };
    let page = client.list(request.clone()).await.unwrap().into_inner();
    // More than the attempts of a read.
    fixture.fail_reads(50);
    let next = ListRequest { page_token: page.next_page_token, ..request };
    let status = client.list(next).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.get_details_retry_info().is_some(), "{status:?}");
    let request = ListRequest { page_size: 1000, ..list(EVERYTHING.to_owned()) };
    let merged = client.list(request).await.unwrap().into_inner();
    assert_eq!(merged.unreachable, [fixture.backend()]);
    assert!(!merged.restore_points.is_empty(), "the points of the other backend");
}

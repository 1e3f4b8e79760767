//! List: whole, in order, and never cut short without a word.

use std::collections::BTreeSet;

use restore_point_gateway::proto::{ListCollectionsRequest, ListRequest, RestorePoint};
use tonic::Code;
use tonic_types::StatusExt;

use crate::stage::{self, Stage};

fn list(parent: String) -> ListRequest {
    ListRequest { parent, ..Default::default() }
}

fn everything(stage: &impl Stage) -> ListRequest {
    list(format!("{}/collections/-", stage.backend()))
}

pub(crate) async fn a_list_is_what_the_vendor_has_at_any_page_size(stage: &impl Stage) {
    let truth = stage.vendor_ids().await;
    assert!(truth.len() >= 3, "{truth:?}");
    for page_size in [0, 1, 2, 1000] {
        let request = ListRequest { page_size, ..list(stage.collection()) };
        let points = stage.gateway().list_all(request).await;
        assert_eq!(points.len(), truth.len(), "each once, at {page_size} a page");
        assert_eq!(stage::vendor_ids(&points), truth);
    }
}

pub(crate) async fn the_whole_is_the_sum_of_its_collections(stage: &impl Stage) {
    let whole = stage.gateway().list_all(everything(stage)).await;
    let names = stage::names(&whole);
    assert_eq!(names.len(), whole.len(), "each once");
    let uids: BTreeSet<_> = whole.iter().map(|point| &point.uid).collect();
    assert_eq!(uids.len(), whole.len(), "no two with one uid");

    let mut sum = BTreeSet::new();
    let mut collections = 0;
    let mut page_token = String::new();
    loop {
        let parent = stage.backend().to_owned();
        let request = ListCollectionsRequest { parent, page_size: 2, page_token };
        let page = stage.gateway().client().list_collections(request).await.unwrap().into_inner();
        for collection in page.collections {
            collections += 1;
            sum.extend(stage::names(&stage.gateway().list_all(list(collection.name)).await));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(collections > 1);
    assert_eq!(sum, names);
}

pub(crate) async fn a_filter_is_the_list_without_the_others(stage: &impl Stage) {
    let whole = stage.gateway().list_all(everything(stage)).await;
    let some = stage::points(stage).await.remove(1);
    let time = some.point_time.unwrap();
    let vm = some.source.as_ref().unwrap().vm_name.clone();
    let quoted = vm.replace('\\', "\\\\").replace('"', "\\\"");
    type Fits<'a> = Box<dyn Fn(&RestorePoint) -> bool + 'a>;
    let cases: [(String, Fits<'_>); 4] = [
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
                point.point_time.as_ref().is_some_and(|own| key(own) >= key(&time))
            }),
        ),
    ];
    for (filter, fits) in cases {
        let request = ListRequest { filter: filter.clone(), page_size: 3, ..everything(stage) };
        let filtered = stage::names(&stage.gateway().list_all(request).await);
        let expected: Vec<_> = whole.iter().filter(|point| fits(point)).cloned().collect();
        assert_eq!(filtered, stage::names(&expected), "{filter}");
    }
    let request = ListRequest { filter: "colour = red".into(), ..everything(stage) };
    let status = stage.gateway().client().list(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "filter");
}

pub(crate) async fn an_order_holds_over_pages(stage: &impl Stage) {
    let key = |point: &RestorePoint| point.point_time.map(|time| (time.seconds, time.nanos));
    for (order_by, newest_first) in [("point_time desc", true), ("point_time", false)] {
        let request =
            ListRequest { order_by: order_by.into(), page_size: 2, ..list(stage.collection()) };
        let mut points = stage.gateway().list_all(request).await;
        if newest_first {
            points.reverse();
        }
        assert!(points.is_sorted_by_key(key), "{order_by}");
        assert_eq!(stage::vendor_ids(&points), stage.vendor_ids().await);
    }
}

pub(crate) async fn a_page_token_serves_its_own_list_only(stage: &impl Stage) {
    let mut client = stage.gateway().client();
    let first = ListRequest { page_size: 1, ..list(stage.collection()) };
    let page = client.list(first.clone()).await.unwrap().into_inner();
    assert!(!page.next_page_token.is_empty());
    let mut forged = page.next_page_token.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    for (page_token, request) in [
        (page.next_page_token.clone(), everything(stage)),
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

/// More failures than a read is repeated.
pub(crate) async fn a_vendor_that_fails_midway_makes_no_shorter_list(stage: &impl Stage) {
    let mut client = stage.gateway().client();
    let request = ListRequest { page_size: 1, ..list(stage.collection()) };
    let page = client.list(request.clone()).await.unwrap().into_inner();
    stage.fail(50);
    let next = ListRequest { page_token: page.next_page_token, ..request };
    let status = client.list(next).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.get_details_retry_info().is_some(), "{status:?}");
    let parent = "backends/-/collections/-".to_owned();
    let merged = client.list(ListRequest { page_size: 1000, ..list(parent) }).await.unwrap();
    let merged = merged.into_inner();
    assert_eq!(merged.unreachable, [stage.backend()], "a merged list names what it lacks");
    assert!(!merged.restore_points.is_empty(), "and has the others");
}

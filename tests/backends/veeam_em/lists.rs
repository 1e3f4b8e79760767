//! Lists: whole, whichever way they are read and whatever happens between two pages.

use http::Method;
use restore_point_gateway::backend::{Backend, Cursor};
use restore_point_gateway::model::{CollectionName, Error, Segment, View};
use restore_point_sandbox::fault::{Matching, Portion};
use restore_point_sandbox::veeam_em::{
    ByteOrderMark, CloudQuery, Fault, ListItem, NameStyle, VmName,
};

use super::{LIST, POINT, REPLICA, adapter, error_body, logons, server, uids, walk, within};

#[tokio::test]
async fn a_list_of_many_pages_is_whole_and_newest_first() {
    let server = server(|settings| {
        settings.points = 300;
        settings.byte_order_mark = ByteOrderMark::Present;
        settings.name_style = NameStyle::Microseconds;
    });
    let veeam = adapter(&server);
    let all = walk(&veeam, &Segment::Any, 120).await.unwrap();
    assert_eq!((all.len(), uids(&all).len()), (306 + 78 + 78, 306 + 78 + 78));
    for (prefix, count) in [("cloud-replica~", 306), ("replica~", 78), ("backup~", 78)] {
        let kind = within(&all, prefix);
        assert_eq!(kind.len(), count);
        assert!(kind.is_sorted_by(|a, b| a.point_time >= b.point_time));
    }
    // Three pages of the first kind with a look back at each turn, one of each other, and one look at
    // the eighteen runs.
    assert_eq!(server.count(&Method::GET, LIST), 3 + 2 + 1 + 1 + 1);
    assert_eq!(uids(&walk(&veeam, &Segment::Any, 7).await.unwrap()), uids(&all));
    assert_eq!(uids(&walk(&veeam, &Segment::Any, 100_000).await.unwrap()), uids(&all));
    assert_eq!(logons(&server), 1);
}

#[tokio::test]
async fn a_server_that_refuses_the_query_is_listed_by_references() {
    let (queried, refusing) = (
        server(|settings| settings.points = 60),
        server(|settings| {
            settings.points = 60;
            settings.cloud_query = CloudQuery::Refused;
            settings.list_item = ListItem::CloudVmReplicaPoint;
            settings.vm_name = VmName::Present;
        }),
    );
    let one_way = walk(&adapter(&queried), &Segment::Any, 25).await.unwrap();
    let veeam = adapter(&refusing);
    let other_way = walk(&veeam, &Segment::Any, 25).await.unwrap();
    assert_eq!(uids(&one_way), uids(&other_way));
    // One that is refused, which the cursor remembers, and three for the other kinds.
    assert_eq!(refusing.count(&Method::GET, LIST), 1 + 3);

    let collection = Segment::Id(format!("cloud-replica~{REPLICA}"));
    let queried = walk(&adapter(&queried), &collection, 1).await.unwrap();
    let referred = walk(&veeam, &collection, 1).await.unwrap();
    assert!(!queried.is_empty());
    assert_eq!(uids(&queried), uids(&referred));

    // A point that goes between the references and its turn is left out.
    refusing.inject(Matching::new(Method::GET, &format!("{POINT}?")), 1, error_body(404, "gone"));
    let left = walk(&veeam, &Segment::Any, 1000).await.unwrap();
    assert_eq!(left.len(), other_way.len() - 1);
}

#[tokio::test]
async fn new_points_between_pages_are_neither_repeated_nor_push_others_out() {
    let server = server(|settings| settings.points = 50);
    let veeam = adapter(&server);
    let before = walk(&veeam, &Segment::Any, 1000).await.unwrap();
    let (mut told, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&Segment::Any, View::Basic, cursor.as_ref(), 10).await.unwrap();
        told.extend(page.items);
        // Three of one age, and more than the clock tells apart.
        for _ in 0..3 {
            server.add_point(REPLICA, "srv39").unwrap();
        }
        match page.next {
            Some(next) if told.len() < 500 => cursor = Some(next),
            Some(_) => panic!("a walk without an end"),
            None => break,
        }
    }
    assert_eq!(told.len(), uids(&told).len());
    assert!(uids(&told).is_superset(&uids(&before)));
}

#[tokio::test]
async fn points_deleted_between_pages_take_no_others_with_them() {
    let server = server(|settings| settings.points = 34);
    let veeam = adapter(&server);
    let before = walk(&veeam, &Segment::Any, 1000).await.unwrap();
    let (mut told, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&Segment::Any, View::Basic, cursor.as_ref(), 10).await.unwrap();
        // The whole page and more, the point that a walk would look for to find its place among them.
        for point in page.items.iter().chain(told.last()) {
            server.remove_point(&point.name.restore_point);
        }
        told.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(told.len(), uids(&told).len());
    assert_eq!(uids(&told), uids(&before));
}

#[tokio::test]
async fn answers_that_make_no_sense() {
    let server = server(|settings| settings.points = 20);
    let veeam = adapter(&server);
    let list = || veeam.list(&Segment::Any, View::Basic, None, 5);
    let page = |info: &str| {
        format!("<QueryResult><Entities><CloudVmReplicaPoints/></Entities>{info}</QueryResult>")
    };
    for body in [
        "",
        "<!DOCTYPE html><html><body>Sign in</body></html>",
        "<EntityReferences/>",
        "{\"Refs\":null}",
        "<QueryResult><Entities><CloudVmReplicaPoints>",
        &page("<PagingInfo PageNum=\"2\" PageSize=\"5\" PagesCount=\"9\"/>"),
        &page("<PagingInfo PageNum=\"1\" PageSize=\"5\"/>"),
        &page("<Refs><Ref/></Refs>"),
    ] {
        server.inject(Matching::new(Method::GET, LIST), 1, Fault::status(200, body));
        let error = list().await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{body}: {error:?}");
    }
    // What passes is tried again; what does not pass is told.
    server.inject(Matching::new(Method::GET, LIST), 1, Fault::truncate(Portion::HALF));
    assert_eq!(list().await.unwrap().items.len(), 5);
    server.inject(Matching::new(Method::GET, LIST), 1, Fault::hang_up());
    assert_eq!(list().await.unwrap().items.len(), 5);
    server.inject(Matching::new(Method::GET, LIST), 3, Fault::truncate(Portion::HALF));
    let error = list().await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error:?}");
}

#[tokio::test]
async fn a_cursor_of_another_make_is_refused() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    let collections = ["cloud-replica~", "replica~", "backup~"];
    let collections = collections.map(|prefix| Segment::Id(format!("{prefix}{REPLICA}")));
    for collection in [Segment::Any].iter().chain(&collections) {
        for bytes in [&b""[..], b"\x08\x07", b"\x08\x01", b"\x08\x01\x1a\x01x", b"nonsense"] {
            let cursor = Cursor(bytes.to_vec());
            let error = veeam.list(collection, View::Basic, Some(&cursor), 5).await.unwrap_err();
            assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
            let error = veeam.list_collections(Some(&cursor), 5).await.unwrap_err();
            assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
        }
    }
    let collection = CollectionName::parse("backends/em/collections/x", "name").unwrap();
    assert!(veeam.get_collection(&collection.collection).await.is_err());
    assert_eq!(logons(&server), 0, "what is refused is refused before the vendor is asked");
}

//! Lists are complete, by the query service and by references, whatever changes between two pages.

use http::Method;
use restore_point_gateway::backend::{Backend, Cursor};
use restore_point_gateway::model::{CollectionName, Error, Segment, View};
use restore_point_sandbox::fault::{Matching, Portion};
use restore_point_sandbox::veeam_em::{
    ByteOrderMark, CloudQuery, Fault, ListItem, NameStyle, VmName,
};

use super::fixture::{
    POINT, QUERY, REPLICA, backend, error_response, in_collections, list_all, logon_count, server,
    uids,
};

#[tokio::test]
async fn a_list_of_many_pages_is_complete_and_newest_first() {
    let server = server(|settings| {
        settings.points = 300;
        settings.byte_order_mark = ByteOrderMark::Present;
        settings.name_style = NameStyle::Microseconds;
    });
    let veeam = backend(&server);
    let all = list_all(&veeam, &Segment::Any, 120).await.unwrap();
    assert_eq!((all.len(), uids(&all).len()), (306 + 78 + 78, 306 + 78 + 78));
    for (prefix, count) in [("cloud-replica~", 306), ("replica~", 78), ("backup~", 78)] {
        let kind = in_collections(&all, prefix);
        assert_eq!(kind.len(), count);
        assert!(kind.is_sorted_by(|a, b| a.point_time >= b.point_time));
    }
    // Three pages of the first kind, of which the second and third take a contiguity check, one of each other kind, and
    // one query for the eighteen job runs.
    assert_eq!(server.count(&Method::GET, QUERY), 3 + 2 + 1 + 1 + 1);
    assert_eq!(uids(&list_all(&veeam, &Segment::Any, 7).await.unwrap()), uids(&all));
    assert_eq!(uids(&list_all(&veeam, &Segment::Any, 100_000).await.unwrap()), uids(&all));
    assert_eq!(logon_count(&server), 1);
}

#[tokio::test]
async fn a_type_that_cannot_be_queried_is_listed_by_references() {
    let (queried, refusing) = (
        server(|settings| settings.points = 60),
        server(|settings| {
            settings.points = 60;
            settings.cloud_query = CloudQuery::Refused;
            settings.list_item = ListItem::CloudVmReplicaPoint;
            settings.vm_name = VmName::Present;
        }),
    );
    let by_query = list_all(&backend(&queried), &Segment::Any, 25).await.unwrap();
    let veeam = backend(&refusing);
    let by_references = list_all(&veeam, &Segment::Any, 25).await.unwrap();
    assert_eq!(uids(&by_query), uids(&by_references));
    // One query is refused, and the cursor records that; three are for the other kinds.
    assert_eq!(refusing.count(&Method::GET, QUERY), 1 + 3);

    let collection = Segment::Id(format!("cloud-replica~{REPLICA}"));
    let queried = list_all(&backend(&queried), &collection, 1).await.unwrap();
    let referred = list_all(&veeam, &collection, 1).await.unwrap();
    assert!(!queried.is_empty());
    assert_eq!(uids(&queried), uids(&referred));

    // A restore point that is deleted after the references were read is left out.
    refusing.inject(
        Matching::new(Method::GET, &format!("{POINT}?")),
        1,
        error_response(404, "gone"),
    );
    let left = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    assert_eq!(left.len(), by_references.len() - 1);
}

#[tokio::test]
async fn restore_points_created_between_pages_displace_no_others_and_repeat_none() {
    let server = server(|settings| settings.points = 50);
    let veeam = backend(&server);
    let before = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&Segment::Any, View::Basic, cursor.as_ref(), 10).await.unwrap();
        listed.extend(page.items);
        // Three with the same creation time.
        for _ in 0..3 {
            server.add_point(REPLICA, "srv39").unwrap();
        }
        match page.next {
            Some(next) if listed.len() < 500 => cursor = Some(next),
            Some(_) => panic!("the list does not end"),
            None => break,
        }
    }
    assert_eq!(listed.len(), uids(&listed).len());
    assert!(uids(&listed).is_superset(&uids(&before)));
}

#[tokio::test]
async fn restore_points_deleted_between_pages_displace_no_others() {
    let server = server(|settings| settings.points = 34);
    let veeam = backend(&server);
    let before = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&Segment::Any, View::Basic, cursor.as_ref(), 10).await.unwrap();
        // The whole page, and the last restore point of the page before, which marks the position in the list.
        for point in page.items.iter().chain(listed.last()) {
            server.remove_point(&point.name.restore_point);
        }
        listed.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(listed.len(), uids(&listed).len());
    assert_eq!(uids(&listed), uids(&before));
}

#[tokio::test]
async fn an_invalid_page_is_an_error() {
    let server = server(|settings| settings.points = 20);
    let veeam = backend(&server);
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
        server.inject(Matching::new(Method::GET, QUERY), 1, Fault::status(200, body));
        let error = list().await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{body}: {error:?}");
    }
    // An interrupted response is retried, and an error after three attempts.
    server.inject(Matching::new(Method::GET, QUERY), 1, Fault::truncate(Portion::HALF));
    assert_eq!(list().await.unwrap().items.len(), 5);
    server.inject(Matching::new(Method::GET, QUERY), 1, Fault::hang_up());
    assert_eq!(list().await.unwrap().items.len(), 5);
    server.inject(Matching::new(Method::GET, QUERY), 3, Fault::truncate(Portion::HALF));
    let error = list().await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error:?}");
}

#[tokio::test]
async fn a_cursor_of_another_release_is_refused() {
    let server = server(|_| {});
    let veeam = backend(&server);
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
    assert_eq!(
        logon_count(&server),
        0,
        "an invalid request is refused before the vendor is called"
    );
}

//! The Veeam adapter against the simulated Enterprise Manager, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use futures::future::join_all;
use http::Method;
use restore_point_gateway::backend::veeam::{Settings, Tenant, Veeam};
use restore_point_gateway::backend::{Backend, Cursor, Wanted};
use restore_point_gateway::http::Trust;
use restore_point_gateway::model::{
    BackendId, CollectionName, Error, PointRef, RestorePoint, Segment, State, Vendor, View,
};
use restore_point_gateway::sandbox::Clock;
use restore_point_gateway::sandbox::veeam::{
    self as simulated, ByteOrderMark, CloudQuery, EnterpriseManager, ListItem, NameStyle, Reply,
    VmName,
};

/// A point of the vendor's pages, and its replica.
const POINT: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";
const REPLICA: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
const LIST: &str = "/query";

fn server(change: impl FnOnce(&mut simulated::Settings)) -> EnterpriseManager {
    let start = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut settings = simulated::Settings::new(Clock::by_hand(start));
    change(&mut settings);
    EnterpriseManager::start(settings).unwrap()
}

fn settings(server: &EnterpriseManager) -> Settings {
    let hex = server.certificate_sha256();
    let mut sha256 = [0; 32];
    for (byte, digits) in sha256.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    }
    Settings {
        id: BackendId::new("em").unwrap(),
        url: server.url().parse().unwrap(),
        username: server.username().to_owned(),
        password: server.password().to_owned().into(),
        tenant: None,
        trust: Trust::Pinned(sha256),
    }
}

fn adapter(server: &EnterpriseManager) -> Veeam {
    Veeam::new(settings(server)).unwrap()
}

fn name(collection: &str, point: &str) -> PointRef {
    let name = format!("backends/em/collections/{collection}/restorePoints/{point}");
    PointRef::parse(&name, "name").unwrap()
}

async fn walk(
    veeam: &Veeam,
    collection: &Segment,
    size: usize,
) -> Result<Vec<RestorePoint>, Error> {
    let mut all = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = veeam.list(collection, View::Basic, cursor.as_ref(), size).await?;
        assert!(page.items.len() <= size);
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

fn uids(points: &[RestorePoint]) -> BTreeSet<&str> {
    points.iter().map(|point| point.uid.as_str()).collect()
}

fn logons(server: &EnterpriseManager) -> usize {
    server.count(&Method::POST, "/sessionMngr")
}

fn error_body(status: u16, message: &str) -> Reply {
    Reply::status(status, &format!("<Error Message=\"{message}\" StatusCode=\"{status}\"/>"))
}

#[tokio::test]
async fn a_list_of_many_pages_is_whole_and_newest_first() {
    let server = server(|settings| {
        settings.points = 300;
        settings.byte_order_mark = ByteOrderMark::Present;
        settings.name_style = NameStyle::Microseconds;
    });
    let veeam = adapter(&server);
    let all = walk(&veeam, &Segment::Any, 120).await.unwrap();
    assert_eq!((all.len(), uids(&all).len()), (306, 306));
    assert!(all.is_sorted_by(|a, b| a.point_time >= b.point_time));
    assert_eq!(server.count(&Method::GET, LIST), 3 + 2, "and a look back at each turn of the page");
    assert_eq!(uids(&walk(&veeam, &Segment::Any, 7).await.unwrap()), uids(&all));
    assert_eq!(uids(&walk(&veeam, &Segment::Any, 100_000).await.unwrap()).len(), 306);
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
    assert_eq!(refusing.count(&Method::GET, LIST), 1, "the cursor remembers");

    let collection = Segment::Id(format!("cloud-replica~{REPLICA}"));
    let queried = walk(&adapter(&queried), &collection, 1).await.unwrap();
    let referred = walk(&veeam, &collection, 1).await.unwrap();
    assert!(!queried.is_empty());
    assert_eq!(uids(&queried), uids(&referred));

    // A point that goes between the references and its turn is left out.
    refusing.answer_next(1, Method::GET, &format!("{POINT}?"), error_body(404, "gone"));
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
async fn one_point() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    let found = veeam.get(&name("-", POINT), View::Full).await.unwrap();
    let full = format!("backends/em/collections/cloud-replica~{REPLICA}/restorePoints/{POINT}");
    assert_eq!(found.name.to_string(), full);
    assert_eq!(found.uid, format!("urn:veeam:CloudVmReplicaPoint:{POINT}"));
    assert_eq!(found.vendor_id, found.uid);
    assert_eq!(found.display_name, "srv39@2015-12-25 20:00:47");
    assert_eq!(found.source.vm_name, "srv39");
    assert_eq!(found.point_time.unwrap().to_string(), "2015-12-25T20:00:47Z");
    assert_eq!((found.state, found.state_reason.as_str()), (State::Ready, ""));
    assert_eq!(found.raw, None);

    let upper = veeam.get(&name("-", &POINT.to_uppercase()), View::Full).await.unwrap();
    assert_eq!(upper, found);
    assert_eq!(veeam.observe(&PointRef::from(&found.name), None).await.unwrap(), found);
    let raw = veeam.get(&name("-", POINT), View::Raw).await.unwrap().raw.unwrap();
    assert!(raw.body.starts_with("<CloudVmReplicaPoint "), "{}", raw.body);
    assert!(raw.body.ends_with("</CloudVmReplicaPoint>"), "{}", raw.body);

    for (collection, point) in [
        ("cloud-replica~8393c284-c953-403f-a9b9-cff63e0c6815", POINT),
        ("-", "00000000-0000-4000-8000-000000000000"),
    ] {
        let error = veeam.get(&name(collection, point), View::Full).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
    for (collection, point) in [
        ("-", "srv39"),
        ("-", "930814416e3c4584b47a08dc1ce24f84"),
        (REPLICA, POINT),
        ("backup~93081441-6e3c-4584-b47a-08dc1ce24f84", POINT),
    ] {
        let error = veeam.get(&name(collection, point), View::Full).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn every_state_and_an_unknown_one() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    for (raw, state) in [
        ("Ready", State::Ready),
        ("Failover", State::InUse),
        ("Failback", State::InUse),
        ("PermanentFailover", State::Retired),
        ("Unknown", State::Unknown),
        ("Quiescing", State::Unknown),
        ("ready", State::Unknown),
    ] {
        assert!(server.set_state(POINT, raw));
        let found = veeam.get(&name("-", POINT), View::Full).await.unwrap();
        assert_eq!(found.state, state);
        assert_eq!(found.state_reason.is_empty(), state == State::Ready);
        assert_eq!(found.state_reason.contains(&format!("`{raw}`")), state == State::Unknown);
        let Vendor::Veeam(vendor) = found.vendor else { panic!("of another vendor") };
        assert_eq!(vendor.raw_state, raw);
        assert_eq!(vendor.backup_server, "172.17.53.48");
    }
}

#[tokio::test]
async fn collections() {
    for cloud_query in [CloudQuery::Answered, CloudQuery::Refused] {
        let server = server(|settings| {
            settings.points = 200;
            settings.cloud_query = cloud_query;
        });
        let veeam = adapter(&server);
        let points = walk(&veeam, &Segment::Any, 1000).await.unwrap();
        let expected: BTreeSet<_> = points.into_iter().map(|point| point.name.collection).collect();
        if cloud_query == CloudQuery::Refused {
            server.answer_next(1, Method::GET, "type=CloudReplica", error_body(501, "no"));
        }
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = veeam.list_collections(cursor.as_ref(), 1).await.unwrap();
            all.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        let found: BTreeSet<_> = all.iter().map(|collection| collection.name.clone()).collect();
        assert_eq!(all.len(), found.len());
        assert!(found.is_superset(&expected));

        let one = veeam.get_collection(&format!("cloud-replica~{REPLICA}")).await.unwrap();
        assert!(all.contains(&one), "{one:?}");
        assert!(!one.platform.is_empty());
        let absent = "cloud-replica~00000000-0000-4000-8000-000000000000";
        for error in [
            veeam.get_collection(absent).await.unwrap_err(),
            walk(&veeam, &Segment::Id(absent.to_owned()), 9).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        }
        let error = walk(&veeam, &Segment::Id("rg~x".to_owned()), 9).await.unwrap_err();
        assert!(
            matches!(&error, Error::InvalidArgument { field, .. } if field == "parent"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn fifty_callers_are_one_logon_and_one_renewal() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    let get = || async { veeam.get(&name("-", POINT), View::Full).await.unwrap() };
    join_all((0..50).map(|_| get())).await;
    assert_eq!(logons(&server), 1);

    server.expire_sessions();
    join_all((0..50).map(|_| get())).await;
    assert_eq!(logons(&server), 2);
    assert_eq!(server.sessions(), 1);

    veeam.close().await;
    assert_eq!(server.sessions(), 0);
    assert_eq!(server.count(&Method::DELETE, "/logonSessions/"), 1);
    veeam.close().await;
    get().await;
    assert_eq!(logons(&server), 3);
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_of_a_list() {
    for cloud_query in [CloudQuery::Answered, CloudQuery::Refused] {
        let server = server(|settings| {
            settings.points = 40;
            settings.cloud_query = cloud_query;
        });
        let veeam = adapter(&server);
        let first = veeam.list(&Segment::Any, View::Basic, None, 20).await.unwrap();
        server.expire_sessions();
        let rest = veeam.list(&Segment::Any, View::Basic, first.next.as_ref(), 20).await.unwrap();
        assert_eq!((first.items.len(), rest.items.len()), (20, 20));
        assert_eq!(logons(&server), 2);
    }
}

#[tokio::test]
async fn a_refused_credential_is_one_attempt_a_wave() {
    let server = server(|_| {});
    let mut wrong = settings(&server);
    wrong.password = "Hunter2".to_owned().into();
    let veeam = Veeam::new(wrong).unwrap();
    let probes = join_all((0..50).map(|_| veeam.probe())).await;
    for probe in probes {
        let error = probe.unwrap_err();
        assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("SENSITIVE"));
    }
    assert_eq!(logons(&server), 1);
    assert!(!format!("{veeam:?}").contains("Hunter2"));
    // Nor is it tried again soon: 1 minute later, then 2, so that no account is locked.
    for (minutes, expected) in [(0, 1), (1, 2), (1, 2), (1, 3)] {
        let later = std::time::Duration::from_secs(minutes * 60 + 1);
        tokio::time::pause();
        tokio::time::advance(later).await;
        tokio::time::resume();
        let error = veeam.probe().await.unwrap_err();
        assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
        assert_eq!(logons(&server), expected);
    }

    // A session that is refused although it is new is not renewed for ever.
    let veeam = adapter(&server);
    veeam.probe().await.unwrap();
    let before = logons(&server);
    server.answer_next(2, Method::GET, "/logonSessions", Reply::status(401, "<html>"));
    let error = veeam.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert_eq!(logons(&server), before + 1);
    assert!(!format!("{veeam:?}").contains(server.password()));
}

#[tokio::test]
async fn a_tenant_logs_on_with_a_body() {
    let server = server(|_| {});
    let mut settings = settings(&server);
    let [tenant, _] = server.tenants();
    let (username, password) = (tenant.username.to_owned(), tenant.password.to_owned().into());
    settings.tenant = Some(Tenant { username, password });
    Veeam::new(settings).unwrap().probe().await.unwrap();
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
        server.answer_next(1, Method::GET, LIST, Reply::status(200, body));
        let error = list().await.unwrap_err();
        assert!(matches!(error, Error::ResponseInvalid { .. }), "{body}: {error:?}");
    }
    // What passes is tried again; what does not pass is told.
    server.answer_next(1, Method::GET, LIST, Reply::CutShort);
    assert_eq!(list().await.unwrap().items.len(), 5);
    server.answer_next(1, Method::GET, LIST, Reply::HangUp);
    assert_eq!(list().await.unwrap().items.len(), 5);
    server.answer_next(3, Method::GET, LIST, Reply::CutShort);
    let error = list().await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error:?}");
}

#[tokio::test]
async fn refusals_keep_their_meaning() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    let get = || async { veeam.get(&name("-", POINT), View::Full).await.unwrap_err() };
    let answer = |times, reply| server.answer_next(times, Method::GET, POINT, reply);

    answer(1, error_body(500, "It broke.&#10;   at Veeam.Secret()"));
    match get().await {
        Error::ResponseInvalid { problem, .. } => assert_eq!(problem, "HTTP 500, It broke."),
        other => panic!("{other:?}"),
    }
    answer(1, error_body(400, "?"));
    assert!(matches!(get().await, Error::ResponseInvalid { .. }));
    answer(1, Reply::status(403, "<html>no</html>"));
    assert!(matches!(get().await, Error::Forbidden { .. }));
    answer(1, error_body(404, "?"));
    assert!(matches!(get().await, Error::NotFound { .. }));
    answer(1, error_body(302, "?"));
    assert!(matches!(get().await, Error::ResponseInvalid { .. }));
    answer(1, Reply::status(204, ""));
    assert!(matches!(get().await, Error::ResponseInvalid { .. }));
    answer(3, error_body(503, "busy"));
    match get().await {
        Error::Unavailable { retry_after, .. } => assert_eq!(retry_after.as_secs(), 5),
        other => panic!("{other:?}"),
    }
    let headers = vec![("Retry-After".to_owned(), "90".to_owned())];
    answer(1, Reply::Verbatim { status: 429, headers, body: Vec::new() });
    match get().await {
        Error::Throttled { retry_after, .. } => assert_eq!(retry_after.as_secs(), 90),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_the_vendor_cannot_do() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    for (wanted, expected) in [(Wanted::Copy, "copy"), (Wanted::Collection, "create_collection")] {
        match veeam.writer(wanted) {
            Err(Error::Unsupported { capability, .. }) => assert_eq!(capability, expected),
            Err(error) => panic!("{error:?}"),
            Ok(_) => panic!("it claims to write"),
        }
    }
    let capabilities = veeam.capabilities();
    assert!(!capabilities.copy && !capabilities.create_collection);
    assert!(capabilities.get_without_collection);
}

#[tokio::test]
async fn a_cursor_of_another_make_is_refused() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    for bytes in [&b""[..], b"\x08\x07", b"nonsense"] {
        let cursor = Cursor(bytes.to_vec());
        let error = veeam.list(&Segment::Any, View::Basic, Some(&cursor), 5).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
    let collection = CollectionName::parse("backends/em/collections/x", "name").unwrap();
    assert!(veeam.get_collection(&collection.collection).await.is_err());
    assert_eq!(logons(&server), 0, "what is refused is refused before the vendor is asked");
}

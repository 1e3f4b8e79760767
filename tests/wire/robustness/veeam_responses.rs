//! Invalid XML in the response to every read of the Veeam backend.

use restore_point_gateway::proto::{
    GetCollectionRequest, GetRequest, ListCollectionsRequest, ListRequest,
};
use tonic::Code;

use restore_point_test_support::failure::failure;
use restore_point_test_support::names::{SRV39_COLLECTION, SRV39_ID, SRV39_IN_ANY_COLLECTION};
use restore_point_test_support::scripted_backend::ScriptedBackend;
use restore_point_test_support::scripted_vendor::{Reply, head};

const ALL_POINTS: &str = "backends/veeam/collections/-";
const REPLICA_ID: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
const LAST_PAGE: &str = r#"<PagingInfo PageNum="1" PageSize="100" PagesCount="1"/>"#;

fn list(parent: &str) -> ListRequest {
    ListRequest { parent: parent.to_owned(), ..Default::default() }
}

fn get() -> GetRequest {
    GetRequest { name: SRV39_IN_ANY_COLLECTION.to_owned(), view: 0 }
}

/// The XML of a point with these elements.
fn entity(elements: &str) -> String {
    format!(
        r#"<CloudVmReplicaPoint Type="CloudVmReplicaPoint" Name="srv39" UID="urn:veeam:CloudVmReplicaPoint:{SRV39_ID}"><Links><Link Type="CloudReplicaReference" Href="https://em/api/cloud/replicas/{REPLICA_ID}" Name="x"/></Links><CreationTimeUTC>2015-12-25T20:00:47Z</CreationTimeUTC>{elements}</CloudVmReplicaPoint>"#
    )
}

/// The XML of a page with these points and this paging element.
fn page(points: &str, paging: &str) -> String {
    format!(
        "<QueryResult><Entities><CloudVmReplicaPoints>{points}</CloudVmReplicaPoints></Entities>\
         {paging}</QueryResult>"
    )
}

/// Panics unless every read fails with BACKEND_RESPONSE_INVALID if the vendor replies to every request except the logon
/// with `reply`.
pub(crate) async fn assert_every_read_fails(case: &str, reply: Reply) {
    let backend = ScriptedBackend::veeam(move |_| reply.clone()).await;
    for parent in [ALL_POINTS, SRV39_COLLECTION] {
        for (view, order_by) in [(1, ""), (3, ""), (1, "name")] {
            let request = ListRequest { view, order_by: order_by.to_owned(), ..list(parent) };
            failure(case, backend.client().list(request)).await.assert_invalid_response();
        }
    }
    failure(case, backend.client().get(get())).await.assert_invalid_response();
    let request = GetCollectionRequest { name: SRV39_COLLECTION.to_owned() };
    failure(case, backend.client().get_collection(request)).await.assert_invalid_response();
    let request =
        ListCollectionsRequest { parent: "backends/veeam".to_owned(), ..Default::default() };
    failure(case, backend.client().list_collections(request)).await.assert_invalid_response();
}

#[tokio::test]
async fn an_invalid_document_is_an_invalid_response() {
    let utf16 = |text: &str| {
        let units = [0xFEFF].into_iter().chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let laughs =
        format!("<!DOCTYPE lolz [<!ENTITY l0 \"lol\">{laughs}]>{}", entity("<State>&l9;</State>"));
    let external = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>".to_owned();
    let attributes: String = (0..1_000_000).map(|n| format!("a{n}=\"\" ")).collect();
    for (case, body) in [
        ("an empty body", Vec::new()),
        ("HTML", b"<!DOCTYPE html><html><body>sign in SENSITIVE</body></html>".to_vec()),
        ("JSON", br#"{"Entities":[]}"#.to_vec()),
        ("a billion laughs", laughs.into_bytes()),
        ("an external entity", (external + &entity("<State>&e;</State>")).into_bytes()),
        ("deep elements", b"<QueryResult>".repeat(100_000)),
        ("a million attributes", format!("<QueryResult {attributes}/>").into_bytes()),
        ("a large attribute", format!("<QueryResult x=\"{}\"/>", "x".repeat(1 << 22)).into_bytes()),
        ("a large name", format!("<{}/>", "x".repeat(1 << 22)).into_bytes()),
        ("a large text", format!("<QueryResult>{}", "x".repeat(1 << 22)).into_bytes()),
        ("a million angle brackets", b"<".repeat(1 << 20)),
        ("UTF-16", utf16("<QueryResult/>")),
        ("invalid UTF-8", b"<QueryResult>\xff</QueryResult>".to_vec()),
        ("a NUL", b"<QueryResult>\0</QueryResult>".to_vec()),
        ("only NULs", vec![0; 1 << 20]),
        (
            "another encoding",
            b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><QueryResult/>".to_vec(),
        ),
        ("two documents", b"<QueryResult/><QueryResult/>".to_vec()),
    ] {
        assert_every_read_fails(case, Reply::xml(body)).await;
    }
}

#[tokio::test]
async fn an_invalid_entity_is_an_invalid_response() {
    for (case, elements) in [
        ("a state twice", "<State>Failover</State><State>Ready</State>".to_owned()),
        ("a date twice", "<CreationTimeUTC>2016-12-25T20:00:47Z</CreationTimeUTC>".to_owned()),
        (
            "another replica",
            format!(r#"<Links><Link Type="CloudReplica" Href="/replicas/{SRV39_ID}"/></Links>"#),
        ),
        ("an undefined entity reference", "<State>&ready;</State>".to_owned()),
        ("a character out of range", "<State>&#x110000;</State>".to_owned()),
        ("the character NUL", "<State>&#0;</State>".to_owned()),
        ("a text in many parts", format!("<State>{}</State>", "x<![CDATA[]]>".repeat(100_000))),
        ("a million children", "<a/>".repeat(1_000_000)),
        ("an attribute twice", "<Links><Link Type=\"a\" Type=\"b\"/></Links>".to_owned()),
    ] {
        let entity = entity(&elements);
        let page = page(&entity, LAST_PAGE);
        let backend = ScriptedBackend::veeam(move |line| {
            Reply::xml(if line.contains("/query") { page.clone() } else { entity.clone() })
        })
        .await;
        failure(case, backend.client().get(get())).await.assert_invalid_response();
        failure(case, backend.client().list(list(ALL_POINTS))).await.assert_invalid_response();
    }
}

#[tokio::test]
async fn a_contradictory_page_is_an_invalid_response() {
    let paging = |page: &str, size: &str, pages: &str| {
        format!(r#"<PagingInfo PageNum="{page}" PageSize="{size}" PagesCount="{pages}"/>"#)
    };
    for (case, body) in [
        ("a number out of range", page("", &paging("1", "100", "99999999999999999999"))),
        ("a negative number", page("", &paging("-1", "100", "1"))),
        ("not a number", page("", &paging("NaN", "100", "1"))),
        ("another page number", page(&entity(""), &paging("7", "100", "9"))),
        ("points without paging", page(&entity(""), "")),
        ("more points than requested", page(&entity("").repeat(101), LAST_PAGE)),
        ("paging twice", page("", &LAST_PAGE.repeat(2))),
        (
            "entities of another type",
            page("", "").replace("CloudVmReplicaPoints", "Jobs").replace("<Jobs>", "<Jobs><Job/>"),
        ),
    ] {
        let backend = ScriptedBackend::veeam(move |_| Reply::xml(body.clone())).await;
        failure(case, backend.client().list(list(ALL_POINTS))).await.assert_invalid_response();
    }
}

#[tokio::test]
async fn an_invalid_logon_response_is_an_invalid_response() {
    let session = ["X-RestSvcSessionId: SENSITIVE"];
    for (case, reply) in [
        ("no header", Reply::new(201, &[], "<LogonSession/>")),
        ("no session", Reply::new(201, &session, "<LogonSession/>")),
        (
            "no GUID",
            Reply::new(201, &session, "<LogonSession><SessionId>..</SessionId></LogonSession>"),
        ),
        ("HTML", Reply::new(200, &session, "<!DOCTYPE html><html/>")),
        ("an endless body", Reply::Endless(head(201, &session), b"<!-- x -->".to_vec())),
    ] {
        let backend = ScriptedBackend::veeam_with_logon(move |_| reply.clone()).await;
        failure(case, backend.client().get(get())).await.assert_invalid_response();
    }
}

#[tokio::test]
async fn the_body_of_an_error_response_is_read_up_to_a_limit() {
    let long = format!("<Error Message=\"{}\"/>", "x".repeat(50_000));
    let endless = Reply::Endless(head(403, &[]), b"<Error Message=\"".to_vec());
    for (case, reply) in [("a long text", Reply::new(403, &[], long)), ("an endless text", endless)]
    {
        let backend = ScriptedBackend::veeam(move |_| reply.clone()).await;
        let failure = failure(case, backend.client().get(get())).await;
        failure.assert_status(Code::PermissionDenied, "BACKEND_FORBIDDEN");
    }
}

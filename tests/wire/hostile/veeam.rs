//! XML that makes no sense, at every read of the Veeam adapter.

use restore_point_gateway::proto::{
    GetCollectionRequest, GetRequest, ListCollectionsRequest, ListRequest,
};
use tonic::Code;

use restore_point_test_support::hostile_gateway::{
    Gateway, assert_invalid_response, assert_is, failure,
};
use restore_point_test_support::hostile_vendor::Answer;

const REPLICA: &str = "6b2b42d5-3850-421c-93c1-e063f12a2ead";
const GUID: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

fn entity(inside: &str) -> String {
    format!(
        r#"<CloudVmReplicaPoint Type="CloudVmReplicaPoint" Name="srv39" UID="urn:veeam:CloudVmReplicaPoint:{GUID}"><Links><Link Type="CloudReplicaReference" Href="https://em/api/cloud/replicas/{REPLICA}" Name="x"/></Links><CreationTimeUTC>2015-12-25T20:00:47Z</CreationTimeUTC>{inside}</CloudVmReplicaPoint>"#
    )
}

fn page(items: &str, paging: &str) -> String {
    format!(
        "<QueryResult><Entities><CloudVmReplicaPoints>{items}</CloudVmReplicaPoints></Entities>\
         {paging}</QueryResult>"
    )
}

const ONE_PAGE: &str = r#"<PagingInfo PageNum="1" PageSize="100" PagesCount="1"/>"#;

fn point_request() -> GetRequest {
    GetRequest { name: format!("backends/veeam/collections/-/restorePoints/{GUID}"), view: 0 }
}

/// Asks a vendor that answers everything but the logon with `answer` in every way there is to ask; all
/// must fail alike.
pub(crate) async fn assert_all_senseless(what: &str, answer: Answer) {
    let gateway = Gateway::veeam(move |_| answer.clone()).await;
    let one = format!("backends/veeam/collections/cloud-replica~{REPLICA}");
    for parent in ["backends/veeam/collections/-", &one] {
        for (view, order_by) in [(1, ""), (3, ""), (1, "name")] {
            let (parent, order_by) = (parent.to_owned(), order_by.to_owned());
            let request = ListRequest { parent, view, order_by, ..Default::default() };
            assert_invalid_response(
                what,
                &failure(what, gateway.client.clone().list(request)).await,
            );
        }
    }
    assert_invalid_response(
        what,
        &failure(what, gateway.client.clone().get(point_request())).await,
    );
    let request = GetCollectionRequest { name: one };
    assert_invalid_response(
        what,
        &failure(what, gateway.client.clone().get_collection(request)).await,
    );
    let request =
        ListCollectionsRequest { parent: "backends/veeam".to_owned(), ..Default::default() };
    assert_invalid_response(
        what,
        &failure(what, gateway.client.clone().list_collections(request)).await,
    );
}

#[tokio::test]
async fn documents_that_are_no_answer() {
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
    for (what, body) in [
        ("nothing", Vec::new()),
        ("HTML", b"<!DOCTYPE html><html><body>sign in SENSITIVE</body></html>".to_vec()),
        ("JSON", br#"{"Entities":[]}"#.to_vec()),
        ("a billion laughs", laughs.into_bytes()),
        ("an external entity", (external + &entity("<State>&e;</State>")).into_bytes()),
        ("deep elements", b"<QueryResult>".repeat(100_000)),
        ("a million attributes", format!("<QueryResult {attributes}/>").into_bytes()),
        ("a giant attribute", format!("<QueryResult x=\"{}\"/>", "x".repeat(1 << 22)).into_bytes()),
        ("a giant name", format!("<{}/>", "x".repeat(1 << 22)).into_bytes()),
        ("a giant text", format!("<QueryResult>{}", "x".repeat(1 << 22)).into_bytes()),
        ("a million openings", b"<".repeat(1 << 20)),
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
        assert_all_senseless(what, Answer::xml(body)).await;
    }
}

#[tokio::test]
async fn entities_that_are_none() {
    for (what, inside) in [
        ("a state twice", "<State>Failover</State><State>Ready</State>".to_owned()),
        ("a date twice", "<CreationTimeUTC>2016-12-25T20:00:47Z</CreationTimeUTC>".to_owned()),
        (
            "another replica",
            format!(r#"<Links><Link Type="CloudReplica" Href="/replicas/{GUID}"/></Links>"#),
        ),
        ("an entity of its own", "<State>&ready;</State>".to_owned()),
        ("a character out of range", "<State>&#x110000;</State>".to_owned()),
        ("the character NUL", "<State>&#0;</State>".to_owned()),
        (
            "a text in a million parts",
            format!("<State>{}</State>", "x<![CDATA[]]>".repeat(100_000)),
        ),
        ("a million children", "<a/>".repeat(1_000_000)),
        ("an attribute twice", "<Links><Link Type=\"a\" Type=\"b\"/></Links>".to_owned()),
    ] {
        let body = entity(&inside);
        let items = page(&body, ONE_PAGE);
        let gateway = Gateway::veeam(move |line| {
            Answer::xml(if line.contains("/query") { items.clone() } else { body.clone() })
        })
        .await;
        assert_invalid_response(
            what,
            &failure(what, gateway.client.clone().get(point_request())).await,
        );
        let parent = "backends/veeam/collections/-".to_owned();
        let request = ListRequest { parent, ..Default::default() };
        assert_invalid_response(what, &failure(what, gateway.client.clone().list(request)).await);
    }
}

#[tokio::test]
async fn pages_that_contradict_themselves() {
    let paging = |page: &str, size: &str, pages: &str| {
        format!(r#"<PagingInfo PageNum="{page}" PageSize="{size}" PagesCount="{pages}"/>"#)
    };
    for (what, body) in [
        ("a number out of range", page("", &paging("1", "100", "99999999999999999999"))),
        ("a number below nothing", page("", &paging("-1", "100", "1"))),
        ("no number", page("", &paging("NaN", "100", "1"))),
        ("a page of another number", page(&entity(""), &paging("7", "100", "9"))),
        ("items without paging", page(&entity(""), "")),
        ("more items than asked for", page(&entity("").repeat(101), ONE_PAGE)),
        ("paging twice", page("", &ONE_PAGE.repeat(2))),
        (
            "items of another kind",
            page("", "").replace("CloudVmReplicaPoints", "Jobs").replace("<Jobs>", "<Jobs><Job/>")
                + "",
        ),
    ] {
        let gateway = Gateway::veeam(move |_| Answer::xml(body.clone())).await;
        let parent = "backends/veeam/collections/-".to_owned();
        let request = ListRequest { parent, ..Default::default() };
        assert_invalid_response(what, &failure(what, gateway.client.clone().list(request)).await);
    }
}

#[tokio::test]
async fn hostile_logons_and_refusals() {
    let session = ["X-RestSvcSessionId: SENSITIVE"];
    for (what, answer) in [
        ("no header", Answer::new(201, &[], "<LogonSession/>")),
        ("no session", Answer::new(201, &session, "<LogonSession/>")),
        (
            "no GUID",
            Answer::new(201, &session, "<LogonSession><SessionId>..</SessionId></LogonSession>"),
        ),
        ("HTML", Answer::new(200, &session, "<!DOCTYPE html><html/>")),
        (
            "an endless logon",
            Answer::Endless(
                restore_point_test_support::hostile_vendor::head(201, &session),
                b"<!-- x -->".to_vec(),
            ),
        ),
    ] {
        let gateway = Gateway::veeam_from_the_start(move |_| answer.clone()).await;
        assert_invalid_response(
            what,
            &failure(what, gateway.client.clone().get(point_request())).await,
        );
    }
    let long = format!("<Error Message=\"{}\"/>", "x".repeat(50_000));
    let endless = Answer::Endless(
        restore_point_test_support::hostile_vendor::head(403, &[]),
        b"<Error Message=\"".to_vec(),
    );
    for (what, answer) in
        [("a long text", Answer::new(403, &[], long)), ("an endless one", endless)]
    {
        let gateway = Gateway::veeam(move |_| answer.clone()).await;
        let status = failure(what, gateway.client.clone().get(point_request())).await;
        assert_is(what, &status, Code::PermissionDenied, "BACKEND_FORBIDDEN");
    }
}

//! JSON that makes no sense, at every read of the Azure adapter.

use std::sync::atomic::{AtomicUsize, Ordering};

use restore_point_gateway::proto::{
    GetCollectionRequest, GetRequest, ListCollectionsRequest, ListRequest,
};
use tonic::Code;

use restore_point_test_support::hostile_gateway::{
    Gateway, SUBSCRIPTION, assert_invalid_response, assert_is, assert_response_too_large, failure,
};
use restore_point_test_support::hostile_vendor::{Answer, Vendor, head};

pub(crate) const COLLECTION: &str = "backends/azure/collections/rg~home";
pub(crate) const POINT: &str = "backends/azure/collections/rg~home/restorePoints/p1";

fn id(rest: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/\
         restorePointCollections/{rest}"
    )
}

/// A collection whose points are these.
fn collection(points: &str) -> String {
    format!(
        r#"{{"id":"{}","name":"home","location":"eastus","properties":{{"source":{{"id":"/x"}},"restorePoints":[{points}]}}}}"#,
        id("home")
    )
}

/// A point with these `properties`.
fn point(properties: &str) -> String {
    format!(r#"{{"id":"{}","name":"p1","properties":{properties}}}"#, id("home/restorePoints/p1"))
}

/// Asks a vendor that answers everything with `answer` in every way there is to ask; all must fail alike.
pub(crate) async fn assert_all_senseless(what: &str, answer: Answer) {
    let gateway = Gateway::azure(move |_| answer.clone()).await;
    for parent in ["backends/azure/collections/-", COLLECTION] {
        for (view, order_by) in [(1, ""), (3, ""), (1, "name")] {
            let (parent, order_by) = (parent.to_owned(), order_by.to_owned());
            let request = ListRequest { parent, view, order_by, ..Default::default() };
            assert_invalid_response(
                what,
                &failure(what, gateway.client.clone().list(request)).await,
            );
        }
    }
    let request = GetRequest { name: POINT.to_owned(), view: 0 };
    assert_invalid_response(what, &failure(what, gateway.client.clone().get(request)).await);
    let request = GetCollectionRequest { name: COLLECTION.to_owned() };
    assert_invalid_response(
        what,
        &failure(what, gateway.client.clone().get_collection(request)).await,
    );
    let request =
        ListCollectionsRequest { parent: "backends/azure".to_owned(), ..Default::default() };
    assert_invalid_response(
        what,
        &failure(what, gateway.client.clone().list_collections(request)).await,
    );
}

#[tokio::test]
async fn bodies_that_are_no_answer() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for (what, body) in [
        ("nothing", Vec::new()),
        ("HTML", b"<!DOCTYPE html><html>sign in SENSITIVE</html>".to_vec()),
        ("deep arrays", [b"{\"value\":".to_vec(), b"[".repeat(1 << 20)].concat()),
        ("deep objects", b"{\"properties\":".repeat(1 << 16)),
        ("UTF-16", utf16("{\"value\":[]}")),
        ("invalid UTF-8", b"{\"value\":[],\"nextLink\":\"\xff\"}".to_vec()),
        ("a NUL", b"{\"value\":[],\0\"nextLink\":\"SENSITIVE\"}".to_vec()),
        ("only NULs", vec![0; 1 << 20]),
        ("a member twice", b"{\"value\":[],\"value\":[],\"id\":\"\",\"id\":\"\"}".to_vec()),
        (
            "many values",
            [b"{\"value\":[{}".to_vec(), b",{}".repeat(1 << 20), b"]}".to_vec()].concat(),
        ),
        ("two documents", b"{\"value\":[]}{\"value\":[]}".to_vec()),
    ] {
        assert_all_senseless(what, Answer::json(body)).await;
    }
}

#[tokio::test]
async fn points_that_are_none() {
    let disk = |rest: &str| {
        point(&format!(r#"{{"sourceMetadata":{{"storageProfile":{{"osDisk":{{{rest}}}}}}}}}"#))
    };
    for (what, body) in [
        ("a float out of range", disk(r#""diskSizeGB":1e999"#)),
        (
            "an integer out of range",
            disk(r#""diskSizeGB":170141183460469231731687303715884105727"#),
        ),
        ("NaN as a text", disk(r#""diskSizeGB":"NaN""#)),
        ("a size below nothing", disk(r#""diskSizeGB":-1"#)),
        ("a lun out of range", disk(r#""lun":4294967296"#)),
        ("a lun below nothing", disk(r#""lun":"-1""#)),
        (
            "a member twice",
            point(r#"{"provisioningState":"Creating","provisioningState":"Succeeded"}"#),
        ),
        ("a time out of range", point(r#"{"timeCreated":"999999-01-01T00:00:00Z"}"#)),
        ("another point", point("{}").replace("p1", "p2")),
        (
            "a million disks",
            point(&format!(
                r#"{{"sourceMetadata":{{"storageProfile":{{"dataDisks":[{{}}{}]}}}}}}"#,
                ",{}".repeat(1 << 20)
            )),
        ),
        ("a long text", point(&format!(r#"{{"provisioningState":"{}"}}"#, "x".repeat(16 << 20)))),
    ] {
        let whole = collection(&body);
        let gateway = Gateway::azure(move |line| {
            let is_point = line.contains("/restorePoints/");
            Answer::json(if is_point { body.clone() } else { whole.clone() })
        })
        .await;
        let request = GetRequest { name: POINT.to_owned(), view: 0 };
        assert_invalid_response(what, &failure(what, gateway.client.clone().get(request)).await);
        if what != "another point" {
            let request = ListRequest { parent: COLLECTION.to_owned(), ..Default::default() };
            let status = failure(what, gateway.client.clone().list(request)).await;
            match what {
                // A list may have this much; a response may not.
                "a long text" => assert_response_too_large(what, &status),
                _ => assert_invalid_response(what, &status),
            }
        }
    }
}

#[tokio::test]
async fn pages_without_end() {
    let elsewhere = Vendor::start(|_| Answer::json(r#"{"value":[]}"#)).await;
    let page = |link: &str| format!(r#"{{"value":[],"nextLink":"{link}"}}"#);
    let foreign = page(&format!("{}/x", elsewhere.url()));
    let long = page(&format!("http://127.0.0.1/{}", "x".repeat(1 << 20)));
    for (what, body) in [
        ("a link to elsewhere", foreign),
        ("a link that is none", page("x")),
        ("a link to a file", page("file:///etc/passwd")),
        ("a link beyond all measure", long),
    ] {
        let gateway = Gateway::azure(move |_| Answer::json(body.clone())).await;
        let request =
            ListCollectionsRequest { parent: "backends/azure".to_owned(), ..Default::default() };
        let status = failure(what, gateway.client.clone().list_collections(request)).await;
        assert_invalid_response(what, &status);
        let parent = "backends/azure/collections/-".to_owned();
        let request = ListRequest { parent, ..Default::default() };
        assert_invalid_response(what, &failure(what, gateway.client.clone().list(request)).await);
    }
    assert_eq!(elsewhere.asked(), [""; 0], "no other host sees the bearer");

    // In circles of one, two and a hundred pages; and each link a new one, for ever.
    for circle in [1, 2, 100] {
        let what = format!("a circle of {circle}");
        let count = AtomicUsize::new(0);
        let gateway = links(move |_| count.fetch_add(1, Ordering::SeqCst) % circle).await;
        let asked = |gateway: &Gateway| gateway.vendor.asked().len();
        walk_to_the_end(&what, &gateway).await;
        assert!(asked(&gateway) <= 4 * circle + 4, "{what}: {} calls", asked(&gateway));
    }
    let count = AtomicUsize::new(0);
    let gateway = links(move |_| count.fetch_add(1, Ordering::SeqCst)).await;
    let request =
        ListCollectionsRequest { parent: "backends/azure".to_owned(), ..Default::default() };
    let answer = gateway.client.clone().list_collections(request).await.unwrap().into_inner();
    assert!(answer.collections.is_empty() && !answer.next_page_token.is_empty());
}

/// A vendor of empty pages, each with a link of this number.
async fn links(number: impl Fn(&str) -> usize + Send + Sync + 'static) -> Gateway {
    // The vendor learns its own address from the first request's link: a link may be relative to nothing.
    let address = std::sync::Arc::new(std::sync::OnceLock::new());
    let own = std::sync::Arc::clone(&address);
    let gateway = Gateway::azure(move |line| {
        let own: &String = own.get().expect("it is known by now");
        let link = format!("{own}/next?page={}", number(line));
        Answer::json(format!(r#"{{"value":[],"nextLink":"{link}"}}"#))
    })
    .await;
    address.set(gateway.vendor.url()).unwrap();
    gateway
}

/// Turns the pages of both lists until they fail.
async fn walk_to_the_end(what: &str, gateway: &Gateway) {
    let parent = "backends/azure".to_owned();
    let mut request = ListCollectionsRequest { parent, ..Default::default() };
    loop {
        match gateway.client.clone().list_collections(request.clone()).await {
            Ok(answer) => request.page_token = answer.into_inner().next_page_token,
            Err(status) => break assert_invalid_response(what, &status),
        }
        assert!(!request.page_token.is_empty(), "{what}: it ends as if it were whole");
    }
}

#[tokio::test]
async fn refusals_are_read_no_further_than_they_need_be() {
    let json = |status: u16, header: &str, body: &str| {
        let headers = ["content-type: application/json", header];
        Answer::new(status, &headers, body)
    };
    let long = format!(r#"{{"error":{{"code":"{0}","message":"{0}"}}}}"#, "x".repeat(100_000));
    let endless = |status| Answer::Endless(head(status, &[]), b"[".to_vec());
    for (what, answer, code, reason) in [
        ("a long text", json(403, "x: y", &long), Code::PermissionDenied, "BACKEND_FORBIDDEN"),
        ("an endless body", endless(403), Code::PermissionDenied, "BACKEND_FORBIDDEN"),
        // Absence is believed of ARM's own words only.
        ("an endless body", endless(404), Code::Internal, "BACKEND_RESPONSE_INVALID"),
        ("an endless body", endless(418), Code::Internal, "BACKEND_RESPONSE_INVALID"),
        (
            "a pause of ages",
            json(429, "retry-after: 18446744073709551615", "{}"),
            Code::Unavailable,
            "BACKEND_THROTTLED",
        ),
    ] {
        let gateway = Gateway::azure(move |_| answer.clone()).await;
        let request = GetCollectionRequest { name: COLLECTION.to_owned() };
        let status = failure(what, gateway.client.clone().get_collection(request)).await;
        assert_is(what, &status, code, reason);
    }
}

//! Invalid JSON in the response to every read of the Azure backend.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use restore_point_gateway::proto::{
    GetCollectionRequest, GetRequest, ListCollectionsRequest, ListRequest,
};
use tonic::Code;

use restore_point_test_support::failure::{assert_status, failure};
use restore_point_test_support::scripted_backend::{SUBSCRIPTION, ScriptedBackend};
use restore_point_test_support::scripted_vendor::{Reply, ScriptedVendor, head};

const ALL_POINTS: &str = "backends/azure/collections/-";
const COLLECTION: &str = "backends/azure/collections/rg~rpc";
const POINT: &str = "backends/azure/collections/rg~rpc/restorePoints/p1";

fn list(parent: &str) -> ListRequest {
    ListRequest { parent: parent.to_owned(), ..Default::default() }
}

fn list_collections() -> ListCollectionsRequest {
    ListCollectionsRequest { parent: "backends/azure".to_owned(), ..Default::default() }
}

fn get() -> GetRequest {
    GetRequest { name: POINT.to_owned(), view: 0 }
}

fn get_collection() -> GetCollectionRequest {
    GetCollectionRequest { name: COLLECTION.to_owned() }
}

/// Cases that are not invalid in a list.
const OTHER_POINT: &str = "another point than requested";
const LONG_STRING: &str = "a string of 16 MiB";

fn arm_id(rest: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/\
         restorePointCollections/{rest}"
    )
}

/// The JSON of a collection with these points.
fn collection(points: &str) -> String {
    format!(
        r#"{{"id":"{}","name":"rpc","location":"eastus","properties":{{"source":{{"id":"/x"}},"restorePoints":[{points}]}}}}"#,
        arm_id("rpc")
    )
}

/// The JSON of a point with these properties.
fn point(properties: &str) -> String {
    let id = arm_id("rpc/restorePoints/p1");
    format!(r#"{{"id":"{id}","name":"p1","properties":{properties}}}"#)
}

/// Panics unless every read fails with BACKEND_RESPONSE_INVALID if the vendor replies to every request with `reply`.
pub(crate) async fn assert_every_read_fails(case: &str, reply: Reply) {
    let backend = ScriptedBackend::azure(move |_| reply.clone()).await;
    for parent in [ALL_POINTS, COLLECTION] {
        for (view, order_by) in [(1, ""), (3, ""), (1, "name")] {
            let request = ListRequest { view, order_by: order_by.to_owned(), ..list(parent) };
            failure(case, backend.client().list(request)).await.assert_invalid_response();
        }
    }
    failure(case, backend.client().get(get())).await.assert_invalid_response();
    failure(case, backend.client().get_collection(get_collection()))
        .await
        .assert_invalid_response();
    failure(case, backend.client().list_collections(list_collections()))
        .await
        .assert_invalid_response();
}

#[tokio::test]
async fn an_invalid_body_is_an_invalid_response() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for (case, body) in [
        ("an empty body", Vec::new()),
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
        assert_every_read_fails(case, Reply::json(body)).await;
    }
}

#[tokio::test]
async fn an_invalid_point_is_an_invalid_response() {
    let disk = |properties: &str| {
        point(&format!(
            r#"{{"sourceMetadata":{{"storageProfile":{{"osDisk":{{{properties}}}}}}}}}"#
        ))
    };
    for (case, body) in [
        ("a float out of range", disk(r#""diskSizeGB":1e999"#)),
        (
            "an integer out of range",
            disk(r#""diskSizeGB":170141183460469231731687303715884105727"#),
        ),
        ("NaN as a string", disk(r#""diskSizeGB":"NaN""#)),
        ("a negative size", disk(r#""diskSizeGB":-1"#)),
        ("a LUN out of range", disk(r#""lun":4294967296"#)),
        ("a negative LUN", disk(r#""lun":"-1""#)),
        (
            "a member twice",
            point(r#"{"provisioningState":"Creating","provisioningState":"Succeeded"}"#),
        ),
        ("a time out of range", point(r#"{"timeCreated":"999999-01-01T00:00:00Z"}"#)),
        (OTHER_POINT, point("{}").replace("p1", "p2")),
        (
            "a million disks",
            point(&format!(
                r#"{{"sourceMetadata":{{"storageProfile":{{"dataDisks":[{{}}{}]}}}}}}"#,
                ",{}".repeat(1 << 20)
            )),
        ),
        (LONG_STRING, point(&format!(r#"{{"provisioningState":"{}"}}"#, "x".repeat(16 << 20)))),
    ] {
        let collection = collection(&body);
        let backend = ScriptedBackend::azure(move |line| {
            let is_point = line.contains("/restorePoints/");
            Reply::json(if is_point { body.clone() } else { collection.clone() })
        })
        .await;
        failure(case, backend.client().get(get())).await.assert_invalid_response();
        let list = async || failure(case, backend.client().list(list(COLLECTION))).await;
        match case {
            // A valid point of a list.
            OTHER_POINT => {}
            // A list may be larger than a point, but not larger than a gRPC message.
            LONG_STRING => list().await.assert_response_too_large(),
            _ => list().await.assert_invalid_response(),
        }
    }
}

#[tokio::test]
async fn an_invalid_next_link_is_not_followed() {
    let other_host = ScriptedVendor::start(|_| Reply::json(r#"{"value":[]}"#)).await;
    let page = |link: &str| format!(r#"{{"value":[],"nextLink":"{link}"}}"#);
    for (case, body) in [
        ("a link to another host", page(&format!("{}/x", other_host.url()))),
        ("a link that is not a URL", page("x")),
        ("a link to a file", page("file:///etc/passwd")),
        ("a long link", page(&format!("http://127.0.0.1/{}", "x".repeat(1 << 20)))),
    ] {
        let backend = ScriptedBackend::azure(move |_| Reply::json(body.clone())).await;
        failure(case, backend.client().list_collections(list_collections()))
            .await
            .assert_invalid_response();
        failure(case, backend.client().list(list(ALL_POINTS))).await.assert_invalid_response();
    }
    assert_eq!(other_host.request_lines(), [""; 0], "the bearer token was sent to another host");
}

#[tokio::test]
async fn a_cycle_of_next_links_is_an_invalid_response() {
    for length in [1, 2, 100] {
        let case = format!("a cycle of {length} pages");
        let count = AtomicUsize::new(0);
        let backend = empty_pages(move || count.fetch_add(1, Ordering::SeqCst) % length).await;
        let mut request = list_collections();
        loop {
            match backend.client().list_collections(request.clone()).await {
                Ok(page) => request.page_token = page.into_inner().next_page_token,
                Err(status) => {
                    break assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
                }
            }
            assert!(!request.page_token.is_empty(), "{case}: the list seems complete");
        }
        let requests = backend.vendor.request_lines().len();
        assert!(requests <= 4 * length + 4, "{case}: {requests} requests");
    }
}

#[tokio::test]
async fn a_page_of_an_endless_list_is_returned_after_a_bounded_number_of_requests() {
    let count = AtomicUsize::new(0);
    let backend = empty_pages(move || count.fetch_add(1, Ordering::SeqCst)).await;
    let page = backend.client().list_collections(list_collections()).await.unwrap().into_inner();
    assert!(page.collections.is_empty() && !page.next_page_token.is_empty());
}

/// A vendor with empty pages, each of which has a link to the page with the next number.
async fn empty_pages(next: impl Fn() -> usize + Send + Sync + 'static) -> ScriptedBackend {
    // The script needs the address of its own vendor.
    let address = Arc::new(OnceLock::<String>::new());
    let own_address = Arc::clone(&address);
    let backend = ScriptedBackend::azure(move |_| {
        let link = format!("{}/next?page={}", own_address.get().unwrap(), next());
        Reply::json(format!(r#"{{"value":[],"nextLink":"{link}"}}"#))
    })
    .await;
    address.set(backend.vendor.url()).unwrap();
    backend
}

#[tokio::test]
async fn the_body_of_an_error_response_is_read_up_to_a_limit() {
    let json = |status: u16, header: &str, body: &str| {
        Reply::new(status, &["content-type: application/json", header], body)
    };
    let long = format!(r#"{{"error":{{"code":"{0}","message":"{0}"}}}}"#, "x".repeat(100_000));
    let endless = |status| Reply::Endless(head(status, &[]), b"[".to_vec());
    for (case, reply, code, reason) in [
        ("a long text", json(403, "x: y", &long), Code::PermissionDenied, "BACKEND_FORBIDDEN"),
        ("an endless 403", endless(403), Code::PermissionDenied, "BACKEND_FORBIDDEN"),
        // Only a 404 with an error code of ARM means that a resource is absent.
        ("an endless 404", endless(404), Code::Internal, "BACKEND_RESPONSE_INVALID"),
        ("an endless 418", endless(418), Code::Internal, "BACKEND_RESPONSE_INVALID"),
        (
            "the largest Retry-After",
            json(429, "retry-after: 18446744073709551615", "{}"),
            Code::Unavailable,
            "BACKEND_THROTTLED",
        ),
    ] {
        let backend = ScriptedBackend::azure(move |_| reply.clone()).await;
        failure(case, backend.client().get_collection(get_collection()))
            .await
            .assert_status(code, reason);
    }
}

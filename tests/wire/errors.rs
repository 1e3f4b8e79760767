//! The errors that a vendor can cause: code, reason and details of each, and that none contains the vendor's response
//! body.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::{Method, StatusCode};
use restore_point_gateway::proto::{GetRequest, ListRequest, RestorePoint};
use restore_point_gateway::upstream::RateLimit;
use restore_point_sandbox::azure::{Canned, Fault, Matching};
use restore_point_sandbox::fault::Portion;
use restore_point_sandbox::veeam_em;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::{SRV39_IN_ANY_COLLECTION, azure_point};

use crate::documented_examples::CLOUD_VM_REPLICA_POINT;

/// More than the retries of any call.
const ALWAYS: usize = 1000;

async fn get_azure(gateway: &TestGateway) -> Result<RestorePoint, Status> {
    gateway.get(&azure_point(&gateway.azure.seeded().points[0])).await
}

async fn get_veeam(gateway: &TestGateway) -> Result<RestorePoint, Status> {
    gateway.get(SRV39_IN_ANY_COLLECTION).await
}

async fn list(gateway: &TestGateway, backend: &str) -> Result<Vec<RestorePoint>, Status> {
    let parent = format!("backends/{backend}/collections/-");
    let page = gateway.list(ListRequest { parent, ..Default::default() }).await;
    page.map(|page| page.restore_points)
}

/// Makes Azure respond so to every read of a point or collection.
fn set_azure_response(gateway: &TestGateway, status: u16, headers: &[(&str, &str)], body: &str) {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let canned = Canned { status, headers, body: body.to_owned().into() };
    let matching = Matching::new(Method::GET, "restorepoint");
    gateway.azure.inject(matching, ALWAYS, Fault::canned(canned));
}

/// Applies a fault to every read of points from Enterprise Manager.
fn inject_veeam(gateway: &TestGateway, fault: impl Fn() -> veeam_em::Fault) {
    for target in ["/vmReplicaPoints", "/query"] {
        gateway.veeam.inject(Matching::new(Method::GET, target), ALWAYS, fault());
    }
}

#[tokio::test]
async fn a_throttled_read_is_unavailable_with_the_vendors_retry_after() {
    for body in [
        r#"{"error":{"code":"ResourceRequestsThrottled","message":"Please try again after '324' seconds."}}"#,
        r#"{"code":"OperationNotAllowed","message":"The server rejected the request because too many requests have been received for this subscription."}"#,
        r#"{"Code":"429","Message":"Rate limit reached.","Details":[],"Innererror":null}"#,
        "",
    ] {
        let gateway = TestGateway::start().await;
        set_azure_response(&gateway, 429, &[("retry-after", "17")], body);
        let status = get_azure(&gateway).await.unwrap_err();
        assert_status(&status, Code::Unavailable, "BACKEND_THROTTLED");
        let retry = status.get_details_retry_info().unwrap();
        assert_eq!(retry.retry_delay.unwrap().as_secs(), 17);
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "17000");
    }
}

#[tokio::test]
async fn a_vendor_that_is_down_is_unavailable() {
    for status in [500, 502, 503, 504] {
        let gateway = TestGateway::start().await;
        set_azure_response(&gateway, status, &[], "<html>SENSITIVE</html>");
        let status = get_azure(&gateway).await.unwrap_err();
        assert_status(&status, Code::Unavailable, "BACKEND_UNAVAILABLE");
        assert!(status.get_details_retry_info().is_some());
    }
    let gateway = TestGateway::start().await;
    inject_veeam(&gateway, || veeam_em::Fault::status(503, ""));
    let status = get_veeam(&gateway).await.unwrap_err();
    assert_status(&status, Code::Unavailable, "BACKEND_UNAVAILABLE");
    assert!(status.get_details_retry_info().is_some());
}

#[tokio::test]
async fn a_refused_credential_is_unavailable_without_retry_info() {
    let gateway = TestGateway::start().await;
    let body = r#"{"error":{"code":"InvalidAuthenticationToken","message":"The access token is invalid."}}"#;
    set_azure_response(&gateway, 401, &[("www-authenticate", "Bearer")], body);
    let status = get_azure(&gateway).await.unwrap_err();
    assert_status(&status, Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED");
    assert!(status.get_details_retry_info().is_none());

    gateway.veeam.inject(
        Matching::new(Method::POST, "/sessionMngr"),
        ALWAYS,
        veeam_em::Fault::status(401, ""),
    );
    let status = get_veeam(&gateway).await.unwrap_err();
    assert_status(&status, Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED");
    assert!(status.get_details_retry_info().is_none());
}

#[tokio::test]
async fn a_forbidden_read_is_permission_denied() {
    let gateway = TestGateway::start().await;
    gateway.azure.inject(
        Matching::path("restorepoint"),
        ALWAYS,
        Fault::error(StatusCode::FORBIDDEN),
    );
    let status = get_azure(&gateway).await.unwrap_err();
    assert_status(&status, Code::PermissionDenied, "BACKEND_FORBIDDEN");
    assert!(status.message().contains("read"), "no missing permission: {}", status.message());
    let body = r#"<Error Message="Access denied" StatusCode="403" xmlns="http://www.veeam.com/ent/v1.0"><StackTrace>SENSITIVE</StackTrace></Error>"#;
    inject_veeam(&gateway, || veeam_em::Fault::status(403, body));
    let status = get_veeam(&gateway).await.unwrap_err();
    assert_status(&status, Code::PermissionDenied, "BACKEND_FORBIDDEN");
}

#[tokio::test]
async fn invalid_json_is_never_a_shorter_list() {
    for body in [
        "",
        "<html><body>SENSITIVE: please log on to the proxy</body></html>",
        "[]",
        "{\"value\":",
        "{\"value\":[{\"name\":\"SENSITIVE\"}]}",
        "{\"nothing\":\"SENSITIVE\"}",
        "\u{0}",
    ] {
        let gateway = TestGateway::start().await;
        set_azure_response(&gateway, 200, &[("content-type", "application/json")], body);
        let status = list(&gateway, "azure").await.unwrap_err();
        assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
        let status = get_azure(&gateway).await.unwrap_err();
        assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
    }
}

#[tokio::test]
async fn invalid_xml_is_never_a_shorter_list() {
    // Without a PagingInfo it is unknown whether another page follows.
    let no_paging = format!(
        "<QueryResult xmlns=\"http://www.veeam.com/ent/v1.0\"><Entities><CloudVmReplicaPoints>{CLOUD_VM_REPLICA_POINT}</CloudVmReplicaPoints></Entities></QueryResult>"
    );
    for body in [
        no_paging.as_str(),
        "",
        "SENSITIVE",
        "<html><body>SENSITIVE</body></html>",
        "<EnterpriseManager/>",
        "<QueryResult><Entities><CloudVmReplicaPoints>",
        "<!DOCTYPE a [<!ENTITY b \"SENSITIVE\">]><QueryResult/>",
    ] {
        let gateway = TestGateway::start().await;
        inject_veeam(&gateway, || veeam_em::Fault::status(200, body));
        let status = list(&gateway, "veeam").await.unwrap_err();
        assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
        let status = get_veeam(&gateway).await.unwrap_err();
        assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
    }
}

#[tokio::test]
async fn a_truncated_response_is_never_a_shorter_list() {
    let gateway = TestGateway::start().await;
    inject_veeam(&gateway, || veeam_em::Fault::truncate(Portion::HALF));
    let status = list(&gateway, "veeam").await.unwrap_err();
    assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
    let status = get_veeam(&gateway).await.unwrap_err();
    assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
}

#[tokio::test]
async fn a_response_above_the_size_limit_is_invalid() {
    let gateway = TestGateway::start().await;
    let large = format!("{{\"value\":\"{}\"}}", "x".repeat(80 << 20));
    set_azure_response(&gateway, 200, &[("content-type", "application/json")], &large);
    let status = get_azure(&gateway).await.unwrap_err();
    assert_status(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
}

#[tokio::test]
async fn a_single_transient_failure_is_retried() {
    let gateway = TestGateway::start().await;
    gateway.azure.inject(
        Matching::new(Method::GET, "restorepoint"),
        1,
        Fault::error(StatusCode::BAD_GATEWAY),
    );
    get_azure(&gateway).await.unwrap();
    gateway.veeam.inject(
        Matching::new(Method::GET, "/vmReplicaPoints"),
        1,
        veeam_em::Fault::hang_up(),
    );
    get_veeam(&gateway).await.unwrap();
    // An expired session is renewed.
    gateway.veeam.expire_sessions();
    get_veeam(&gateway).await.unwrap();
    gateway.veeam.expire_sessions();
    assert_eq!(list(&gateway, "veeam").await.unwrap().len(), 12);
}

#[tokio::test]
async fn an_unknown_view_is_invalid() {
    let gateway = TestGateway::start().await;
    let request = GetRequest { name: SRV39_IN_ANY_COLLECTION.to_owned(), view: 77 };
    let status = gateway.client().get(request).await.unwrap_err();
    assert_status(&status, Code::InvalidArgument, "INVALID_VALUE");
}

#[tokio::test]
async fn the_rate_limit_of_a_backend_is_not_exceeded() {
    // A burst of three requests, then one every ten seconds.
    let gateway = TestGateway::start_with(|settings| {
        settings.rate_limit = RateLimit { per_second: 0.1, burst: 3 }
    })
    .await;
    let get = async |point: &String| gateway.get(&azure_point(point)).await;
    let points = &gateway.azure.seeded().points;
    let mut calls: FuturesUnordered<_> = points.iter().map(get).collect();
    // One call waits for the next request; the others would wait too long and fail.
    let limited = loop {
        match calls.next().await.expect("a call that fails") {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_status(&limited, Code::Unavailable, "BACKEND_RATE_LIMITED");
    let delay = limited.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(delay.as_secs() >= 10, "{delay:?}");
    assert!(gateway.azure.calls().total() <= 4, "more than a token request and the burst");
    // The other backend has its own rate limit.
    get_veeam(&gateway).await.unwrap();
}

//! The rows of the error table that a vendor can bring about: which code, which reason, which details, and
//! that nothing of the vendor's body gets out.

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

use restore_point_test_support::fixture::TestGateway;

const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";
/// Oftener than any call repeats a read.
const ALWAYS: usize = 1000;

async fn get_azure(gateway: &TestGateway) -> Result<RestorePoint, Status> {
    gateway.get(&TestGateway::azure_point(&gateway.azure.seeded().points[0])).await
}

async fn get_veeam(gateway: &TestGateway) -> Result<RestorePoint, Status> {
    gateway.get(&format!("backends/veeam/collections/-/restorePoints/{SRV39}")).await
}

async fn list(gateway: &TestGateway, backend: &str) -> Result<Vec<RestorePoint>, Status> {
    let parent = format!("backends/{backend}/collections/-");
    let request = ListRequest { parent, ..Default::default() };
    gateway.client().list(request).await.map(|page| page.into_inner().restore_points)
}

fn azure_answers(gateway: &TestGateway, status: u16, headers: &[(&str, &str)], body: &str) {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let canned = Canned { status, headers, body: body.to_owned().into() };
    let matching = Matching::new(Method::GET, "restorepoint");
    gateway.azure.inject(matching, ALWAYS, Fault::canned(canned));
}

fn veeam_answers(gateway: &TestGateway, status: u16, body: &str) {
    for part in ["/vmReplicaPoints", "/query"] {
        gateway.veeam.inject(
            Matching::new(Method::GET, part),
            ALWAYS,
            veeam_em::Fault::status(status, body),
        );
    }
}

/// Code and reason; no RetryInfo unless the code asks for another try, and no word of the body.
fn assert_is(status: &Status, code: Code, reason: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    let details = status.get_error_details();
    let info = details.error_info().expect("an ErrorInfo");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "restorepoint.v1"));
    assert!(!format!("{status:?}").contains("SENSITIVE"), "{status:?}");
}

#[tokio::test]
async fn throttled_for_a_while() {
    for body in [
        r#"{"error":{"code":"ResourceRequestsThrottled","message":"Please try again after '324' seconds."}}"#,
        r#"{"code":"OperationNotAllowed","message":"The server rejected the request because too many requests have been received for this subscription."}"#,
        r#"{"Code":"429","Message":"Rate limit reached.","Details":[],"Innererror":null}"#,
        "",
    ] {
        let gateway = TestGateway::new().await;
        azure_answers(&gateway, 429, &[("retry-after", "17")], body);
        let status = get_azure(&gateway).await.unwrap_err();
        assert_is(&status, Code::Unavailable, "BACKEND_THROTTLED");
        let retry = status.get_details_retry_info().unwrap();
        assert_eq!(retry.retry_delay.unwrap().as_secs(), 17);
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "17000");
    }
}

#[tokio::test]
async fn the_vendor_is_down() {
    for status in [500, 502, 503, 504] {
        let gateway = TestGateway::new().await;
        azure_answers(&gateway, status, &[], "<html>SENSITIVE</html>");
        let status = get_azure(&gateway).await.unwrap_err();
        assert_is(&status, Code::Unavailable, "BACKEND_UNAVAILABLE");
        assert!(status.get_details_retry_info().is_some());
    }
    let gateway = TestGateway::new().await;
    veeam_answers(&gateway, 503, "");
    let status = get_veeam(&gateway).await.unwrap_err();
    assert_is(&status, Code::Unavailable, "BACKEND_UNAVAILABLE");
    assert!(status.get_details_retry_info().is_some());
}

#[tokio::test]
async fn the_gateways_own_credential_is_refused() {
    let gateway = TestGateway::new().await;
    let body = r#"{"error":{"code":"InvalidAuthenticationToken","message":"The access token is invalid."}}"#;
    azure_answers(&gateway, 401, &[("www-authenticate", "Bearer")], body);
    let status = get_azure(&gateway).await.unwrap_err();
    assert_is(&status, Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED");
    assert!(status.get_details_retry_info().is_none(), "a retry would not help");

    gateway.veeam.inject(
        Matching::new(Method::POST, "/sessionMngr"),
        ALWAYS,
        veeam_em::Fault::status(401, ""),
    );
    let status = get_veeam(&gateway).await.unwrap_err();
    assert_is(&status, Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED");
    assert!(status.get_details_retry_info().is_none());
}

#[tokio::test]
async fn the_gateways_identity_may_not() {
    let gateway = TestGateway::new().await;
    gateway.azure.inject(
        Matching::path("restorepoint"),
        ALWAYS,
        Fault::error(StatusCode::FORBIDDEN),
    );
    let status = get_azure(&gateway).await.unwrap_err();
    assert_is(&status, Code::PermissionDenied, "BACKEND_FORBIDDEN");
    assert!(status.message().contains("read"), "what is missing is said: {}", status.message());
    veeam_answers(
        &gateway,
        403,
        r#"<Error Message="Access denied" StatusCode="403" xmlns="http://www.veeam.com/ent/v1.0"><StackTrace>SENSITIVE</StackTrace></Error>"#,
    );
    assert_is(&get_veeam(&gateway).await.unwrap_err(), Code::PermissionDenied, "BACKEND_FORBIDDEN");
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_never_a_shorter_one() {
    for body in [
        "",
        "<html><body>SENSITIVE: please log on to the proxy</body></html>",
        "[]",
        "{\"value\":",
        "{\"value\":[{\"name\":\"SENSITIVE\"}]}",
        "{\"nothing\":\"SENSITIVE\"}",
        "\u{0}",
    ] {
        let gateway = TestGateway::new().await;
        azure_answers(&gateway, 200, &[("content-type", "application/json")], body);
        let status = list(&gateway, "azure").await.unwrap_err();
        assert_is(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
        let status = get_azure(&gateway).await.unwrap_err();
        assert_is(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
    }
}

#[tokio::test]
async fn xml_that_makes_no_sense_is_never_a_shorter_list() {
    // A page of points without the word whether more follow.
    let no_paging = format!(
        "<QueryResult xmlns=\"http://www.veeam.com/ent/v1.0\"><Entities><CloudVmReplicaPoints>{}</CloudVmReplicaPoints></Entities></QueryResult>",
        crate::seeds::ENTITY
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
        let gateway = TestGateway::new().await;
        veeam_answers(&gateway, 200, body);
        let status = list(&gateway, "veeam").await.unwrap_err();
        assert_is(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
        let status = get_veeam(&gateway).await.unwrap_err();
        assert_is(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_never_a_shorter_list() {
    let gateway = TestGateway::new().await;
    for part in ["/vmReplicaPoints", "/query"] {
        gateway.veeam.inject(
            Matching::new(Method::GET, part),
            ALWAYS,
            veeam_em::Fault::truncate(Portion::HALF),
        );
    }
    let status = list(&gateway, "veeam").await.unwrap_err();
    assert_is(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
    let status = get_veeam(&gateway).await.unwrap_err();
    assert_is(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let gateway = TestGateway::new().await;
    let endless = format!("{{\"value\":\"{}\"}}", "x".repeat(80 << 20));
    azure_answers(&gateway, 200, &[("content-type", "application/json")], &endless);
    let status = get_azure(&gateway).await.unwrap_err();
    assert_is(&status, Code::Internal, "BACKEND_RESPONSE_INVALID");
}

#[tokio::test]
async fn one_passing_failure_is_nobodys_business() {
    let gateway = TestGateway::new().await;
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
    // A session that has ended is renewed without a word.
    gateway.veeam.expire_sessions();
    get_veeam(&gateway).await.unwrap();
    gateway.veeam.expire_sessions();
    assert_eq!(list(&gateway, "veeam").await.unwrap().len(), 12);
}

#[tokio::test]
async fn an_unknown_view_is_refused() {
    let gateway = TestGateway::new().await;
    let request = GetRequest {
        name: format!("backends/veeam/collections/-/restorePoints/{SRV39}"),
        view: 77,
    };
    let status = gateway.client().get(request).await.unwrap_err();
    assert_is(&status, Code::InvalidArgument, "INVALID_VALUE");
}

#[tokio::test]
async fn our_own_budget_is_spent() {
    // Three requests at once, and then one every ten seconds.
    let gateway =
        TestGateway::with(|plan| plan.rate_limit = RateLimit { per_second: 0.1, burst: 3 }).await;
    let get = async |point: &String| gateway.get(&TestGateway::azure_point(point)).await;
    let points = &gateway.azure.seeded().points;
    let mut calls: FuturesUnordered<_> = points.iter().map(get).collect();
    // One waits for its turn; those behind it would wait too long.
    let refused = loop {
        match calls.next().await.expect("not all are answered at once") {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_is(&refused, Code::Unavailable, "BACKEND_RATE_LIMITED");
    let delay = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(delay.as_secs() >= 10, "{delay:?}");
    assert!(gateway.azure.calls().total() <= 4, "the token, and what the budget holds");
    // The other vendor has a budget of its own.
    get_veeam(&gateway).await.unwrap();
}

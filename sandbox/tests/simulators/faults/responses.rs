//! Responses that a fault replaces or changes.

use serde_json::Value;

use super::fixture::{CapturedResponse, End, Fixture, Vendor};

/// The response is the vendor's own error.
fn assert_refused(vendor: &Vendor<'_>, response: &CapturedResponse, status: u16) {
    assert_eq!(
        (response.status(), &response.end),
        (status, &End::CloseNotify),
        "{} {response:?}",
        vendor.name
    );
    if vendor.name == "azure" {
        let body: Value = serde_json::from_str(response.text()).unwrap();
        assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string());
        assert!(response.header("x-ms-request-id").is_some());
    } else {
        assert!(
            response.text().contains(&format!("StatusCode=\"{status}\"")),
            "{}",
            response.text()
        );
        assert!(response.text().contains("<Error "), "{}", response.text());
    }
}

#[tokio::test]
async fn every_error_status_is_injected_with_and_without_retry_after() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        for status in [400, 401, 403, 404, 408, 409, 412, 418, 429, 500, 501, 502, 503, 504] {
            vendor.inject(&format!("GET times=2 status={status}")).await;
            vendor.inject(&format!("GET times=1 status={status} retry_after=17")).await;
            for _ in 0..2 {
                let response = vendor.get_and_close().await;
                assert_refused(&vendor, &response, status);
                assert_eq!(response.header("retry-after"), None);
            }
            let response = vendor.get_and_close().await;
            assert_refused(&vendor, &response, status);
            assert_eq!(response.header("retry-after"), Some("17"));
        }
        vendor.full_body().await;
    }
    let azure = fixture.azure();
    for (status, code) in [
        (401, "InvalidAuthenticationToken"),
        (403, "AuthorizationFailed"),
        (429, "ResourceRequestsThrottled"),
        (502, "BadGatewayConnection"),
        (504, "GatewayTimeout"),
    ] {
        azure.inject(&format!("GET times=1 status={status}")).await;
        let body: Value = serde_json::from_str(azure.get_and_close().await.text()).unwrap();
        assert_eq!(body["error"]["code"], code);
    }
}

#[tokio::test]
async fn skip_injects_an_error_in_the_middle_of_a_list() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        vendor.inject("GET skip=2 times=1 status=401").await;
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(vendor.get_and_close().await.status());
        }
        assert_eq!(statuses, [200, 200, 401, 200], "{}", vendor.name);
    }
}

#[tokio::test]
async fn an_html_page_replaces_the_response() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        vendor.inject("GET times=1 html").await;
        vendor.inject("GET times=1 html status=502").await;
        for status in [200, 502] {
            let response = vendor.get_and_close().await;
            assert_eq!(response.status(), status);
            assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
            assert!(response.text().starts_with("<!DOCTYPE html>"), "{response:?}");
        }
    }
}

#[tokio::test]
async fn the_real_response_has_another_content_type() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        let full = vendor.full_body().await;
        vendor.inject("GET times=1 content_type=application/pdf").await;
        let response = vendor.get_and_close().await;
        assert_eq!(response.header("content-type"), Some("application/pdf"));
        assert_eq!(response.body.len(), full.len());
    }
}

#[tokio::test]
async fn a_canned_response_is_sent_as_it_is() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        vendor
            .inject(r#"GET times=1 status=203 body="a \"b\" <c>" header="X-One: 1" header="X-Two: t w o""#)
            .await;
        let response = vendor.get_and_close().await;
        assert_eq!((response.status(), response.text()), (203, "a \"b\" <c>"));
        assert_eq!(response.header("x-one"), Some("1"));
        assert_eq!(response.header("x-two"), Some("t w o"));
        assert_eq!(response.header("content-type"), None);
    }
}

#[tokio::test]
async fn a_fault_applies_only_to_matching_requests() {
    let fixture = Fixture::new().await;
    let veeam = fixture.veeam();
    for (words, hit) in [
        ("POST status=503", false),
        ("GET /API/QUERY status=503", true),
        ("target=type=cloudvmreplicapoint status=503", true),
        ("/vmReplicaPoints status=503", false),
    ] {
        veeam.inject(words).await;
        assert_eq!(veeam.get_and_close().await.status() == 503, hit, "{words}");
        let (status, _) = fixture.admin(reqwest::Method::DELETE, "/veeam/faults", "").await;
        assert_eq!(status, 200);
    }
    // The target is also compared percent-decoded.
    veeam.inject(r#"target="VmName==\"srv39\"" status=503"#).await;
    veeam.inject("target=VmName==srv39 times=1 status=504").await;
    let target = format!("{}&filter=VmName%3d%3dsrv39", veeam.target);
    assert_eq!(veeam.request("GET", &target, "Connection: close\r\n").await.status(), 504);
}

//! Answers that are not the real ones.

use serde_json::Value;

use super::fixture::{Bench, End, Seen, Vendor};

/// The refusal is in the vendor's own words.
fn assert_refused(vendor: &Vendor<'_>, seen: &Seen, status: u16) {
    assert_eq!((seen.status(), &seen.end), (status, &End::Goodbye), "{} {seen:?}", vendor.name);
    if vendor.name == "azure" {
        let body: Value = serde_json::from_str(seen.text()).unwrap();
        assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string());
        assert!(seen.header("x-ms-request-id").is_some());
    } else {
        assert!(seen.text().contains(&format!("StatusCode=\"{status}\"")), "{}", seen.text());
        assert!(seen.text().contains("<Error "), "{}", seen.text());
    }
}

#[tokio::test]
async fn bursts_of_any_refusal_with_and_without_retry_after() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        for status in [400, 401, 403, 404, 408, 409, 412, 418, 429, 500, 501, 502, 503, 504] {
            vendor.order(&format!("GET times=2 status={status}")).await;
            vendor.order(&format!("GET times=1 status={status} retry_after=17")).await;
            for _ in 0..2 {
                let seen = vendor.read_last().await;
                assert_refused(&vendor, &seen, status);
                assert_eq!(seen.header("retry-after"), None);
            }
            let seen = vendor.read_last().await;
            assert_refused(&vendor, &seen, status);
            assert_eq!(seen.header("retry-after"), Some("17"));
        }
        vendor.whole().await;
    }
    let azure = bench.azure();
    for (status, code) in [
        (401, "InvalidAuthenticationToken"),
        (403, "AuthorizationFailed"),
        (429, "ResourceRequestsThrottled"),
        (502, "BadGatewayConnection"),
        (504, "GatewayTimeout"),
    ] {
        azure.order(&format!("GET times=1 status={status}")).await;
        let body: Value = serde_json::from_str(azure.read_last().await.text()).unwrap();
        assert_eq!(body["error"]["code"], code);
    }
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_list() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        vendor.order("GET skip=2 times=1 status=401").await;
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(vendor.read_last().await.status());
        }
        assert_eq!(statuses, [200, 200, 401, 200], "{}", vendor.name);
    }
}

#[tokio::test]
async fn a_proxys_page_in_place_of_the_answer() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        vendor.order("GET times=1 html").await;
        vendor.order("GET times=1 html status=502").await;
        for status in [200, 502] {
            let seen = vendor.read_last().await;
            assert_eq!(seen.status(), status);
            assert_eq!(seen.header("content-type"), Some("text/html; charset=utf-8"));
            assert!(seen.text().starts_with("<!DOCTYPE html>"), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn the_real_answer_under_a_wrong_type() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        let whole = vendor.whole().await;
        vendor.order("GET times=1 content_type=application/pdf").await;
        let seen = vendor.read_last().await;
        assert_eq!(seen.header("content-type"), Some("application/pdf"));
        assert_eq!(seen.body.len(), whole.len());
    }
}

#[tokio::test]
async fn an_answer_word_by_word() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        vendor
            .order(r#"GET times=1 status=203 body="a \"b\" <c>" header="X-One: 1" header="X-Two: t w o""#)
            .await;
        let seen = vendor.read_last().await;
        assert_eq!((seen.status(), seen.text()), (203, "a \"b\" <c>"));
        assert_eq!(seen.header("x-one"), Some("1"));
        assert_eq!(seen.header("x-two"), Some("t w o"));
        assert_eq!(seen.header("content-type"), None);
    }
}

#[tokio::test]
async fn a_fault_hits_what_it_was_meant_for() {
    let bench = Bench::new().await;
    let veeam = bench.veeam();
    for (words, hit) in [
        ("POST status=503", false),
        ("GET /API/QUERY status=503", true),
        ("target=type=cloudvmreplicapoint status=503", true),
        ("/vmReplicaPoints status=503", false),
    ] {
        veeam.order(words).await;
        assert_eq!(veeam.read_last().await.status() == 503, hit, "{words}");
        let (status, _) = bench.admin(reqwest::Method::DELETE, "/veeam/faults", "").await;
        assert_eq!(status, 200);
    }
    // Percent escapes do not hide a filter.
    veeam.order(r#"target="VmName==\"srv39\"" status=503"#).await;
    veeam.order("target=VmName==srv39 times=1 status=504").await;
    let target = format!("{}&filter=VmName%3d%3dsrv39", veeam.target);
    assert_eq!(veeam.ask("GET", &target, "Connection: close\r\n").await.status(), 504);
}

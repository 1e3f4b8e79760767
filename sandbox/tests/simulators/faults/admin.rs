//! The admin API: words, JSON and errors.

use reqwest::Method;
use restore_point_sandbox::{FaultSpec, VendorInfo, azure, veeam_em};
use serde_json::{Value, json};

use super::fixture::Fixture;

const VENDORS: [VendorInfo; 2] = [azure::VENDOR, veeam_em::VENDOR];

#[tokio::test]
async fn words_and_json_describe_the_same_faults() {
    let fixture = Fixture::new().await;
    for (words, members) in [
        ("GET /query status=503", json!({"method": "GET", "target": "/query", "status": 503})),
        (
            "times=3 skip=1 status=429 retry_after=5",
            json!({"skip": 1, "times": 3, "status": 429, "retry_after": 5}),
        ),
        ("latency_ms=200", json!({"latency_ms": 200})),
        ("html", json!({"html": true, "status": 200})),
        ("html status=502 truncate=10", json!({"html": true, "status": 502, "truncate": 10})),
        (
            r#"body="a b" header="X: 1" header="Y: 2""#,
            json!({"body": "a b", "status": 200, "header": ["x: 1", "y: 2"]}),
        ),
        ("content_type=text/html", json!({"content_type": "text/html"})),
        ("bytes_per_second=5 chunked", json!({"bytes_per_second": 5, "chunked": true})),
        ("truncate=50%", json!({"truncate": "50%"})),
        ("reset=before", json!({"reset": "before"})),
        ("reset=during", json!({"reset": "50%"})),
        ("reset=7", json!({"reset": 7})),
        ("reset=after", json!({"reset": "after"})),
        ("lose_reply", json!({"lose_reply": true})),
        ("hang_up", json!({"hang_up": true})),
        ("silence latency_ms=1", json!({"latency_ms": 1, "silence": true})),
    ] {
        for vendor in ["azure", "veeam"] {
            let path = format!("/{vendor}/faults");
            for body in [words, &members.to_string()] {
                let (status, added) = fixture.admin(Method::POST, &path, body).await;
                assert_eq!((status, &added["fault"]), (201, &members), "{words}");
            }
            let spec = FaultSpec::parse(&format!("{vendor}: {words}"), &VENDORS).unwrap();
            assert_eq!(spec.vendor(), vendor, "{words}");
        }
    }
    let vendor_fault = json!({"fail_creation": "X", "message": "y z", "lose_reply": true});
    let added = fixture.admin(Method::POST, "/azure/faults", &vendor_fault.to_string()).await;
    assert_eq!((added.0, &added.1["fault"]), (201, &vendor_fault));
}

#[tokio::test]
async fn errors_name_field_problem_and_remedy() {
    let fixture = Fixture::new().await;
    for (words, field) in [
        ("", "fault"),
        ("GET /query", "fault"),
        ("times=2", "fault"),
        ("LOOK status=503", "method"),
        ("statsu=503", "statsu"),
        ("status=200", "status"),
        ("status=99", "status"),
        ("status=soon", "status"),
        ("status=503 status=504", "status"),
        ("status=503 times=0", "times"),
        ("status=503 skip=-1", "skip"),
        ("retry_after=5", "retry_after"),
        ("status=503 retry_after=soon", "retry_after"),
        ("latency_ms=3600001", "latency_ms"),
        ("latency_ms=1.5", "latency_ms"),
        ("truncate=101%", "truncate"),
        ("truncate", "truncate"),
        ("reset=never", "reset"),
        ("reset=before status=503", "reset"),
        ("hang_up silence", "hang_up"),
        ("truncate=5 reset=after", "truncate"),
        ("lose_reply status=503", "lose_reply"),
        ("silence chunked", "silence"),
        ("chunked=yes", "chunked"),
        ("bytes_per_second=0", "bytes_per_second"),
        ("html body=x", "html"),
        ("body=x header=y", "header"),
        (r#"body="x"#, "fault"),
        ("{", "body"),
        (r#"{"status": {"code": 503}}"#, "status"),
        (r#"{"times": 1.5, "status": 503}"#, "times"),
        ("fail_creation=X", "fail_creation"),
    ] {
        let (status, body) = fixture.admin(Method::POST, "/veeam/faults", words).await;
        assert_eq!((status, body["error"]["field"].as_str()), (400, Some(field)), "{words} {body}");
        for member in ["problem", "remedy"] {
            assert!(!body["error"][member].as_str().unwrap().is_empty(), "{words} {body}");
        }
    }
    for (words, field) in [
        ("message=x", "message"),
        ("fail_creation=X status=503", "fail_creation"),
        ("fail_creation=X hang_up", "hang_up"),
    ] {
        let (status, body) = fixture.admin(Method::POST, "/azure/faults", words).await;
        assert_eq!((status, body["error"]["field"].as_str()), (400, Some(field)), "{words} {body}");
    }
    let (_, none) = fixture.admin(Method::GET, "/veeam/faults", "").await;
    assert_eq!(none, json!({ "faults": [] }), "a rejected fault is not added");

    let unknown = "00000000-0000-0000-0000-000000000000";
    for (method, path, body, status, field) in [
        (Method::GET, "/nothing", "", 404, "path"),
        (Method::PUT, "/clock", "", 405, "method"),
        (Method::GET, "/gcp/faults", "", 404, "vendor"),
        (Method::GET, "/azure/faults/1", "", 404, "id"),
        (Method::DELETE, "/azure/faults/one", "", 404, "id"),
        (Method::POST, "/clock", "", 400, "advance_seconds"),
        (Method::POST, "/clock", "advance_seconds=1 x=2", 400, "x"),
        (Method::POST, "/azure/clock", "skew_seconds=999999999999", 400, "skew_seconds"),
        (Method::POST, "/azure/clock", "skew_seconds=-9223372036854775808", 400, "skew_seconds"),
        (Method::POST, "/azure/failed_replications", "point=/x", 400, "disk"),
        (Method::POST, "/azure/failed_replications", "point=/x disk=y", 404, "point"),
        (Method::POST, "/veeam/points", "vm=x", 400, "replica"),
        (Method::POST, "/veeam/points", &format!("vm=x replica={unknown}"), 404, "replica"),
        (Method::POST, &format!("/veeam/points/{unknown}"), "state=Ready", 404, "id"),
        (Method::DELETE, "/veeam/points/x", "", 404, "id"),
    ] {
        let (received, body) = fixture.admin(method, path, body).await;
        assert_eq!(
            (received, body["error"]["field"].as_str()),
            (status, Some(field)),
            "{path} {body}"
        );
    }
}

#[test]
fn a_fault_for_an_unknown_vendor_is_rejected() {
    for text in ["gcp: status=503", "status=503", "", ": status=503"] {
        let error = FaultSpec::parse(text, &VENDORS).unwrap_err();
        assert_eq!(error.field, "vendor", "{text}");
        assert!(error.remedy.contains("'azure:' or 'veeam:'"), "{error}");
    }
    let error = FaultSpec::parse("veeam: fail_creation=X status=503", &VENDORS).unwrap_err();
    assert_eq!(error.field, "fail_creation", "it is a fault of azure only");
}

#[tokio::test]
async fn faults_are_counted_and_removed() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        let path = format!("/{}/faults", vendor.name);
        vendor.inject("GET skip=1 times=2 status=503").await;
        vendor.inject("status=504").await;
        for status in [504, 503] {
            assert_eq!(vendor.get_and_close().await.status(), status);
        }
        let (_, body) = fixture.admin(Method::GET, &path, "").await;
        let counts = |of: &Value| (of["id"].clone(), of["hits"].clone(), of["left"].clone());
        assert_eq!(counts(&body["faults"][0]), (json!(1), json!(1), json!(1)));
        assert_eq!(counts(&body["faults"][1]), (json!(2), json!(1), Value::Null));
        for status in [503, 504] {
            assert_eq!(vendor.get_and_close().await.status(), status);
        }
        let (_, used_up) = fixture.admin(Method::GET, &format!("{path}/1"), "").await;
        assert_eq!(counts(&used_up), (json!(1), json!(2), json!(0)));

        let cleared = fixture.admin(Method::DELETE, &format!("{path}/2"), "").await;
        assert_eq!(cleared, (200, json!({ "cleared": 1 })));
        vendor.full_body().await;
        assert_eq!(fixture.admin(Method::DELETE, &format!("{path}/2"), "").await.0, 404);
        vendor.inject("status=503").await;
        let cleared = fixture.admin(Method::DELETE, &path, "").await;
        assert_eq!(cleared, (200, json!({ "cleared": 2 })));
        vendor.full_body().await;
    }
}

#[tokio::test]
async fn calls_are_counted_whatever_their_responses() {
    let fixture = Fixture::new().await;
    for vendor in fixture.vendors() {
        let path = format!("/{}/calls", vendor.name);
        fixture.admin(Method::DELETE, &path, "").await;
        vendor.inject("times=1 hang_up").await;
        vendor.get().await;
        vendor.full_body().await;
        let (_, calls) = fixture.admin(Method::GET, &path, "").await;
        assert_eq!(calls["total"], 2, "{calls}");
        let path_of_target = vendor.target.split('?').next().unwrap();
        assert_eq!(
            calls["calls"],
            json!([{ "method": "GET", "path": path_of_target, "count": 2 }])
        );
    }
}

#[tokio::test]
async fn advancing_the_clock_moves_all_vendors() {
    let fixture = Fixture::new().await;
    fixture.admin(Method::POST, "/azure/clock", "skew_seconds=-60").await;
    let (_, clocks) = fixture.admin(Method::POST, "/clock", "advance_seconds=3600").await;
    let expected = json!({
        "now": "2026-03-01T13:00:00Z",
        "azure": { "now": "2026-03-01T12:59:00Z", "skew_seconds": -60 },
        "veeam": { "now": "2026-03-01T13:00:00Z", "skew_seconds": 0 },
    });
    assert_eq!(clocks, expected);
    assert_eq!(fixture.admin(Method::GET, "/clock", "").await, (200, expected));
}

#[tokio::test]
async fn the_example_on_the_help_page_works() {
    let fixture = Fixture::new().await;
    let page = fixture.http.get(fixture.admin.url()).send().await.unwrap().text().await.unwrap();
    let example = page.lines().last().unwrap();
    assert!(example.contains(&format!("{}/veeam/faults", fixture.admin.url())), "{example}");
    let words = example.split('\'').nth(1).unwrap();
    assert_eq!(fixture.admin(Method::POST, "/veeam/faults", words).await.0, 201, "{words}");
}

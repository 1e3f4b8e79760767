//! The admin path itself: its words, its JSON, its refusals.

use reqwest::Method;
use restore_point_sandbox::FaultOrder;
use serde_json::{Value, json};

use super::fixture::Bench;

#[tokio::test]
async fn words_and_json_order_the_same_and_are_told_back() {
    let bench = Bench::new().await;
    for (words, order) in [
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
            for body in [words, &order.to_string()] {
                let (status, added) = bench.admin(Method::POST, &path, body).await;
                assert_eq!((status, &added["fault"]), (201, &order), "{words}");
            }
            assert!(format!("{vendor}: {words}").parse::<FaultOrder>().is_ok(), "{words}");
        }
    }
    let own = json!({"fail_creation": "X", "message": "y z", "lose_reply": true});
    let added = bench.admin(Method::POST, "/azure/faults", &own.to_string()).await;
    assert_eq!((added.0, &added.1["fault"]), (201, &own));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_field_and_remedy() {
    let bench = Bench::new().await;
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
        let (status, body) = bench.admin(Method::POST, "/veeam/faults", words).await;
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
        let (status, body) = bench.admin(Method::POST, "/azure/faults", words).await;
        assert_eq!((status, body["error"]["field"].as_str()), (400, Some(field)), "{words} {body}");
    }
    let (_, none) = bench.admin(Method::GET, "/veeam/faults", "").await;
    assert_eq!(none, json!({ "faults": [] }), "what is refused is not there");

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
        let (told, body) = bench.admin(method, path, body).await;
        assert_eq!((told, body["error"]["field"].as_str()), (status, Some(field)), "{path} {body}");
    }
}

#[tokio::test]
async fn faults_are_counted_and_cleared() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        let path = format!("/{}/faults", vendor.name);
        vendor.order("GET skip=1 times=2 status=503").await;
        vendor.order("status=504").await;
        for status in [504, 503] {
            assert_eq!(vendor.read_last().await.status(), status);
        }
        let (_, body) = bench.admin(Method::GET, &path, "").await;
        let told = |of: &Value| (of["id"].clone(), of["hits"].clone(), of["left"].clone());
        assert_eq!(told(&body["faults"][0]), (json!(1), json!(1), json!(1)));
        assert_eq!(told(&body["faults"][1]), (json!(2), json!(1), Value::Null));
        for status in [503, 504] {
            assert_eq!(vendor.read_last().await.status(), status);
        }
        let (_, used_up) = bench.admin(Method::GET, &format!("{path}/1"), "").await;
        assert_eq!(told(&used_up), (json!(1), json!(2), json!(0)));

        let cleared = bench.admin(Method::DELETE, &format!("{path}/2"), "").await;
        assert_eq!(cleared, (200, json!({ "cleared": 1 })));
        vendor.whole().await;
        assert_eq!(bench.admin(Method::DELETE, &format!("{path}/2"), "").await.0, 404);
        vendor.order("status=503").await;
        let cleared = bench.admin(Method::DELETE, &path, "").await;
        assert_eq!(cleared, (200, json!({ "cleared": 2 })));
        vendor.whole().await;
    }
}

#[tokio::test]
async fn calls_are_counted_whatever_becomes_of_them() {
    let bench = Bench::new().await;
    for vendor in bench.both() {
        let path = format!("/{}/calls", vendor.name);
        bench.admin(Method::DELETE, &path, "").await;
        vendor.order("times=1 hang_up").await;
        vendor.read().await;
        vendor.whole().await;
        let (_, calls) = bench.admin(Method::GET, &path, "").await;
        assert_eq!(calls["total"], 2, "{calls}");
        let asked = vendor.target.split('?').next().unwrap();
        assert_eq!(calls["calls"], json!([{ "method": "GET", "path": asked, "count": 2 }]));
    }
}

#[tokio::test]
async fn time_passes_for_both_vendors() {
    let bench = Bench::new().await;
    bench.admin(Method::POST, "/azure/clock", "skew_seconds=-60").await;
    let (_, face) = bench.admin(Method::POST, "/clock", "advance_seconds=3600").await;
    let expected = json!({
        "now": "2026-03-01T13:00:00Z",
        "azure": { "now": "2026-03-01T12:59:00Z", "skew_seconds": -60 },
        "veeam": { "now": "2026-03-01T13:00:00Z", "skew_seconds": 0 },
    });
    assert_eq!(face, expected);
    assert_eq!(bench.admin(Method::GET, "/clock", "").await, (200, expected));
}

#[tokio::test]
async fn the_first_page_says_how_to_use_it() {
    let bench = Bench::new().await;
    let page = bench.http.get(bench.admin.url()).send().await.unwrap().text().await.unwrap();
    let example = page.lines().last().unwrap();
    assert!(example.contains(&format!("{}/veeam/faults", bench.admin.url())), "{example}");
    let words = example.split('\'').nth(1).unwrap();
    assert_eq!(bench.admin(Method::POST, "/veeam/faults", words).await.0, 201, "{words}");
}

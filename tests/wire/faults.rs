//! What the gateway makes of each fault of a vendor: the right code, never a shorter list, and no effect
//! twice. What errors look like in detail is in `errors.rs`; lost replies of writes are in `copy.rs` and
//! `create_collection.rs`.

use std::time::Duration;

use http::Method;
use restore_point_gateway::proto::{ListRequest, RestorePoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::TestGateway;

const BACKENDS: [&str; 2] = ["azure", "veeam"];

fn order(gateway: &TestGateway, words: &str) {
    match words.split_once(": ").unwrap() {
        ("azure", words) => gateway.azure.add_fault(words.parse().unwrap()),
        (_, words) => gateway.veeam.add_fault(words.parse().unwrap()),
    }
}

/// How many reads come before the one that is hit: Veeam's whole list is one read here.
fn middle(backend: &str) -> usize {
    usize::from(backend == "azure")
}

/// Azure reads two collections a page, so that its list has a middle.
async fn gateway() -> TestGateway {
    TestGateway::with(|plan| plan.azure.page_size = 2).await
}

async fn list(gateway: &TestGateway, backend: &str) -> Result<Vec<RestorePoint>, Status> {
    let parent = format!("backends/{backend}/collections/-");
    let request = ListRequest { parent, ..Default::default() };
    gateway.client().list(request).await.map(|page| page.into_inner().restore_points)
}

async fn list_within(gateway: &TestGateway, backend: &str, limit: Duration) -> Status {
    let parent = format!("backends/{backend}/collections/-");
    let mut request = Request::new(ListRequest { parent, ..Default::default() });
    request.set_timeout(limit);
    gateway.client().list(request).await.unwrap_err()
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_error_details().error_info().unwrap().reason.clone())
}

#[tokio::test]
async fn what_passes_is_not_told() {
    let gateway = gateway().await;
    for backend in BACKENDS {
        let whole = list(&gateway, backend).await.unwrap();
        for words in [
            "latency_ms=5",
            "status=503",
            "html status=502",
            "content_type=application/pdf",
            "bytes_per_second=1000000",
            "chunked",
            "truncate=50%",
            "chunked truncate=50%",
            "reset=before",
            "reset=0",
            "reset=during",
            "reset=after",
            "hang_up",
        ] {
            order(&gateway, &format!("{backend}: GET skip={} times=1 {words}", middle(backend)));
            let listed = list(&gateway, backend).await;
            let names = |points: &[RestorePoint]| -> Vec<String> {
                points.iter().map(|point| point.name.clone()).collect()
            };
            let listed = listed.map(|points| names(&points)).map_err(|status| status.to_string());
            assert_eq!(listed, Ok(names(&whole)), "{backend} {words}");
        }
    }
}

#[tokio::test]
async fn what_does_not_pass_is_never_a_shorter_list() {
    let down = (Code::Unavailable, "BACKEND_UNAVAILABLE");
    let senseless = (Code::Internal, "BACKEND_RESPONSE_INVALID");
    let rows = [
        ("status=429 retry_after=30", (Code::Unavailable, "BACKEND_THROTTLED")),
        ("status=429", (Code::Unavailable, "BACKEND_THROTTLED")),
        ("status=503 retry_after=30", down),
        ("status=503", down),
        ("status=502", down),
        ("status=403", (Code::PermissionDenied, "BACKEND_FORBIDDEN")),
        ("status=401", (Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED")),
        ("html", senseless),
        ("html status=503", down),
        ("truncate=0", senseless),
        ("truncate=50%", senseless),
        ("truncate=99%", senseless),
        ("chunked truncate=99%", senseless),
        ("reset=during", senseless),
        ("reset=before", down),
        ("hang_up", down),
    ];
    let judge = async |backend, words, expected| {
        let gateway = gateway().await;
        order(&gateway, &format!("{backend}: GET skip={} {words}", middle(backend)));
        let status = list(&gateway, backend).await.unwrap_err();
        let (code, told) = reason(&status);
        assert_eq!((code, told.as_str()), expected, "{backend} {words}: {status:?}");
        let again = status.get_details_retry_info();
        let wants_again = code == Code::Unavailable && told != "BACKEND_CREDENTIAL_REFUSED";
        assert_eq!(again.is_some(), wants_again, "{backend} {words}: {status:?}");
    };
    // At once, because each waits for the pauses between the gateway's attempts.
    let judge = &judge;
    let all = rows
        .into_iter()
        .flat_map(|(words, expected)| BACKENDS.map(|backend| judge(backend, words, expected)));
    futures::future::join_all(all).await;
}

#[tokio::test]
async fn a_deadline_ends_what_the_vendor_does_not() {
    let gateway = gateway().await;
    for backend in BACKENDS {
        for words in ["silence", "latency_ms=3600000", "bytes_per_second=1"] {
            order(&gateway, &format!("{backend}: GET times=1 {words}"));
            let status = list_within(&gateway, backend, Duration::from_millis(300)).await;
            // tonic's channel ends a call at its deadline too, under this name, and may come first.
            let ended = matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled);
            assert!(ended, "{backend} {words}: {status:?}");
        }
        list(&gateway, backend).await.unwrap();
    }
}

#[tokio::test]
async fn a_401_in_the_middle_of_a_list_is_answered_by_a_new_logon() {
    let gateway = TestGateway::with(|plan| {
        plan.azure.page_size = 2;
        plan.veeam.points = 250;
    })
    .await;
    for backend in BACKENDS {
        let all = async || {
            let parent = format!("backends/{backend}/collections/-");
            let request = ListRequest { parent, page_size: 100, ..Default::default() };
            gateway.list_all(request).await
        };
        let whole = all().await;
        order(&gateway, &format!("{backend}: GET skip=2 times=1 status=401"));
        assert_eq!(all().await, whole, "{backend}");
    }
    assert_eq!(gateway.veeam.count(&Method::POST, "/sessionMngr"), 2, "it logged on again, once");
}

#[tokio::test]
async fn a_copy_whose_reply_is_lost_happens_once() {
    let gateway = gateway().await;
    let target = gateway.target("rg-prod~rpc-north", "northeurope").await;
    order(&gateway, "azure: PUT /restorePoints/ times=1 lose_reply");
    let copy = gateway.copy(2, &target).await.restore_point.unwrap();
    assert_eq!(copy.name, format!("{target}/restorePoints/the-copy"));
    let puts = gateway.azure.calls().count(&Method::PUT, restore_point_sandbox::azure::Kind::Point);
    assert_eq!(puts, 1);
}

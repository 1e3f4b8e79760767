//! Each fault of a vendor leads to the right code, never to a shorter list or a repeated effect. The details of errors
//! are tested in `errors.rs`, the lost replies of writes in `copy.rs` and `create_collection.rs`.

use std::time::Duration;

use futures::future::join_all;
use http::Method;
use restore_point_gateway::proto::{ListRequest, RestorePoint};
use restore_point_sandbox::azure::Kind;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::{COPY_ID, TestGateway};
use restore_point_test_support::names::{BACKENDS, EVERYTHING, SRV39, azure_point};
use restore_point_test_support::wait::{advance, eventually, in_time};

/// How many requests of a list succeed before the fault. Here Veeam's list is a single request.
fn skip(backend: &str) -> usize {
    usize::from(backend == "azure")
}

/// Azure returns two collections a page, so that its list takes several requests.
async fn gateway() -> TestGateway {
    TestGateway::start_with(|settings| settings.azure.page_size = 2).await
}

fn request(backend: &str) -> ListRequest {
    ListRequest { parent: format!("backends/{backend}/collections/-"), ..Default::default() }
}

async fn list(gateway: &TestGateway, backend: &str) -> Result<Vec<RestorePoint>, Status> {
    gateway.list(request(backend)).await.map(|page| page.restore_points)
}

/// How many requests the vendor has received.
fn sent(gateway: &TestGateway, backend: &str) -> usize {
    match backend {
        "azure" => gateway.azure.calls().total(),
        _ => gateway.veeam.calls().values().sum(),
    }
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_error_details().error_info().unwrap().reason.clone())
}

#[tokio::test]
async fn a_transient_fault_is_not_visible_to_the_caller() {
    let gateway = gateway().await;
    for backend in BACKENDS {
        let expected = list(&gateway, backend).await.unwrap();
        for fault in [
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
            gateway.inject_fault(backend, &format!("GET skip={} times=1 {fault}", skip(backend)));
            let listed = list(&gateway, backend).await;
            let names = |points: &[RestorePoint]| -> Vec<String> {
                points.iter().map(|point| point.name.clone()).collect()
            };
            let listed = listed.map(|points| names(&points)).map_err(|status| status.to_string());
            assert_eq!(listed, Ok(names(&expected)), "{backend} {fault}");
        }
    }
}

#[tokio::test]
async fn a_permanent_fault_is_an_error_and_never_a_shorter_list() {
    let unavailable = (Code::Unavailable, "BACKEND_UNAVAILABLE");
    let invalid = (Code::Internal, "BACKEND_RESPONSE_INVALID");
    let cases = [
        ("status=429 retry_after=30", (Code::Unavailable, "BACKEND_THROTTLED")),
        ("status=429", (Code::Unavailable, "BACKEND_THROTTLED")),
        ("status=503 retry_after=30", unavailable),
        ("status=503", unavailable),
        ("status=502", unavailable),
        ("status=403", (Code::PermissionDenied, "BACKEND_FORBIDDEN")),
        ("status=401", (Code::Unavailable, "BACKEND_CREDENTIAL_REFUSED")),
        ("html", invalid),
        ("html status=503", unavailable),
        ("truncate=0", invalid),
        ("truncate=50%", invalid),
        ("truncate=99%", invalid),
        ("chunked truncate=99%", invalid),
        ("reset=during", invalid),
        ("reset=before", unavailable),
        ("hang_up", unavailable),
    ];
    let check = async |backend, fault, expected| {
        let gateway = gateway().await;
        gateway.inject_fault(backend, &format!("GET skip={} {fault}", skip(backend)));
        let status = list(&gateway, backend).await.unwrap_err();
        let (code, reason) = reason(&status);
        assert_eq!((code, reason.as_str()), expected, "{backend} {fault}: {status:?}");
        let retry_info = status.get_details_retry_info();
        let is_retryable = code == Code::Unavailable && reason != "BACKEND_CREDENTIAL_REFUSED";
        assert_eq!(retry_info.is_some(), is_retryable, "{backend} {fault}: {status:?}");
    };
    // Concurrently, because each case waits for the backoff between the gateway's attempts.
    let check = &check;
    let checks = cases
        .into_iter()
        .flat_map(|(fault, expected)| BACKENDS.map(|backend| check(backend, fault, expected)));
    join_all(checks).await;
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_though_the_vendor_does_not_respond() {
    let gateway = gateway().await;
    for backend in BACKENDS {
        for fault in ["silence", "latency_ms=3600000", "bytes_per_second=1"] {
            gateway.inject_fault(backend, &format!("GET times=1 {fault}"));
            let before = sent(&gateway, backend);
            let timeout = Duration::from_secs(30);
            let mut client = gateway.bare_client(Some(timeout)).await;
            let request = request(backend);
            let call = tokio::spawn(async move { client.list(request).await });
            eventually(|| sent(&gateway, backend) > before).await;
            advance(timeout).await;
            let status = in_time(call).await.unwrap().unwrap_err();
            let expected = (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned());
            assert_eq!(reason(&status), expected, "{backend} {fault}: {status:?}");
        }
        list(&gateway, backend).await.unwrap();
    }
}

#[tokio::test]
async fn a_401_in_the_middle_of_a_list_leads_to_a_new_logon() {
    let gateway = TestGateway::start_with(|settings| {
        settings.azure.page_size = 2;
        settings.veeam.points = 250;
    })
    .await;
    for backend in BACKENDS {
        let request = ListRequest { page_size: 100, ..request(backend) };
        let expected = gateway.list_all(request.clone()).await;
        gateway.inject_fault(backend, "GET skip=2 times=1 status=401");
        assert_eq!(gateway.list_all(request).await, expected, "{backend}");
    }
    let logons = gateway.veeam.count(&Method::POST, "/sessionMngr");
    assert_eq!(logons, 2, "the first logon and one after the 401");
}

#[tokio::test]
async fn a_copy_whose_reply_is_lost_is_started_once() {
    let gateway = gateway().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    gateway.inject_fault("azure", "PUT /restorePoints/ times=1 lose_reply");
    let copy = gateway.start_copy(2, &target).await.restore_point.unwrap();
    assert_eq!(copy.name, format!("{target}/restorePoints/{COPY_ID}"));
    assert_eq!(gateway.azure.calls().count(&Method::PUT, Kind::Point), 1);
}

#[tokio::test]
async fn a_silent_vendor_does_not_cost_a_merged_list_the_points_of_the_others() {
    let gateway = gateway().await;
    let [azure, veeam] = BACKENDS;
    let points = [list(&gateway, azure).await.unwrap(), list(&gateway, veeam).await.unwrap()];
    for (backend, expected) in [(veeam, &points[0]), (azure, &points[1])] {
        gateway.inject_fault(backend, "silence");
        let list = ListRequest { parent: EVERYTHING.to_owned(), ..Default::default() };
        let mut request = Request::new(list);
        request.set_timeout(Duration::from_secs(2));
        let response = gateway.client().list(request).await.unwrap().into_inner();
        assert_eq!(response.unreachable, [format!("backends/{backend}")]);
        assert_eq!(response.restore_points, *expected);
        gateway.clear_faults();
    }
}

#[tokio::test]
async fn a_retry_after_holds_all_reads_of_its_backend() {
    let gateway = gateway().await;
    for (backend, name) in
        [("azure", azure_point(&gateway.azure.seeded().points[0])), ("veeam", SRV39.to_owned())]
    {
        for fault in ["status=429 retry_after=30", "status=503 retry_after=30"] {
            let sent = || sent(&gateway, backend);
            gateway.get(&name).await.unwrap();
            gateway.inject_fault(backend, &format!("GET {fault}"));
            let before = sent();
            for _ in 0..20 {
                let status = gateway.get(&name).await.unwrap_err();
                let delay = status.get_error_details().retry_info().unwrap().retry_delay.unwrap();
                assert!((20..=30).contains(&delay.as_secs()), "{delay:?}");
            }
            assert_eq!(sent() - before, 1, "{backend} {fault}");
            gateway.clear_faults();
            advance(Duration::from_secs(31)).await;
            gateway.get(&name).await.unwrap();
        }
    }
}

//! The circuit breaker of a backend: it opens when the vendor does not respond, lets single trial requests through, and
//! does not release a burst of requests when the vendor is back. Single failures are tested in `faults.rs`.

use std::time::Instant;

use futures::future::join_all;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{GetRequest, ListRequest, WatchStatusRequest};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::{MIN_POLL_INTERVAL, TestGateway};
use restore_point_test_support::names::{BACKENDS, azure_collection};
use restore_point_test_support::wait::{eventually, in_time};

/// How many requests the vendor of a backend has received.
fn requests(gateway: &TestGateway, backend: &str) -> usize {
    match backend {
        "azure" => gateway.azure.calls().total(),
        _ => gateway.veeam.calls().values().sum(),
    }
}

/// The names of some points of a backend, each of which takes one request to read.
async fn points(gateway: &TestGateway, backend: &str) -> Vec<String> {
    let parent = match backend {
        "azure" => azure_collection(&gateway.azure.seeded().collection),
        _ => "backends/veeam/collections/-".to_owned(),
    };
    let listed = gateway.list_all(ListRequest { parent, ..Default::default() }).await;
    let names = listed.into_iter().map(|point| point.name);
    // Points of backups take more requests.
    names.filter(|name| !name.contains("backup~")).take(5).collect()
}

fn is_circuit_open(status: &Status) -> bool {
    status.message().contains("circuit breaker is open")
}

/// Reads points until the circuit breaker opens. Returns the status of a call that it rejected.
async fn open_circuit(gateway: &TestGateway, names: &[String]) -> Status {
    in_time(async {
        loop {
            let results = join_all(names.iter().map(|name| gateway.get(name))).await;
            let mut failures = results.into_iter().map(Result::unwrap_err);
            if let Some(rejection) = failures.find(is_circuit_open) {
                return rejection;
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_open_circuit_breaker_lets_one_trial_request_through_at_a_time() {
    let gateway = TestGateway::start().await;
    for backend in BACKENDS {
        let names = points(&gateway, backend).await;
        assert!(names.len() > 2, "{backend}");
        gateway.inject_fault(backend, "hang_up");
        let rejection = open_circuit(&gateway, &names).await;
        assert_eq!(rejection.code(), Code::Unavailable, "{rejection:?}");
        let details = rejection.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "BACKEND_UNAVAILABLE");
        assert_eq!(details.error_info().unwrap().metadata["backend"], backend);
        assert!(details.retry_info().unwrap().retry_delay.unwrap().as_millis() > 0);
        assert!(rejection.message().contains("has not responded since 20"), "{rejection:?}");

        // The vendor accepts requests again, but does not respond to the trial request.
        gateway.clear_faults();
        gateway.inject_fault(backend, "times=1 silence");
        let before = requests(&gateway, backend);
        let (client, name) = (gateway.client(), names[0].clone());
        let trial = tokio::spawn(async move {
            let request = GetRequest { name, view: 0 };
            while client.clone().get(request.clone()).await.is_err() {}
        });
        eventually(|| requests(&gateway, backend) > before).await;
        for _ in 0..10 {
            for result in join_all(names.iter().map(|name| gateway.get(name))).await {
                let status = result.unwrap_err();
                assert!(is_circuit_open(&status), "{status:?}");
            }
        }
        assert_eq!(requests(&gateway, backend), before + 1, "{backend}: only the trial request");

        // After the trial call is cancelled, the next call is the trial, and closes the circuit breaker.
        trial.abort();
        in_time(async {
            while let Err(status) = gateway.get(&names[1]).await {
                assert!(is_circuit_open(&status), "{status:?}");
            }
        })
        .await;
        assert_eq!(requests(&gateway, backend), before + 2, "{backend}: one more trial request");
        for result in join_all(names.iter().map(|name| gateway.get(name))).await {
            result.unwrap();
        }
    }
}

#[tokio::test]
async fn error_responses_do_not_open_the_circuit_breaker() {
    let gateway = TestGateway::start().await;
    for backend in BACKENDS {
        let names = points(&gateway, backend).await;
        for fault in [
            "status=400",
            "status=401",
            "status=403",
            "status=404",
            "status=409",
            "status=429",
            "status=500",
            "status=501",
            "truncate=0",
            "status=503 retry_after=10",
        ] {
            gateway.inject_fault(backend, &format!("GET {fault}"));
            let before = requests(&gateway, backend);
            for _ in 0..3 {
                for result in join_all(names.iter().map(|name| gateway.get(name))).await {
                    let rejected = result.as_ref().err().is_some_and(is_circuit_open);
                    assert!(!rejected, "{backend} {fault}: {result:?}");
                }
            }
            let requests = requests(&gateway, backend) - before;
            // All but the first wait for the Retry-After.
            let sent = if fault.contains("retry_after") { 1 } else { 15 };
            assert!(requests >= sent, "{backend} {fault}: {requests}");
            gateway.clear_faults();
        }
    }
}

#[tokio::test]
async fn watches_are_degraded_during_an_outage_without_a_burst_of_requests() {
    let gateway = TestGateway::start().await;
    let names = points(&gateway, "azure").await;
    let request = WatchStatusRequest { names: names.clone(), follow: true, ..Default::default() };
    let mut watch = gateway.synced_watch(request).await;

    gateway.inject_fault("azure", "hang_up");
    for _ in &names {
        assert_eq!(watch.next_event().await.event(), Event::Degraded);
    }
    open_circuit(&gateway, &names).await;
    let (opened, before) = (Instant::now(), requests(&gateway, "azure"));
    // Every point is polled at the minimum interval; only trial requests reach the vendor.
    eventually(|| requests(&gateway, "azure") > before).await;
    let trials = requests(&gateway, "azure") - before;
    let max = opened.elapsed().as_secs() + 2;
    assert!(trials as u64 <= max, "{trials} requests, more than {max}");

    let (recovered, before) = (Instant::now(), requests(&gateway, "azure"));
    gateway.clear_faults();
    for _ in &names {
        assert_eq!(watch.next_event().await.event(), Event::Recovered);
    }
    let requests = requests(&gateway, "azure") - before;
    // A trial request, and then one request an interval for each point.
    let intervals = recovered.elapsed().as_millis() / MIN_POLL_INTERVAL.as_millis() + 1;
    let max = 1 + names.len() * intervals as usize;
    assert!(requests <= max, "{requests} requests, more than {max}");
}

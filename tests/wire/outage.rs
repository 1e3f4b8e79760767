//! A vendor that stays away is left alone: calls fail by themselves, one tries now and then, and nothing storms when
//! the vendor is back. What a single failure means is in `faults.rs`.

use std::time::Instant;

use futures::future::join_all;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{ListRequest, WatchStatusRequest};
use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::{self, PATIENCE, TestGateway};

const BACKENDS: [&str; 2] = ["azure", "veeam"];

fn order(gateway: &TestGateway, words: &str) {
    match words.split_once(": ").unwrap() {
        ("azure", words) => gateway.azure.add_fault(words.parse().unwrap()),
        (_, words) => gateway.veeam.add_fault(words.parse().unwrap()),
    }
}

fn come_back(gateway: &TestGateway) {
    gateway.azure.clear_faults();
    gateway.veeam.clear_faults();
}

/// How many requests have reached a vendor, in whatever way they ended there.
fn reached(gateway: &TestGateway, backend: &str) -> usize {
    match backend {
        "azure" => gateway.azure.calls().total(),
        _ => gateway.veeam.calls().values().sum(),
    }
}

/// Some points of a backend that one request each reads.
async fn points(gateway: &TestGateway, backend: &str) -> Vec<String> {
    let parent = match backend {
        "azure" => TestGateway::azure_collection(&gateway.azure.seeded().collection),
        _ => "backends/veeam/collections/-".to_owned(),
    };
    let listed = gateway.list_all(ListRequest { parent, ..Default::default() }).await;
    let names = listed.into_iter().map(|point| point.name);
    // A point of a backup takes more requests.
    names.filter(|name| !name.contains("backup~")).take(5).collect()
}

fn is_refused_here(status: &Status) -> bool {
    status.message().contains("circuit breaker is open")
}

/// Reads points until the gateway does not ask the vendor any more; how it says so.
async fn until_left_alone(gateway: &TestGateway, names: &[String]) -> Status {
    let read = async {
        loop {
            let read = join_all(names.iter().map(|name| gateway.get(name))).await;
            let mut failed = read.into_iter().map(Result::unwrap_err);
            if let Some(refusal) = failed.find(is_refused_here) {
                return refusal;
            }
        }
    };
    timeout(PATIENCE, read).await.expect("the vendor is left alone")
}

#[tokio::test]
async fn a_vendor_that_is_away_is_asked_by_one_call_at_a_time() {
    let gateway = TestGateway::new().await;
    for backend in BACKENDS {
        let names = points(&gateway, backend).await;
        assert!(names.len() > 2, "{backend}");
        order(&gateway, &format!("{backend}: hang_up"));
        let refusal = until_left_alone(&gateway, &names).await;
        assert_eq!(refusal.code(), Code::Unavailable, "{refusal:?}");
        let details = refusal.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "BACKEND_UNAVAILABLE");
        assert_eq!(details.error_info().unwrap().metadata["backend"], backend);
        assert!(details.retry_info().unwrap().retry_delay.unwrap().as_millis() > 0);
        assert!(refusal.message().contains("has not responded since 20"), "{refusal:?}");

        // It is back, but slow: the one call that tries gets no answer yet.
        come_back(&gateway);
        order(&gateway, &format!("{backend}: times=1 silence"));
        let before = reached(&gateway, backend);
        let (client, name) = (gateway.client(), names[0].clone());
        let tries = tokio::spawn(async move {
            let request = restore_point_gateway::proto::GetRequest { name, view: 0 };
            while client.clone().get(request.clone()).await.is_err() {}
        });
        fixture::eventually(|| reached(&gateway, backend) > before).await;
        for _ in 0..10 {
            for read in join_all(names.iter().map(|name| gateway.get(name))).await {
                let status = read.unwrap_err();
                assert!(is_refused_here(&status), "{status:?}");
            }
        }
        assert_eq!(reached(&gateway, backend), before + 1, "{backend}: nobody else reaches it");

        // Whoever waits for it gives up: the next call tries, and then all is as it was.
        tries.abort();
        let found_back = async {
            while let Err(status) = gateway.get(&names[1]).await {
                assert!(is_refused_here(&status), "{status:?}");
            }
        };
        timeout(PATIENCE, found_back).await.expect("the vendor is found back");
        assert_eq!(reached(&gateway, backend), before + 2, "{backend}: one call tried");
        join_all(names.iter().map(|name| gateway.get(name))).await.into_iter().for_each(|read| {
            read.unwrap();
        });
    }
}

#[tokio::test]
async fn whoever_answers_is_not_away_whatever_he_says() {
    let gateway = TestGateway::new().await;
    for backend in BACKENDS {
        let names = points(&gateway, backend).await;
        for words in [
            "status=400",
            "status=401",
            "status=403",
            "status=404",
            "status=409",
            "status=429",
            "status=500",
            "status=501",
            "status=503 retry_after=10",
            "truncate=0",
        ] {
            order(&gateway, &format!("{backend}: GET {words}"));
            let before = reached(&gateway, backend);
            for _ in 0..3 {
                for read in join_all(names.iter().map(|name| gateway.get(name))).await {
                    let refused = read.as_ref().err().is_some_and(is_refused_here);
                    assert!(!refused, "{backend} {words}: {read:?}");
                }
            }
            let requests = reached(&gateway, backend) - before;
            assert!(requests >= 15, "{backend} {words}: {requests}");
            come_back(&gateway);
        }
    }
}

#[tokio::test]
async fn watches_hear_of_an_outage_and_of_its_end_and_the_vendor_of_neither() {
    let gateway = TestGateway::new().await;
    let names = points(&gateway, "azure").await;
    let request = WatchStatusRequest { names: names.clone(), follow: true, ..Default::default() };
    let mut watch = gateway.watch(request).await;
    watch.until(|event| event.event() == Event::Synced).await;

    order(&gateway, "azure: hang_up");
    for _ in &names {
        assert_eq!(watch.event().await.event(), Event::Degraded);
    }
    until_left_alone(&gateway, &names).await;
    let (away, before) = (Instant::now(), reached(&gateway, "azure"));
    // Many polls at the quickest pace, 10 ms here, of which the vendor sees those that try.
    fixture::eventually(|| reached(&gateway, "azure") > before).await;
    let tried = reached(&gateway, "azure") - before;
    let most = away.elapsed().as_secs() + 2;
    assert!(tried as u64 <= most, "{tried} requests in {most} s");

    let (back, before) = (Instant::now(), reached(&gateway, "azure"));
    come_back(&gateway);
    for _ in &names {
        assert_eq!(watch.event().await.event(), Event::Recovered);
    }
    let requests = reached(&gateway, "azure") - before;
    // One that tries, and then no more than each point's own pace.
    let most = 1 + names.len() * (back.elapsed().as_millis() / 10 + 1) as usize;
    assert!(requests <= most, "{requests} requests, not {most}");
}

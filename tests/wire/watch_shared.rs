//! Many watchers at once. What all are told is made once for all: their events are the same to the last byte of their tokens,
//! which hold randomness, so that no two that are sealed apart are ever the same.

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{GetRequest, WatchStatusRequest, WatchStatusResponse};
use tonic::codec::CompressionEncoding;
use tonic::transport::Endpoint;

use restore_point_test_support::fixture::{self, Client, TestGateway, Watch, state};

const COLLECTION: &str =
    "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead";
const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

fn point() -> WatchStatusRequest {
    let names = vec![format!("{COLLECTION}/restorePoints/{SRV39}")];
    WatchStatusRequest { names, follow: true, ..Default::default() }
}

fn collection() -> WatchStatusRequest {
    WatchStatusRequest { parent: COLLECTION.to_owned(), follow: true, ..Default::default() }
}

async fn synced(gateway: &TestGateway, request: WatchStatusRequest) -> Watch {
    let mut watch = gateway.watch(request).await;
    watch.until(|event| event.event() == Event::Synced).await;
    watch
}

async fn change(watch: &mut Watch) -> WatchStatusResponse {
    let event = watch.event().await;
    assert_eq!(event.event(), Event::Changed, "{event:?}");
    event
}

#[tokio::test]
async fn whoever_knows_the_same_is_told_the_same_bytes() {
    for request in [point(), collection()] {
        let gateway = TestGateway::new().await;
        let mut first = synced(&gateway, request.clone()).await;
        let mut second = synced(&gateway, request).await;
        assert!(gateway.veeam.set_state(SRV39, "Failback"));
        assert_eq!(change(&mut first).await, change(&mut second).await);
    }
}

#[tokio::test]
async fn whoever_knows_something_else_is_not() {
    let gateway = TestGateway::new().await;
    let mut early = gateway.watch(collection()).await;
    // Of two points, this token knows one.
    let resume_token = early.event().await.resume_token;
    early.until(|event| event.event() == Event::Synced).await;
    let mut late = gateway.watch(WatchStatusRequest { resume_token, ..collection() }).await;
    assert_eq!(late.event().await.event(), Event::Snapshot, "the other one");
    assert_eq!(late.event().await.event(), Event::Synced);

    // From here on they know the same.
    assert!(gateway.veeam.set_state(SRV39, "Failback"));
    let (early, late) = (change(&mut early).await, change(&mut late).await);
    assert_eq!(early, late);

    // And a point that is watched by itself has tokens of its own.
    let mut alone = gateway.watch(point()).await;
    assert_ne!(alone.event().await.resume_token, early.resume_token);
}

#[tokio::test]
async fn whoever_is_slow_to_read_hears_the_latest_and_delays_nobody() {
    const CHANGES: usize = 60;
    let gateway = TestGateway::new().await;
    // Both on one connection, each with room for a handful of events.
    let endpoint = Endpoint::from_shared(format!("http://{}", gateway.address)).unwrap();
    let channel = endpoint.initial_stream_window_size(4096).connect().await.unwrap();
    let mut slow = fixture::watch(Client::new(channel.clone()), point()).await.unwrap();
    let mut brisk = fixture::watch(Client::new(channel), point()).await.unwrap();
    brisk.until(|event| event.event() == Event::Synced).await;
    for number in 1..=CHANGES {
        assert!(gateway.veeam.set_state(SRV39, ["Failover", "Failback"][number % 2]));
        change(&mut brisk).await;
    }
    assert!(gateway.veeam.set_state(SRV39, "PermanentFailover"));
    assert_eq!(state(&change(&mut brisk).await), Some(State::Retired));

    let mut heard = 0;
    loop {
        let event = slow.event().await;
        heard += 1;
        if state(&event) == Some(State::Retired) {
            break;
        }
    }
    assert!(heard < CHANGES / 2, "{heard} events were kept for whoever did not read them");
}

#[tokio::test]
async fn a_client_that_takes_compressed_answers_is_told_the_same_as_others() {
    let gateway = TestGateway::new().await;
    let mut client = gateway.client().accept_compressed(CompressionEncoding::Gzip);
    let name = point().names.remove(0);
    let got = client.get(GetRequest { name, ..Default::default() }).await.unwrap();
    assert_eq!(got.metadata().get("grpc-encoding").unwrap(), "gzip");

    let answer = client.watch_status(point()).await.unwrap();
    assert!(answer.metadata().get("grpc-encoding").is_none(), "{:?}", answer.metadata());
    let mut events = answer.into_inner();
    let snapshot = events.message().await.unwrap().unwrap();
    assert_eq!(snapshot.restore_point, Some(got.into_inner()));
}

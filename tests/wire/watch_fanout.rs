//! Fan-out: an event is encoded once for all watchers that are in the same state. Its resume token shows it: sealing uses
//! a random nonce, so two tokens that were sealed separately are never equal.

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{GetRequest, WatchStatusRequest, WatchStatusResponse};
use tonic::codec::CompressionEncoding;
use tonic::transport::Endpoint;

use restore_point_test_support::fixture::{Client, TestGateway};
use restore_point_test_support::names::{SRV39, SRV39_COLLECTION, SRV39_ID};
use restore_point_test_support::watch::{Watch, state};

fn point() -> WatchStatusRequest {
    WatchStatusRequest { names: vec![SRV39.to_owned()], follow: true, ..Default::default() }
}

fn collection() -> WatchStatusRequest {
    WatchStatusRequest { parent: SRV39_COLLECTION.to_owned(), follow: true, ..Default::default() }
}

async fn changed(watch: &mut Watch) -> WatchStatusResponse {
    let event = watch.next_event().await;
    assert_eq!(event.event(), Event::Changed, "{event:?}");
    event
}

#[tokio::test]
async fn watchers_in_the_same_state_receive_the_same_bytes() {
    for request in [point(), collection()] {
        let gateway = TestGateway::start().await;
        let mut first = gateway.synced_watch(request.clone()).await;
        let mut second = gateway.synced_watch(request).await;
        assert!(gateway.veeam.set_state(SRV39_ID, "Failback"));
        assert_eq!(changed(&mut first).await, changed(&mut second).await);
    }
}

#[tokio::test]
async fn watchers_in_different_states_do_not_share_events() {
    let gateway = TestGateway::start().await;
    let mut first = gateway.watch(collection()).await;
    // This token covers one of the two points.
    let resume_token = first.next_event().await.resume_token;
    first.synced().await;
    let mut second = gateway.watch(WatchStatusRequest { resume_token, ..collection() }).await;
    assert_eq!(second.next_event().await.event(), Event::Snapshot, "of the other point");
    assert_eq!(second.next_event().await.event(), Event::Synced);

    // Now both are in the same state.
    assert!(gateway.veeam.set_state(SRV39_ID, "Failback"));
    let event = changed(&mut first).await;
    assert_eq!(event, changed(&mut second).await);

    // A watch of the point alone does not share the events of the collection.
    let mut point_watch = gateway.watch(point()).await;
    assert_ne!(point_watch.next_event().await.resume_token, event.resume_token);
}

#[tokio::test]
async fn a_slow_reader_gets_the_latest_state_and_delays_no_other() {
    const CHANGES: usize = 60;
    let gateway = TestGateway::start().await;
    // Two streams on one connection, each with a window for a few events.
    let endpoint = Endpoint::from_shared(format!("http://{}", gateway.replica.address)).unwrap();
    let channel = endpoint.initial_stream_window_size(4096).connect().await.unwrap();
    let mut slow = Watch::open(Client::new(channel.clone()), point()).await.unwrap();
    let mut fast = Watch::open(Client::new(channel), point()).await.unwrap();
    fast.synced().await;
    for number in 1..=CHANGES {
        assert!(gateway.veeam.set_state(SRV39_ID, ["Failover", "Failback"][number % 2]));
        changed(&mut fast).await;
    }
    assert!(gateway.veeam.set_state(SRV39_ID, "PermanentFailover"));
    assert_eq!(state(&changed(&mut fast).await), Some(State::Retired));

    let mut received = 1;
    while state(&slow.next_event().await) != Some(State::Retired) {
        received += 1;
    }
    assert!(received < CHANGES / 2, "{received} events were buffered for a slow reader");
}

#[tokio::test]
async fn a_client_that_accepts_compression_receives_uncompressed_events() {
    let gateway = TestGateway::start().await;
    let mut client = gateway.client().accept_compressed(CompressionEncoding::Gzip);
    let request = GetRequest { name: SRV39.to_owned(), ..Default::default() };
    let unary = client.get(request).await.unwrap();
    assert_eq!(unary.metadata().get("grpc-encoding").unwrap(), "gzip");

    let stream = client.watch_status(point()).await.unwrap();
    assert!(stream.metadata().get("grpc-encoding").is_none(), "{:?}", stream.metadata());
    let snapshot = stream.into_inner().message().await.unwrap().unwrap();
    assert_eq!(snapshot.restore_point, Some(unary.into_inner()));
}

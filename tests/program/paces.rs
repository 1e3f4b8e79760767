//! How often watched points are read, as configured for each backend and after a reload.

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{WatchStatusRequest, WatchStatusResponse};
use tokio::time::timeout;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::fixture::{Folder, Running, program};
use crate::running::{PATIENCE, Vendors, blocking, connect};

type Client = RestorePointServiceClient<Channel>;

const SRV39: &str = "93081441-6e3c-4584-b47a-08dc1ce24f84";

/// Follows a point of Veeam's until it has been told; the stream, and the state it was told in.
async fn synced(client: &mut Client) -> (Streaming<WatchStatusResponse>, State) {
    let name = format!("backends/veeam/collections/-/restorePoints/{SRV39}");
    let request = WatchStatusRequest { names: vec![name], follow: true, ..Default::default() };
    let mut events = client.watch_status(request).await.unwrap().into_inner();
    let snapshot = next(&mut events).await;
    assert_eq!(snapshot.event(), Event::Snapshot);
    assert_eq!(next(&mut events).await.event(), Event::Synced);
    (events, snapshot.restore_point.unwrap().state())
}

async fn next(events: &mut Streaming<WatchStatusResponse>) -> WatchStatusResponse {
    timeout(PATIENCE, events.message()).await.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_has_a_pace_of_its_own_which_follows_a_reload() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let config = vendors.configure(&folder);
    let text = std::fs::read_to_string(&config).unwrap();
    let quick =
        text + "[backends.veeam.watch]\nmin_interval = \"50ms\"\nmax_interval = \"100ms\"\n";
    let quick = quick.replacen(
        "[backends",
        "[watch]\nmin_interval = \"2h\"\nmax_interval = \"2h\"\n[backends",
        1,
    );
    let never = quick.replace("\"50ms\"", "\"1h\"").replace("\"100ms\"", "\"1h\"");

    folder.write("gateway.toml", &never);
    let mut gateway = Running::start(program().arg("serve").arg("--config").arg(&config));
    let mut client = connect(&folder.path("gateway.sock")).await;
    let (mut first, state) = synced(&mut client).await;
    assert_eq!(state, State::Ready);
    assert!(vendors.veeam.set_state(SRV39, "Failover"));
    let (_, state) = synced(&mut client).await;
    assert_eq!(state, State::Ready, "it was read within the hour, and is not read again");

    folder.write("gateway.toml", &quick);
    gateway.signal("HUP");
    let gateway = blocking(move || {
        gateway.logs("the configuration is reloaded");
        gateway
    })
    .await;
    // Whoever comes now brings the reading forward, which was an hour away.
    let _second = synced(&mut client).await;
    assert_eq!(next(&mut first).await.restore_point.unwrap().state(), State::InUse);
    assert!(vendors.veeam.set_state(SRV39, "Ready"));
    assert_eq!(next(&mut first).await.restore_point.unwrap().state(), State::Ready);
    drop(gateway);
}

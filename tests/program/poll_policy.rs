//! The poll intervals of watched points, as configured for each backend and after a reload.

use restore_point_gateway::proto::WatchStatusRequest;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_test_support::fixture::Client;
use restore_point_test_support::names::{SRV39_ID, SRV39_IN_ANY_COLLECTION};
use restore_point_test_support::watch::{Watch, state};

use crate::fixture::{RunningProgram, Simulators, TempDir, connect};

/// Watches a Veeam point. Returns the stream after SYNCED, and the state of the point in its snapshot.
async fn watch(client: &Client) -> (Watch, State) {
    let names = vec![SRV39_IN_ANY_COLLECTION.to_owned()];
    let request = WatchStatusRequest { names, follow: true, ..Default::default() };
    let mut watch = Watch::open(client.clone(), request).await.unwrap();
    let snapshot = watch.next_event().await;
    assert_eq!(snapshot.event(), Event::Snapshot);
    assert_eq!(watch.next_event().await.event(), Event::Synced);
    (watch, state(&snapshot).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_has_its_own_poll_intervals_which_a_reload_changes() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let default = "[watch]\nmin_interval = \"2h\"\nmax_interval = \"2h\"\n[backends";
    let text = std::fs::read_to_string(&config).unwrap().replacen("[backends", default, 1);
    let with_intervals = |min: &str, max: &str| {
        format!(
            "{text}[backends.veeam.watch]\nmin_interval = \"{min}\"\nmax_interval = \"{max}\"\n"
        )
    };

    dir.write("gateway.toml", &with_intervals("1h", "1h"));
    let mut gateway = RunningProgram::serve(&config);
    let client = connect(&dir.path("gateway.sock")).await;
    let (mut first, state) = watch(&client).await;
    assert_eq!(state, State::Ready);
    assert!(simulators.veeam.set_state(SRV39_ID, "Failover"));
    let (_, state) = watch(&client).await;
    assert_eq!(state, State::Ready, "polled again within the hour");

    dir.write("gateway.toml", &with_intervals("50ms", "100ms"));
    gateway.signal("HUP");
    gateway.log_line("the configuration is reloaded").await;
    // A new watcher brings the next poll forward, which was an hour away.
    let _second = watch(&client).await;
    let changed = first.next_event().await;
    assert_eq!(changed.restore_point.unwrap().state(), State::InUse);
    assert!(simulators.veeam.set_state(SRV39_ID, "Ready"));
    let changed = first.next_event().await;
    assert_eq!(changed.restore_point.unwrap().state(), State::Ready);
}

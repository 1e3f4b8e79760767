//! The metrics of the whole program, scraped as Prometheus does.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{GetRequest, WatchStatusRequest};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use restore_point_test_support::fixture::Client;
use restore_point_test_support::names::{SRV39_ID, SRV39_IN_ANY_COLLECTION};
use restore_point_test_support::openmetrics::Exposition;
use restore_point_test_support::wait::in_time;
use restore_point_test_support::watch::Watch;

use crate::fixture::{RunningProgram, Simulators, TempDir, channel, program};

/// Writes a configuration with a metrics listener and with `settings` before its backends. Returns its path and text.
fn configure(simulators: &Simulators, dir: &TempDir, settings: &str) -> (PathBuf, String) {
    let config = simulators.configure(dir);
    let text = std::fs::read_to_string(&config).unwrap();
    let more = format!("[metrics]\nlisten = \"unix:metrics.sock\"\n{settings}\n[backends.azure]");
    let text = text.replace("[backends.azure]", &more);
    std::fs::write(&config, &text).unwrap();
    (config, text)
}

async fn scrape_text(dir: &TempDir) -> String {
    let client = reqwest::Client::builder().unix_socket(dir.path("metrics.sock"));
    let response = client.build().unwrap().get("http://gateway/metrics").send();
    in_time(response).await.unwrap().text().await.unwrap()
}

async fn scrape(dir: &TempDir) -> Exposition {
    Exposition::parse(&scrape_text(dir).await)
}

/// Scrapes until `condition` is true: a call is counted as completed a moment after its client has the status.
async fn scrape_until(dir: &TempDir, condition: impl Fn(&Exposition) -> bool) -> Exposition {
    in_time(async {
        loop {
            let metrics = scrape(dir).await;
            if condition(&metrics) {
                return metrics;
            }
        }
    })
    .await
}

fn completed(method: &str, code: &str) -> String {
    let method = format!("restorepoint.v1.RestorePointService/{method}");
    format!("restorepoint_calls_total{{method=\"{method}\",code=\"{code}\"}}")
}

fn requests(backend: &str) -> String {
    sent(backend, "vendor")
}

fn sent(backend: &str, upstream: &str) -> String {
    let labels = format!("backend=\"{backend}\",upstream=\"{upstream}\",status=\"2xx\"");
    format!("restorepoint_backend_requests_total{{{labels}}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_calls_requests_and_events() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let watch = "[watch]\nmin_interval = \"50ms\"\nidle_ttl = \"50ms\"";
    let (config, text) = configure(&simulators, &dir, watch);
    let gateway = RunningProgram::serve(&config);
    let channel = channel(&dir.path("gateway.sock")).await;
    let mut client = Client::new(channel.clone());

    // The first requests are the gateway's probes.
    let probes = scrape_until(&dir, |metrics| {
        metrics.value(&requests("azure")) >= Some(1.0)
            && metrics.value(&requests("veeam")) >= Some(2.0)
    });
    let probes = probes.await.value(&requests("veeam")).unwrap();
    client
        .get(GetRequest { name: SRV39_IN_ANY_COLLECTION.into(), ..Default::default() })
        .await
        .unwrap();
    let absent = SRV39_IN_ANY_COLLECTION.replace(SRV39_ID, "00000000-0000-0000-0000-000000000000");
    let absent = GetRequest { name: absent, ..Default::default() };
    assert_eq!(client.get(absent).await.unwrap_err().code(), Code::NotFound);
    let metrics =
        scrape_until(&dir, |metrics| metrics.value(&completed("Get", "NOT_FOUND")) == Some(1.0))
            .await;
    assert_eq!(metrics.value(&completed("Get", "OK")), Some(1.0));
    assert!(
        metrics.value(&requests("veeam")).unwrap() > probes,
        "the vendor received a request for the point"
    );
    let durations = "restorepoint_backend_request_duration_seconds_count{backend=\"veeam\",upstream=\"vendor\"}";
    assert!(metrics.value(durations).unwrap() >= metrics.value(&requests("veeam")).unwrap());
    let available = metrics
        .value("restorepoint_backend_rate_limit_available{backend=\"veeam\",upstream=\"vendor\"}")
        .unwrap();
    assert!(available <= 100.0, "{available}");
    assert_eq!(
        metrics.value(
            "restorepoint_backend_rate_limit_waiting{backend=\"veeam\",upstream=\"vendor\"}"
        ),
        Some(0.0)
    );
    assert!(metrics.value(&sent("azure", "authority")) >= Some(1.0), "requests for tokens");
    assert_eq!(metrics.value(&sent("veeam", "authority")), None);
    assert!(metrics.value("process_resident_memory_bytes") > Some(1e6));
    assert!(metrics.value("process_cpu_seconds_total").is_some());

    let in_flight =
        "restorepoint_calls_in_flight{method=\"restorepoint.v1.RestorePointService/WatchStatus\"}";
    let targets = "restorepoint_watched_targets{backend=\"veeam\"}";
    assert_eq!((metrics.value(in_flight), metrics.value(targets)), (Some(0.0), Some(0.0)));
    let names = vec![SRV39_IN_ANY_COLLECTION.into()];
    let request = WatchStatusRequest { names, follow: true, ..Default::default() };
    let mut watch = Watch::open(client, request).await.unwrap();
    assert_eq!(watch.next_event().await.event(), Event::Snapshot);
    let metrics = scrape(&dir).await;
    assert_eq!((metrics.value(in_flight), metrics.value(targets)), (Some(1.0), Some(1.0)));
    let events_of = |metrics: &Exposition, event| {
        metrics.value(&format!("restorepoint_watch_events_total{{event=\"{event}\"}}"))
    };
    let delivered = "restorepoint_watch_delivery_seconds_count";
    assert_eq!(
        (events_of(&metrics, "SNAPSHOT"), events_of(&metrics, "CHANGED")),
        (Some(1.0), Some(0.0))
    );
    assert_eq!(metrics.value(delivered), Some(0.0), "a snapshot delivers no change");
    assert!(simulators.veeam.set_state(SRV39_ID, "Failback"));
    watch.skip_until(|event| event.event() == Event::Changed).await;
    let metrics = scrape(&dir).await;
    assert_eq!((events_of(&metrics, "CHANGED"), metrics.value(delivered)), (Some(1.0), Some(1.0)));
    assert!(metrics.value("restorepoint_watch_poll_lag_seconds{backend=\"veeam\"}").is_some());
    drop(watch);
    let closed = |metrics: &Exposition| {
        metrics.value(in_flight) == Some(0.0) && metrics.value(targets) == Some(0.0)
    };
    let metrics = scrape_until(&dir, closed).await;
    assert_eq!(metrics.value(&completed("WatchStatus", "CANCELLED")), Some(1.0));

    // A backend under a new name is a new backend, and its counts start at zero.
    dir.write("gateway.toml", &text.replace("[backends.veeam]", "[backends.em]"));
    gateway.signal("HUP");
    let metrics = scrape_until(&dir, |metrics| metrics.value(&requests("em")).is_some()).await;
    assert_eq!((metrics.value(&requests("veeam")), metrics.value(targets)), (None, None));

    let text = scrape_text(&dir).await;
    for secret in [
        simulators.azure.client_secret(),
        simulators.azure.client_id(),
        simulators.azure.subscription_id(),
        simulators.veeam.password(),
        simulators.veeam.username(),
        "93081441",
        "localhost",
    ] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
    gateway.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_served_until_the_drain_is_over() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let (config, _) = configure(&simulators, &dir, "[drain]\nlame_duck = \"1h\"");
    let gateway = RunningProgram::serve(&config);
    let mut health = HealthClient::new(channel(&dir.path("gateway.sock")).await);
    let mut statuses = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut status = async || in_time(statuses.message()).await.unwrap().unwrap().status();
    assert_eq!(status().await, ServingStatus::Serving);
    gateway.signal("TERM");
    assert_eq!(status().await, ServingStatus::NotServing);
    let in_flight = "restorepoint_calls_in_flight{method=\"grpc.health.v1.Health/Watch\"}";
    assert_eq!(scrape(&dir).await.value(in_flight), Some(1.0));
    // The second signal ends the lame duck period.
    gateway.terminate().await;
    UnixStream::connect(dir.path("metrics.sock")).expect_err("the metrics listener is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_leave_open_files_for_the_vendors() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let (config, _) = configure(&simulators, &dir, "[limits]\nmax_connections = 5000");
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -n 200 && exec \"$@\"",
        "sh",
        program().get_program().to_str().unwrap(),
    ]);
    command.arg("serve").arg("--config").arg(&config).env_remove("RUST_LOG");
    let mut gateway = RunningProgram::start(&mut command);
    gateway.log_line("`max_connections` is reduced").await;
    // As many as can be opened, and more. The gateway still answers a newcomer, and reaches its vendors.
    channel(&dir.path("gateway.sock")).await;
    let path = dir.path("gateway.sock");
    let idle: Vec<_> = (0..250).map(|_| UnixStream::connect(&path).unwrap()).collect();
    let mut client = Client::new(channel(&path).await);
    let request = GetRequest { name: SRV39_IN_ANY_COLLECTION.into(), ..Default::default() };
    client.get(request).await.unwrap();
    let metrics = scrape(&dir).await;
    assert_eq!(metrics.value("restorepoint_connections_limit"), Some(100.0));
    assert!(metrics.value("restorepoint_connections") <= Some(100.0));
    drop(idle);
    gateway.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_prints_the_url_of_its_metrics() {
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0"]);
    let mut sandbox = RunningProgram::start(&mut command);
    sandbox.announcement("admin").await;
    let url = sandbox.announcement("metrics").await;
    let text = in_time(reqwest::get(url)).await.unwrap().text().await.unwrap();
    assert_eq!(Exposition::parse(&text).value(&completed("Copy", "OK")), Some(0.0));
}

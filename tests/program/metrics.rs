//! The metrics of the whole program, scraped as Prometheus does.

use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{GetRequest, WatchStatusRequest};
use tokio::time::timeout;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::{Folder, Running, program};
use crate::running::{PATIENCE, Vendors, blocking, channel};
use restore_point_test_support::openmetrics::Exposition;

const POINT: &str =
    "backends/veeam/collections/-/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84";

/// A configuration with a metrics listener, and with `more` before its backends.
fn configure(vendors: &Vendors, folder: &Folder, more: &str) -> (std::path::PathBuf, String) {
    let config = vendors.configure(folder);
    let text = std::fs::read_to_string(&config).unwrap();
    let more = format!("[metrics]\nlisten = \"unix:metrics.sock\"\n{more}\n[backends.azure]");
    let text = text.replace("[backends.azure]", &more);
    std::fs::write(&config, &text).unwrap();
    (config, text)
}

async fn scrape_text(folder: &Folder) -> String {
    let client = reqwest::Client::builder().unix_socket(folder.path("metrics.sock"));
    let response = client.build().unwrap().get("http://gateway/metrics").send();
    timeout(PATIENCE, response).await.unwrap().unwrap().text().await.unwrap()
}

async fn scrape(folder: &Folder) -> Exposition {
    Exposition::parse(&scrape_text(folder).await)
}

/// Scrapes until `holds`: a call is counted as completed a moment after its client has the status.
async fn scrape_until(folder: &Folder, holds: impl Fn(&Exposition) -> bool) -> Exposition {
    let scrapes = async {
        loop {
            let metrics = scrape(folder).await;
            if holds(&metrics) {
                return metrics;
            }
        }
    };
    timeout(PATIENCE, scrapes).await.expect("the metrics reach the expected values")
}

fn completed(method: &str, code: &str) -> String {
    let method = format!("restorepoint.v1.RestorePointService/{method}");
    format!("restorepoint_calls_total{{method=\"{method}\",code=\"{code}\"}}")
}

fn requests(backend: &str) -> String {
    format!("restorepoint_backend_requests_total{{backend=\"{backend}\",status=\"2xx\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_calls_requests_and_events() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let paces = "[watch]\nmin_interval = \"50ms\"\nidle_ttl = \"50ms\"";
    let (config, text) = configure(&vendors, &folder, paces);
    let gateway = Running::start(program().arg("serve").arg("--config").arg(config));
    let channel = channel(&folder.path("gateway.sock")).await;
    let mut client = RestorePointServiceClient::new(channel.clone());

    // The first requests to the vendors are the gateway's own probes.
    let probes = scrape_until(&folder, |metrics| {
        metrics.value(&requests("azure")) >= Some(1.0)
            && metrics.value(&requests("veeam")) >= Some(2.0)
    });
    let probes = probes.await.value(&requests("veeam")).unwrap();
    client.get(GetRequest { name: POINT.into(), ..Default::default() }).await.unwrap();
    let absent = format!("{}0", &POINT[..POINT.len() - 1]);
    let absent = GetRequest { name: absent, ..Default::default() };
    assert_eq!(client.get(absent).await.unwrap_err().code(), Code::NotFound);
    let metrics =
        scrape_until(&folder, |metrics| metrics.value(&completed("Get", "NOT_FOUND")) == Some(1.0))
            .await;
    assert_eq!(metrics.value(&completed("Get", "OK")), Some(1.0));
    assert!(
        metrics.value(&requests("veeam")).unwrap() > probes,
        "the point was requested from the vendor"
    );
    let durations = "restorepoint_backend_request_duration_seconds_count{backend=\"veeam\"}";
    assert!(metrics.value(durations).unwrap() >= metrics.value(&requests("veeam")).unwrap());
    let available =
        metrics.value("restorepoint_backend_rate_limit_available{backend=\"veeam\"}").unwrap();
    assert!(available <= 100.0, "{available}");
    assert_eq!(
        metrics.value("restorepoint_backend_rate_limit_waiting{backend=\"veeam\"}"),
        Some(0.0)
    );
    assert!(metrics.value("process_resident_memory_bytes") > Some(1e6));
    assert!(metrics.value("process_cpu_seconds_total").is_some());

    let in_flight =
        "restorepoint_calls_in_flight{method=\"restorepoint.v1.RestorePointService/WatchStatus\"}";
    let targets = "restorepoint_watched_targets{backend=\"veeam\"}";
    assert_eq!((metrics.value(in_flight), metrics.value(targets)), (Some(0.0), Some(0.0)));
    let request =
        WatchStatusRequest { names: vec![POINT.into()], follow: true, ..Default::default() };
    let mut events = client.watch_status(request).await.unwrap().into_inner();
    let first = timeout(PATIENCE, events.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.event(), Event::Snapshot);
    let metrics = scrape(&folder).await;
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
    assert!(vendors.veeam.set_state(POINT.rsplit('/').next().unwrap(), "Failback"));
    let changed =
        async { while events.message().await.unwrap().unwrap().event() != Event::Changed {} };
    timeout(PATIENCE, changed).await.unwrap();
    let metrics = scrape(&folder).await;
    assert_eq!((events_of(&metrics, "CHANGED"), metrics.value(delivered)), (Some(1.0), Some(1.0)));
    assert!(metrics.value("restorepoint_watch_poll_lag_seconds{backend=\"veeam\"}").is_some());
    drop(events);
    let closed = |metrics: &Exposition| {
        metrics.value(in_flight) == Some(0.0) && metrics.value(targets) == Some(0.0)
    };
    let metrics = scrape_until(&folder, closed).await;
    assert_eq!(metrics.value(&completed("WatchStatus", "CANCELLED")), Some(1.0));

    // A backend under a new name is a new backend, and its counts start at zero.
    folder.write("gateway.toml", &text.replace("[backends.veeam]", "[backends.em]"));
    gateway.signal("HUP");
    let metrics = scrape_until(&folder, |metrics| metrics.value(&requests("em")).is_some()).await;
    assert_eq!((metrics.value(&requests("veeam")), metrics.value(targets)), (None, None));

    let text = scrape_text(&folder).await;
    for secret in [
        vendors.azure.client_secret(),
        vendors.azure.client_id(),
        vendors.azure.subscription_id(),
        vendors.veeam.password(),
        vendors.veeam.username(),
        "93081441",
        "localhost",
    ] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
    gateway.signal("TERM");
    assert!(blocking(move || gateway.end()).await.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_served_until_the_drain_is_over() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let (config, _) = configure(&vendors, &folder, "[drain]\nlame_duck = \"1h\"");
    let gateway = Running::start(program().arg("serve").arg("--config").arg(config));
    let mut health = HealthClient::new(channel(&folder.path("gateway.sock")).await);
    let mut statuses = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut status =
        async || timeout(PATIENCE, statuses.message()).await.unwrap().unwrap().unwrap().status();
    assert_eq!(status().await, ServingStatus::Serving);
    gateway.signal("TERM");
    assert_eq!(status().await, ServingStatus::NotServing);
    let in_flight = "restorepoint_calls_in_flight{method=\"grpc.health.v1.Health/Watch\"}";
    assert_eq!(scrape(&folder).await.value(in_flight), Some(1.0));
    gateway.signal("TERM");
    assert!(blocking(move || gateway.end()).await.status.success());
    let socket = folder.path("metrics.sock");
    std::os::unix::net::UnixStream::connect(socket).expect_err("the metrics listener is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_prints_the_url_of_its_metrics() {
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0"]);
    let (_sandbox, url) = blocking(move || {
        let mut sandbox = Running::start(&mut command);
        sandbox.says("admin");
        let url = sandbox.says("metrics");
        (sandbox, url)
    })
    .await;
    let text = timeout(PATIENCE, reqwest::get(url)).await.unwrap().unwrap().text().await.unwrap();
    assert_eq!(Exposition::parse(&text).value(&completed("Copy", "OK")), Some(0.0));
}

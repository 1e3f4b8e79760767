//! The figures of the whole program, fetched as Prometheus fetches them.

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
use restore_point_test_support::openmetrics::Page;

const POINT: &str =
    "backends/veeam/collections/-/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84";

/// Puts `more` in front of the backends of a configuration that shows figures.
fn configure(vendors: &Vendors, folder: &Folder, more: &str) -> (std::path::PathBuf, String) {
    let config = vendors.configure(folder);
    let text = std::fs::read_to_string(&config).unwrap();
    let more = format!("[metrics]\nlisten = \"unix:metrics.sock\"\n{more}\n[backends.azure]");
    let text = text.replace("[backends.azure]", &more);
    std::fs::write(&config, &text).unwrap();
    (config, text)
}

async fn fetch(folder: &Folder) -> String {
    let client = reqwest::Client::builder().unix_socket(folder.path("metrics.sock"));
    let asked = client.build().unwrap().get("http://gateway/metrics").send();
    timeout(PATIENCE, asked).await.unwrap().unwrap().text().await.unwrap()
}

/// Fetches figures until they fit: the end of a call is counted a moment after its caller knows of it.
async fn until(folder: &Folder, fits: impl Fn(&Page) -> bool) -> Page {
    let fitting = async {
        loop {
            let page = Page::read(&fetch(folder).await);
            if fits(&page) {
                return page;
            }
        }
    };
    timeout(PATIENCE, fitting).await.expect("the figures come to fit")
}

fn ended(method: &str, code: &str) -> String {
    let method = format!("restorepoint.v1.RestorePointService/{method}");
    format!("restorepoint_calls_total{{method=\"{method}\",code=\"{code}\"}}")
}

fn asked(backend: &str) -> String {
    format!("restorepoint_upstream_requests_total{{backend=\"{backend}\",status=\"2xx\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_follow_what_happens() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let paces = "[watch]\nmin_interval = \"50ms\"\nidle_ttl = \"50ms\"";
    let (config, text) = configure(&vendors, &folder, paces);
    let gateway = Running::start(program().arg("serve").arg("--config").arg(config));
    let channel = channel(&folder.path("gateway.sock")).await;
    let mut client = RestorePointServiceClient::new(channel.clone());

    // The first calls of the vendors are the gateway's own, for its health.
    let own = until(&folder, |page| {
        page.value(&asked("azure")) >= Some(1.0) && page.value(&asked("veeam")) >= Some(2.0)
    });
    let own = own.await.value(&asked("veeam")).unwrap();
    client.get(GetRequest { name: POINT.into(), ..Default::default() }).await.unwrap();
    let absent = format!("{}0", &POINT[..POINT.len() - 1]);
    let absent = GetRequest { name: absent, ..Default::default() };
    assert_eq!(client.get(absent).await.unwrap_err().code(), Code::NotFound);
    let page = until(&folder, |page| page.value(&ended("Get", "NOT_FOUND")) == Some(1.0)).await;
    assert_eq!(page.value(&ended("Get", "OK")), Some(1.0));
    assert!(page.value(&asked("veeam")).unwrap() > own, "the vendor was asked for the point");
    let timed = "restorepoint_upstream_request_duration_seconds_count{backend=\"veeam\"}";
    assert!(page.value(timed).unwrap() >= page.value(&asked("veeam")).unwrap());
    let left = page.value("restorepoint_upstream_budget_left{backend=\"veeam\"}").unwrap();
    assert!(left <= 100.0, "{left}");
    assert_eq!(page.value("restorepoint_upstream_waiting{backend=\"veeam\"}"), Some(0.0));
    assert!(page.value("process_resident_memory_bytes") > Some(1e6));
    assert!(page.value("process_cpu_seconds_total").is_some());

    let open =
        "restorepoint_calls_open{method=\"restorepoint.v1.RestorePointService/WatchStatus\"}";
    let targets = "restorepoint_watched_targets{backend=\"veeam\"}";
    assert_eq!((page.value(open), page.value(targets)), (Some(0.0), Some(0.0)));
    let request =
        WatchStatusRequest { names: vec![POINT.into()], follow: true, ..Default::default() };
    let mut events = client.watch_status(request).await.unwrap().into_inner();
    let first = timeout(PATIENCE, events.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.event(), Event::Snapshot);
    let page = Page::read(&fetch(&folder).await);
    assert_eq!((page.value(open), page.value(targets)), (Some(1.0), Some(1.0)));
    let told = |page: &Page, event| {
        page.value(&format!("restorepoint_watch_events_total{{event=\"{event}\"}}"))
    };
    let delivered = "restorepoint_watch_delivery_seconds_count";
    assert_eq!((told(&page, "SNAPSHOT"), told(&page, "CHANGED")), (Some(1.0), Some(0.0)));
    assert_eq!(page.value(delivered), Some(0.0), "what was known before was not on its way");
    assert!(vendors.veeam.set_state(POINT.rsplit('/').next().unwrap(), "Failback"));
    let changed =
        async { while events.message().await.unwrap().unwrap().event() != Event::Changed {} };
    timeout(PATIENCE, changed).await.unwrap();
    let page = Page::read(&fetch(&folder).await);
    assert_eq!((told(&page, "CHANGED"), page.value(delivered)), (Some(1.0), Some(1.0)));
    assert!(page.value("restorepoint_watch_longest_wait_seconds{backend=\"veeam\"}").is_some());
    drop(events);
    let gone = |page: &Page| page.value(open) == Some(0.0) && page.value(targets) == Some(0.0);
    let page = until(&folder, gone).await;
    assert_eq!(page.value(&ended("WatchStatus", "CANCELLED")), Some(1.0));

    // A backend of another name is another backend, and its counts begin anew.
    folder.write("gateway.toml", &text.replace("[backends.veeam]", "[backends.em]"));
    gateway.signal("HUP");
    let page = until(&folder, |page| page.value(&asked("em")).is_some()).await;
    assert_eq!((page.value(&asked("veeam")), page.value(targets)), (None, None));

    let text = fetch(&folder).await;
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
async fn figures_are_shown_until_the_drain_is_over() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let (config, _) = configure(&vendors, &folder, "[drain]\nlame_duck = \"1h\"");
    let gateway = Running::start(program().arg("serve").arg("--config").arg(config));
    let mut health = HealthClient::new(channel(&folder.path("gateway.sock")).await);
    let mut told = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut status =
        async || timeout(PATIENCE, told.message()).await.unwrap().unwrap().unwrap().status();
    assert_eq!(status().await, ServingStatus::Serving);
    gateway.signal("TERM");
    assert_eq!(status().await, ServingStatus::NotServing);
    let watching = "restorepoint_calls_open{method=\"grpc.health.v1.Health/Watch\"}";
    assert_eq!(Page::read(&fetch(&folder).await).value(watching), Some(1.0));
    gateway.signal("TERM");
    assert!(blocking(move || gateway.end()).await.status.success());
    let socket = folder.path("metrics.sock");
    std::os::unix::net::UnixStream::connect(socket).expect_err("nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_says_where_its_figures_are() {
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0"]);
    let (_sandbox, url) = blocking(move || {
        let mut sandbox = Running::start(&mut command);
        sandbox.says("admin");
        let url = sandbox.says("metrics");
        (sandbox, url)
    })
    .await;
    let page = timeout(PATIENCE, reqwest::get(url)).await.unwrap().unwrap().text().await.unwrap();
    assert_eq!(Page::read(&page).value(&ended("Copy", "OK")), Some(0.0));
}

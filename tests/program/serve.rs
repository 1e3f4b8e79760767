//! `serve`: the configured backends, shutdown and reload.

use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{ListBackendsRequest, ListRequest, WatchStatusRequest};
use restore_point_test_support::failure::{SENSITIVE, assert_status};
use restore_point_test_support::names::{EVERYTHING, SRV39_COLLECTION};
use restore_point_test_support::watch::Watch;
use tonic::Code;

use crate::fixture::{RunningProgram, Simulators, TempDir, connect};

#[tokio::test(flavor = "multi_thread")]
async fn serve_serves_the_configured_backends_and_closes_their_sessions() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let gateway = RunningProgram::serve(&simulators.configure(&dir));
    let mut client = connect(&dir.path("gateway.sock")).await;
    let request = ListRequest { parent: EVERYTHING.into(), ..Default::default() };
    let page = client.list(request).await.unwrap().into_inner();
    assert_eq!(page.restore_points.len(), 10 + 12);
    assert!(page.unreachable.is_empty());
    assert_eq!(simulators.veeam.sessions(), 1);

    let log = gateway.terminate().await;
    assert_eq!(simulators.veeam.sessions(), 0);
    assert!(log.contains("List"), "no access log: {log}");
    for secret in [simulators.azure.client_secret(), simulators.veeam.password(), SENSITIVE] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_silent_at_the_logoff_gets_no_more_time_than_the_shutdown_has() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let text = std::fs::read_to_string(&config).unwrap();
    let drain = "log = \"json\"\n[drain]\ngrace = \"2s\"\n[backends.azure]";
    dir.write("gateway.toml", &text.replace("[backends.azure]", drain));
    let gateway = RunningProgram::serve(&config);
    let mut client = connect(&dir.path("gateway.sock")).await;
    let request = ListRequest { parent: EVERYTHING.into(), ..Default::default() };
    client.list(request).await.unwrap();
    simulators.veeam.add_fault("method=DELETE target=logonSessions silence".parse().unwrap());
    let log = gateway.terminate().await;
    let line = log.lines().find(|line| line.contains("was not closed in time")).expect(&log);
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["backend"], "backends/veeam");
    assert!(line["limit_ms"].as_u64().unwrap() <= 2000, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reloads_a_valid_configuration_and_keeps_the_old_one_otherwise() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let valid = std::fs::read_to_string(&config).unwrap();
    let valid =
        valid.replace("[backends.azure]", "[watch]\nmin_interval = \"50ms\"\n[backends.azure]");
    dir.write("gateway.toml", &valid);
    let mut gateway = RunningProgram::serve(&config);
    let mut client = connect(&dir.path("gateway.sock")).await;
    let parent = SRV39_COLLECTION.to_owned();
    let request = WatchStatusRequest { parent, follow: true, ..Default::default() };
    let mut watch = Watch::open(client.clone(), request).await.unwrap();
    let mut backends = async || {
        let response = client.list_backends(ListBackendsRequest {}).await.unwrap().into_inner();
        response.backends.into_iter().map(|backend| backend.name).collect::<Vec<_>>()
    };
    assert_eq!(backends().await, ["backends/azure", "backends/veeam"]);

    let invalid = valid.replace("kind = \"veeam_enterprise_manager\"", "kind = \"vmware\"");
    dir.write("gateway.toml", &invalid);
    gateway.signal("HUP");
    gateway.log_line("the configuration stays as it was").await;
    assert_eq!(backends().await, ["backends/azure", "backends/veeam"]);

    dir.write("gateway.toml", &valid.replace("[backends.veeam]", "[backends.em]"));
    gateway.signal("HUP");
    gateway.log_line("the configuration is reloaded").await;
    assert_eq!(backends().await, ["backends/azure", "backends/em"]);
    // The points of a removed backend are not reported as deleted.
    let is_initial = |event| matches!(event, Event::Snapshot | Event::Synced);
    let event = watch.skip_until(|event| !is_initial(event.event())).await;
    assert_eq!(event.event(), Event::Degraded, "{event:?}");
    drop(watch);
    gateway.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_key_is_replaced_while_its_tokens_are_in_use() {
    let simulators = Simulators::start();
    let dir = TempDir::new();
    let config = simulators.configure(&dir);
    let text = std::fs::read_to_string(&config).unwrap();
    let with_keys = |keys: &str| {
        dir.write("gateway.toml", &format!("token_keys = [{keys}]\n{text}"));
    };
    for key in ["old", "new"] {
        dir.write(key, &format!("{key} token key, {SENSITIVE}, of at least 32 bytes"));
    }
    with_keys(r#"{ file = "old" }"#);
    let mut gateway = RunningProgram::serve(&config);
    let client = connect(&dir.path("gateway.sock")).await;
    let list = async |page_token: &str| {
        let (parent, page_token) = (EVERYTHING.to_owned(), page_token.to_owned());
        let request = ListRequest { parent, page_size: 1, page_token, ..Default::default() };
        client.clone().list(request).await.map(|page| page.into_inner().next_page_token)
    };
    let old = list("").await.unwrap();
    with_keys(r#"{ file = "new" }, { file = "old" }"#);
    gateway.signal("HUP");
    gateway.log_line("the configuration is reloaded").await;
    let new = list(&old).await.unwrap();

    with_keys(r#"{ file = "absent" }"#);
    gateway.signal("HUP");
    gateway.log_line("the configuration stays as it was").await;
    list(&old).await.unwrap();

    with_keys(r#"{ file = "new" }"#);
    gateway.signal("HUP");
    gateway.log_line("the configuration is reloaded").await;
    list(&new).await.unwrap();
    let refused = list(&old).await.unwrap_err();
    assert_status(&refused, Code::InvalidArgument, "INVALID_PAGE_TOKEN");
    assert!(!gateway.terminate().await.contains(SENSITIVE));
}

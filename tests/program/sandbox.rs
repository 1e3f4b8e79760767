//! `sandbox`: the gateway with both simulators in one process.

use std::os::unix::fs::PermissionsExt;

use restore_point_gateway::proto::{ListRequest, RestorePoint, WatchStatusRequest};
use restore_point_test_support::fixture::Client;
use restore_point_test_support::names::EVERYTHING;

use crate::fixture::{RunningProgram, TempDir, program};

fn list_request() -> ListRequest {
    ListRequest { parent: EVERYTHING.into(), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_shuts_down_on_sigterm_and_sigint_with_an_open_stream() {
    for signal in ["TERM", "INT"] {
        let mut sandbox = RunningProgram::start(program().args([
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--points",
            "5",
        ]));
        let address = sandbox.announcement("gateway").await;
        let mut client = Client::connect(format!("http://{address}")).await.unwrap();
        let page = client.list(list_request()).await.unwrap().into_inner();
        assert_eq!(page.restore_points.len(), 10 + 5 + (6 + 5) + 2 * (3 + 2));

        let names = vec![page.restore_points[0].name.clone()];
        let request = WatchStatusRequest { names, follow: true, ..Default::default() };
        let mut stream = client.watch_status(request).await.unwrap().into_inner();
        stream.message().await.unwrap().expect("the first event");
        sandbox.signal(signal);
        let (status, _) = sandbox.exit().await;
        assert!(status.success(), "{signal}: {status}");
    }
}

#[tokio::test]
async fn the_access_file_is_readable_by_its_owner_only_and_complete() {
    let dir = TempDir::new();
    let path = dir.write("access.json", "the content of an older file with mode 644");
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0", "--write-access"]);
    let mut sandbox = RunningProgram::start(command.arg(&path));
    let azure = sandbox.announcement("azure").await;
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let access = std::fs::read_to_string(&path).unwrap();
    let access: serde_json::Value = serde_json::from_str(&access).unwrap();
    let text = |pointer: &str| access.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    assert_eq!(text("/azure/endpoint"), azure);

    let roots = ["/azure/ca_pem", "/veeam/certificate_pem"]
        .map(|pointer| reqwest::Certificate::from_pem(text(pointer).as_bytes()).unwrap());
    let http = reqwest::Client::builder().tls_certs_only(roots).no_proxy().build().unwrap();
    let login =
        format!("{}/{}/oauth2/v2.0/token", text("/azure/authority"), text("/azure/tenant_id"));
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", text("/azure/client_id")),
        ("client_secret", text("/azure/client_secret")),
        ("scope", format!("{azure}/.default")),
    ];
    assert_eq!(http.post(login).form(&form).send().await.unwrap().status(), 200);
    let logon = http
        .post(format!("{}/sessionMngr/?v=latest", text("/veeam/url")))
        .basic_auth(text("/veeam/username"), Some(text("/veeam/password")))
        .header("content-length", "0");
    assert_eq!(logon.send().await.unwrap().status(), 201);

    let log = sandbox.terminate().await;
    for secret in ["/azure/client_secret", "/veeam/password"] {
        assert!(!log.contains(&text(secret)), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_can_be_set_by_arguments_and_removed_over_http() {
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0"]);
    command.args(["--fault", "veeam: GET /api/ status=503", "--fault", "azure: times=1 hang_up"]);
    let mut sandbox = RunningProgram::start(&mut command);
    let gateway = sandbox.announcement("gateway").await;
    let admin = sandbox.announcement("admin").await;
    let mut client = Client::connect(format!("http://{gateway}")).await.unwrap();
    let page = client.list(list_request()).await.unwrap().into_inner();
    assert_eq!(page.unreachable, ["backends/veeam"]);
    assert_eq!(page.restore_points.len(), 10);

    let url = format!("{admin}/veeam/faults");
    let faults = reqwest::get(&url).await.unwrap().text().await.unwrap();
    assert!(faults.contains("\"status\": 503"), "{faults}");
    assert_eq!(reqwest::Client::new().delete(&url).send().await.unwrap().status(), 200);
    let page = client.list(list_request()).await.unwrap().into_inner();
    assert!(page.unreachable.is_empty(), "{:?}", page.unreachable);
    let is_veeam = |point: &RestorePoint| point.name.starts_with("backends/veeam/");
    assert!(page.restore_points.len() > 10 && page.restore_points.iter().any(is_veeam));
}

#[test]
fn an_invalid_argument_is_an_error_that_names_the_valid_values() {
    for (fault, texts) in [
        ("veeam: status=soon", ["status: 'soon'", "such as 503"]),
        ("azure: GET", ["no effect is given", "give latency_ms"]),
        ("aws: status=503", ["vendor: 'aws'", "azure:"]),
        ("status=503", ["vendor: 'status=503'", "veeam:"]),
    ] {
        let output = program().args(["sandbox", "--fault", fault]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(texts.iter().all(|text| stderr.contains(text)), "{stderr}");
    }
    let output = program().args(["sandbox", "--admin", "0.0.0.0:0"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("127.0.0.1:PORT"), "{stderr}");
}

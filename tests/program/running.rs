//! `check`, `serve` and `sandbox` against running vendors, and how they end.

use std::time::Duration;

use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{
    ListBackendsRequest, ListRequest, RestorePoint, WatchStatusRequest,
};
use restore_point_sandbox::{self as sandbox, CertificateAuthority, Clock};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

use crate::fixture::{Folder, Running, program};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Vendors {
    pub(crate) azure: sandbox::azure::Azure,
    pub(crate) veeam: sandbox::veeam_em::EnterpriseManager,
    authority: CertificateAuthority,
}

impl Vendors {
    pub(crate) fn start() -> Self {
        let authority = CertificateAuthority::generate().unwrap();
        let azure =
            sandbox::azure::Azure::start(sandbox::azure::Settings::default(), &authority).unwrap();
        let veeam = sandbox::veeam_em::EnterpriseManager::start(sandbox::veeam_em::Settings::new(
            Clock::running(1.0),
        ))
        .unwrap();
        Self { azure, veeam, authority }
    }

    /// A configuration in `folder` that names these vendors, and its secrets.
    pub(crate) fn configure(&self, folder: &Folder) -> std::path::PathBuf {
        folder.write("ca.pem", &self.authority.pem());
        folder.write("secret", &format!("{}\n", self.azure.client_secret()));
        folder.write("password", self.veeam.password());
        folder.write(
            "gateway.toml",
            &format!(
                r#"
listen = ["unix:gateway.sock"]
[backends.azure]
kind = "azure"
subscription_id = "{}"
endpoint = "{}"
authority = "{}"
ca_file = "ca.pem"
[backends.azure.credential]
kind = "client_secret"
tenant_id = "{}"
client_id = "{}"
secret_file = "secret"
[backends.veeam]
kind = "veeam_enterprise_manager"
url = "{}"
username = '{}'
password_file = "password"
certificate_sha256 = "{}"
"#,
                self.azure.subscription_id(),
                self.azure.endpoint(),
                self.azure.authority_host(),
                self.azure.tenant_id(),
                self.azure.client_id(),
                self.veeam.url(),
                self.veeam.username(),
                self.veeam.certificate_sha256(),
            ),
        )
    }
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let work = tokio::task::spawn_blocking(work);
    timeout(PATIENCE, work).await.expect("it ends in time").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_it_found_at_each_vendor() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let config = vendors.configure(&folder);
    let check = move || program().arg("check").arg("--config").arg(config).output().unwrap();
    let output = blocking(check.clone()).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("backends/azure (AZURE): reachable, and the credential is accepted"),
        "{said}"
    );
    assert!(
        said.contains(
            "backends/veeam (VEEAM_ENTERPRISE_MANAGER): reachable, and the credential is accepted"
        ),
        "{said}"
    );
    assert_eq!(vendors.veeam.sessions(), 0, "it logs off again");

    // A wrong password is the vendor's word, not the configuration's: 1, and the other is still asked.
    folder.write("password", "wrong");
    let output = blocking(check).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("backends/azure (AZURE): reachable, and the credential is accepted"),
        "{said}"
    );
    assert!(said.contains("refuses the gateway's credential"), "{said}");
    assert!(!said.contains("wrong"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_serves_what_is_configured_and_says_goodbye() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let config = vendors.configure(&folder);
    let gateway = Running::start(program().arg("serve").arg("--config").arg(config));
    let mut client = connect(&folder.path("gateway.sock")).await;
    let request = ListRequest { parent: "backends/-/collections/-".into(), ..Default::default() };
    let page = client.list(request).await.unwrap().into_inner();
    assert_eq!(page.restore_points.len(), 10 + 12);
    assert!(page.unreachable.is_empty());
    assert_eq!(vendors.veeam.sessions(), 1);

    gateway.signal("TERM");
    let output = blocking(move || gateway.end()).await;
    assert!(output.status.success());
    assert_eq!(vendors.veeam.sessions(), 0, "the session at the vendor is ended");
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("List"), "an access log: {log}");
    for secret in [vendors.azure.client_secret(), vendors.veeam.password(), "SENSITIVE"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_is_taken_on_sighup_and_a_bad_one_is_not() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let config = vendors.configure(&folder);
    let good = std::fs::read_to_string(&config).unwrap();
    let good =
        good.replace("[backends.azure]", "[watch]\nmin_interval = \"50ms\"\n[backends.azure]");
    folder.write("gateway.toml", &good);
    let mut gateway = Running::start(program().arg("serve").arg("--config").arg(&config));
    let mut client = connect(&folder.path("gateway.sock")).await;
    let watch = WatchStatusRequest {
        parent: "backends/veeam/collections/cloud-replica~6b2b42d5-3850-421c-93c1-e063f12a2ead"
            .into(),
        follow: true,
        ..Default::default()
    };
    let mut events = client.watch_status(watch).await.unwrap().into_inner();
    let mut backends = async || {
        let told = client.list_backends(ListBackendsRequest {}).await.unwrap().into_inner();
        told.backends.into_iter().map(|backend| backend.name).collect::<Vec<_>>()
    };
    assert_eq!(backends().await, ["backends/azure", "backends/veeam"]);

    folder.write(
        "gateway.toml",
        &good.replace("kind = \"veeam_enterprise_manager\"", "kind = \"vmware\""),
    );
    gateway.signal("HUP");
    let mut gateway = blocking(move || {
        gateway.logs("the configuration stays as it was");
        gateway
    })
    .await;
    assert_eq!(backends().await, ["backends/azure", "backends/veeam"]);

    folder.write("gateway.toml", &good.replace("[backends.veeam]", "[backends.em]"));
    gateway.signal("HUP");
    let gateway = blocking(move || {
        gateway.logs("the configuration is reloaded");
        gateway
    })
    .await;
    assert_eq!(backends().await, ["backends/azure", "backends/em"]);
    // Whoever watches points of a backend that is configured no more is not told that they are deleted.
    let last = loop {
        let event = timeout(PATIENCE, events.message()).await.unwrap().unwrap().unwrap();
        if !matches!(event.event(), Event::Snapshot | Event::Synced) {
            break event;
        }
    };
    assert_eq!(last.event(), Event::Degraded, "{last:?}");
    drop(events);
    gateway.signal("TERM");
    assert!(blocking(move || gateway.end()).await.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reads_certificate_and_key() {
    let vendors = Vendors::start();
    let folder = Folder::new();
    let config = vendors.configure(&folder);
    let tls = "[tls]\ncert_file = \"tls.crt\"\nkey_file = \"tls.key\"\n[backends.azure]";
    let text = std::fs::read_to_string(&config).unwrap().replace("[backends.azure]", tls);
    folder.write("gateway.toml", &text);
    let new = || {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let ((certificate, key), (_, another)) = (new(), new());
    folder.write("tls.crt", &certificate);
    let check = move || program().arg("check").arg("--config").arg(config).output().unwrap();
    for (key, code) in [(&key, 0), (&another, 2), (&certificate, 2)] {
        folder.write("tls.key", key);
        let output = blocking(check.clone()).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.contains("tls.key"), code == 2, "{said}");
    }
}

/// The socket file is there as soon as the program listens.
pub(crate) async fn channel(socket: &std::path::Path) -> Channel {
    let endpoint = Endpoint::try_from(format!("unix://{}", socket.display())).unwrap();
    let connected = async {
        loop {
            match endpoint.connect().await {
                Ok(channel) => return channel,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    timeout(PATIENCE, connected).await.expect("the gateway listens")
}

pub(crate) async fn connect(socket: &std::path::Path) -> RestorePointServiceClient<Channel> {
    RestorePointServiceClient::new(channel(socket).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_runs_and_ends_though_a_stream_is_open() {
    for signal in ["TERM", "INT"] {
        let mut command = program();
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "5"]);
        let (sandbox, address) = blocking(move || {
            let mut sandbox = Running::start(&mut command);
            let address = sandbox.says("gateway");
            (sandbox, address)
        })
        .await;
        let mut client =
            RestorePointServiceClient::connect(format!("http://{address}")).await.unwrap();
        let request =
            ListRequest { parent: "backends/-/collections/-".into(), ..Default::default() };
        let page = client.list(request).await.unwrap().into_inner();
        assert_eq!(page.restore_points.len(), 10 + 5 + (6 + 5) + 2 * (3 + 2));

        let names = vec![page.restore_points[0].name.clone()];
        let request = WatchStatusRequest { names, follow: true, ..Default::default() };
        let mut stream = client.watch_status(request).await.unwrap().into_inner();
        stream.message().await.unwrap().expect("a first event");
        sandbox.signal(signal);
        let output = blocking(move || sandbox.end()).await;
        assert!(output.status.success(), "{signal}");
    }
}

#[tokio::test]
async fn the_sandbox_says_how_to_reach_its_vendors_to_its_owner_only() {
    let folder = Folder::new();
    let path = folder.write("access.json", "something older, readable by all");
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0", "--write-access"]);
    command.arg(&path);
    let (sandbox, azure) = blocking(move || {
        let mut sandbox = Running::start(&mut command);
        let azure = sandbox.says("azure");
        (sandbox, azure)
    })
    .await;
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let access: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let text = |pointer: &str| access.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    assert_eq!(text("/azure/endpoint"), azure);

    let trusted = ["/azure/ca_pem", "/veeam/certificate_pem"]
        .map(|one| reqwest::Certificate::from_pem(text(one).as_bytes()).unwrap());
    let http = reqwest::Client::builder().tls_certs_only(trusted).no_proxy().build().unwrap();
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

    sandbox.signal("TERM");
    let output = blocking(move || sandbox.end()).await;
    assert!(output.status.success());
    let log = String::from_utf8_lossy(&output.stderr);
    for secret in ["/azure/client_secret", "/veeam/password"] {
        assert!(!log.contains(&text(secret)), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_takes_faults_from_the_command_line_and_by_http() {
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0"]);
    command.args(["--fault", "veeam: GET /api/ status=503", "--fault", "azure: times=1 hang_up"]);
    let (_sandbox, gateway, admin) = blocking(move || {
        let mut sandbox = Running::start(&mut command);
        let gateway = sandbox.says("gateway");
        let admin = sandbox.says("admin");
        (sandbox, gateway, admin)
    })
    .await;
    let mut client = RestorePointServiceClient::connect(format!("http://{gateway}")).await.unwrap();
    let request = ListRequest { parent: "backends/-/collections/-".into(), ..Default::default() };
    let page = client.list(request.clone()).await.unwrap().into_inner();
    assert_eq!(page.unreachable, ["backends/veeam"]);
    assert_eq!(page.restore_points.len(), 10);

    let faults = format!("{admin}/veeam/faults");
    let told = reqwest::get(&faults).await.unwrap().text().await.unwrap();
    assert!(told.contains("\"status\": 503"), "{told}");
    let cleared = reqwest::Client::new().delete(&faults).send().await.unwrap();
    assert_eq!(cleared.status(), 200);
    let page = client.list(request).await.unwrap().into_inner();
    assert!(page.unreachable.is_empty(), "{:?}", page.unreachable);
    let veeams = |point: &RestorePoint| point.name.starts_with("backends/veeam/");
    assert!(page.restore_points.len() > 10 && page.restore_points.iter().any(veeams));
}

#[test]
fn a_fault_that_cannot_be_is_refused_with_field_and_remedy() {
    for (fault, words) in [
        ("veeam: status=soon", ["status: 'soon'", "such as 503"]),
        ("azure: GET", ["no effect is given", "give latency_ms"]),
        ("aws: status=503", ["vendor: 'aws'", "azure:"]),
        ("status=503", ["vendor: 'status=503'", "veeam:"]),
    ] {
        let output = program().args(["sandbox", "--fault", fault]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
    let output = program().args(["sandbox", "--admin", "0.0.0.0:0"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("127.0.0.1:PORT"), "{said}");
}

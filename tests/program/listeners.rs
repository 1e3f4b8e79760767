//! The listeners of the program: what it logs about them, and when the files of Unix sockets are created and removed.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};

use restore_point_test_support::openmetrics::Exposition;
use restore_point_test_support::wait::in_time;
use serde_json::{Value, json};

use crate::fixture::{
    RunningProgram, Simulators, TempDir, blocking, certificate_valid_for, certificate_valid_in,
    program, self_signed_certificate,
};

/// In the JSON log, the message about a listener.
const LISTENING: &str = "\"message\":\"listening\"";

/// Writes a configuration that listens on `listen`, serves metrics on a Unix socket and has a certificate, and returns
/// the certificate (PEM).
fn configure(dir: &TempDir, listen: &[&str]) -> String {
    let config = Simulators::start().configure(dir);
    let (certificate, key) = self_signed_certificate();
    dir.write("tls.crt", &certificate);
    dir.write("tls.key", &key);
    let text = std::fs::read_to_string(config).unwrap();
    let text = text.replace("listen = [\"unix:gateway.sock\"]", &format!("listen = {listen:?}\n"));
    let more = "log = \"json\"\n\
                [tls]\ncert_file = \"tls.crt\"\nkey_file = \"tls.key\"\n\
                [metrics]\nlisten = \"unix:metrics.sock\"\n[backends.azure]";
    dir.write("gateway.toml", &text.replace("[backends.azure]", more));
    certificate
}

/// Starts the program and waits until it listens on `listeners` addresses; returns what it logged about each.
async fn serve(dir: &TempDir, listeners: usize) -> (RunningProgram, Vec<Value>) {
    let mut gateway = RunningProgram::serve(&dir.path("gateway.toml"));
    let mut lines = Vec::new();
    for _ in 0..listeners {
        lines.push(serde_json::from_str(&gateway.log_line(LISTENING).await).unwrap());
    }
    (gateway, lines)
}

/// Runs the program, which fails to start, and returns its log.
async fn fail_to_start(dir: &TempDir) -> String {
    run_to_failure(dir, 1).await
}

/// The same, with the exit code that is expected.
async fn run_to_failure(dir: &TempDir, code: i32) -> String {
    let config = dir.path("gateway.toml");
    let output = blocking(move || program().arg("serve").arg("--config").arg(config).output());
    let output = output.await.unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{log}");
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_is_logged_once_as_it_was_bound() {
    let dir = TempDir::new();
    let certificate = configure(&dir, &["127.0.0.1:0", "unix:gateway.sock"]);
    let (gateway, lines) = serve(&dir, 3).await;
    let unix = |name| format!("unix:{}", dir.path(name).display());
    let tcp: SocketAddr = lines
        .iter()
        .find_map(|line| line["address"].as_str().unwrap().parse().ok())
        .expect("a TCP address");
    let mut logged: Vec<_> =
        lines.iter().map(|line| json!([line["service"], line["address"], line["tls"]])).collect();
    logged.sort_by_key(Value::to_string);
    let mut expected = vec![
        json!(["grpc", tcp.to_string(), true]),
        json!(["grpc", unix("gateway.sock"), false]),
        json!(["metrics", unix("metrics.sock"), false]),
    ];
    expected.sort_by_key(Value::to_string);
    assert_eq!(logged, expected);

    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).no_proxy().build().unwrap();
    let url = format!("https://localhost:{}/", tcp.port());
    let response = in_time(client.get(url).send()).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    UnixStream::connect(dir.path("gateway.sock")).unwrap();

    let rest = gateway.terminate().await;
    assert!(!rest.contains(LISTENING), "{rest}");
}

/// The metric of the end of the certificate.
async fn expiry(dir: &TempDir) -> f64 {
    let client = reqwest::Client::builder().unix_socket(dir.path("metrics.sock"));
    let response = client.build().unwrap().get("http://gateway/metrics").send();
    let text = in_time(response).await.unwrap().text().await.unwrap();
    let name = "restorepoint_certificate_expiry_timestamp_seconds";
    Exposition::parse(&text).value(name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_refused_at_the_start_and_at_a_reload() {
    let dir = TempDir::new();
    configure(&dir, &["unix:gateway.sock"]);
    let write = |(certificate, key): (String, String)| {
        dir.write("tls.crt", &certificate);
        dir.write("tls.key", &key);
    };
    write(certificate_valid_in([1975, 2020]));
    let log = run_to_failure(&dir, 2).await;
    assert!(log.contains("tls.crt: the certificate expired on 2020-01-01T00:00:00Z"), "{log}");

    write(certificate_valid_for(20));
    let mut gateway = RunningProgram::serve(&dir.path("gateway.toml"));
    let warning = gateway.log_line("the certificate expires in").await;
    assert!(warning.contains("\"WARN\""), "{warning}");
    for _ in 0..2 {
        gateway.log_line(LISTENING).await;
    }
    let soon = expiry(&dir).await;
    write(certificate_valid_in([1975, 2020]));
    gateway.signal("HUP");
    gateway.log_line("the configuration stays as it was").await;
    assert_eq!(expiry(&dir).await, soon);
    write(certificate_valid_in([1975, 4096]));
    gateway.signal("HUP");
    gateway.log_line("the configuration is reloaded").await;
    assert_eq!(expiry(&dir).await, 67_090_118_400.0, "4096-01-01");
    gateway.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn socket_files_are_removed_at_a_clean_end() {
    let dir = TempDir::new();
    configure(&dir, &["unix:gateway.sock"]);
    let (gateway, _) = serve(&dir, 2).await;
    let files = ["gateway.sock", "metrics.sock"].map(|name| dir.path(name));
    assert!(files.iter().all(|file| file.exists()));
    gateway.terminate().await;
    assert!(!files.iter().any(|file| file.exists()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_file_that_was_replaced_is_kept() {
    let dir = TempDir::new();
    configure(&dir, &["unix:gateway.sock"]);
    let (gateway, _) = serve(&dir, 2).await;
    let socket = dir.path("gateway.sock");
    std::fs::remove_file(&socket).unwrap();
    let _successor = UnixListener::bind(&socket).unwrap();
    gateway.terminate().await;
    UnixStream::connect(&socket).expect("the successor's socket file is still there");
    assert!(!dir.path("metrics.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_leaves_no_socket_file_and_logs_no_listener() {
    let dir = TempDir::new();
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap().to_string();
    configure(&dir, &["unix:gateway.sock", &address]);
    let log = fail_to_start(&dir).await;
    assert!(log.contains(&format!("cannot listen on {address}")), "{log}");
    assert!(!log.contains(LISTENING), "{log}");
    assert!(!dir.path("gateway.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_file_of_a_killed_process_is_replaced_but_no_other_file() {
    let dir = TempDir::new();
    configure(&dir, &["unix:gateway.sock"]);
    let socket = dir.path("gateway.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "closing the socket leaves its file behind");
    let (gateway, _) = serve(&dir, 2).await;
    gateway.terminate().await;

    let content = "not a socket";
    dir.write("gateway.sock", content);
    let log = fail_to_start(&dir).await;
    assert!(log.contains(&format!("cannot listen on {}", socket.display())), "{log}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), content);
}

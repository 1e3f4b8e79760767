//! Where the program listens: what it logs, and what becomes of the files of Unix sockets.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fixture::{Folder, Running, program};
use crate::running::{PATIENCE, Vendors, blocking};

/// In the JSON log, the message about a listener.
const LISTENING: &str = "\"message\":\"listening\"";

/// Writes a configuration that listens on `listen`, serves metrics on a Unix socket and has a certificate, and returns
/// the certificate (PEM).
fn configure(folder: &Folder, listen: &[&str]) -> String {
    let vendors = Vendors::start();
    let config = vendors.configure(folder);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    folder.write("tls.crt", &certificate);
    folder.write("tls.key", &key.serialize_pem());
    let text = std::fs::read_to_string(config).unwrap();
    let text = text.replace("listen = [\"unix:gateway.sock\"]", &format!("listen = {listen:?}\n"));
    let more = "log = \"json\"\n\
                [tls]\ncert_file = \"tls.crt\"\nkey_file = \"tls.key\"\n\
                [metrics]\nlisten = \"unix:metrics.sock\"\n[backends.azure]";
    folder.write("gateway.toml", &text.replace("[backends.azure]", more));
    certificate
}

/// Starts the program and waits until it listens on `listeners` addresses; returns what it logged about each.
async fn serve(folder: &Folder, listeners: usize) -> (Running, Vec<Value>) {
    let config = folder.path("gateway.toml");
    blocking(move || {
        let mut gateway = Running::start(program().arg("serve").arg("--config").arg(config));
        let lines = (0..listeners).map(|_| gateway.logs(LISTENING));
        let lines = lines.map(|line| serde_json::from_str(&line).unwrap()).collect();
        (gateway, lines)
    })
    .await
}

/// Runs the program, which fails to start, and returns its log.
async fn fail_to_start(folder: &Folder) -> String {
    let config = folder.path("gateway.toml");
    let output = blocking(move || program().arg("serve").arg("--config").arg(config).output());
    let output = output.await.unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    log
}

async fn terminate(gateway: Running) -> String {
    gateway.signal("TERM");
    let output = blocking(move || gateway.end()).await;
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_is_logged_once_as_it_was_bound() {
    let folder = Folder::new();
    let certificate = configure(&folder, &["127.0.0.1:0", "unix:gateway.sock"]);
    let (gateway, lines) = serve(&folder, 3).await;
    let unix = |name| format!("unix:{}", folder.path(name).display());
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
    let response = timeout(PATIENCE, client.get(url).send()).await.unwrap().unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    UnixStream::connect(folder.path("gateway.sock")).unwrap();

    let rest = terminate(gateway).await;
    assert!(!rest.contains(LISTENING), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn socket_files_are_removed_at_a_clean_end() {
    let folder = Folder::new();
    configure(&folder, &["unix:gateway.sock"]);
    let (gateway, _) = serve(&folder, 2).await;
    let files = ["gateway.sock", "metrics.sock"].map(|name| folder.path(name));
    assert!(files.iter().all(|file| file.exists()));
    terminate(gateway).await;
    assert!(!files.iter().any(|file| file.exists()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_file_that_was_replaced_is_kept() {
    let folder = Folder::new();
    configure(&folder, &["unix:gateway.sock"]);
    let (gateway, _) = serve(&folder, 2).await;
    let socket = folder.path("gateway.sock");
    std::fs::remove_file(&socket).unwrap();
    let _successor = UnixListener::bind(&socket).unwrap();
    terminate(gateway).await;
    UnixStream::connect(&socket).expect("the successor's socket file is still there");
    assert!(!folder.path("metrics.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_leaves_no_socket_file_and_logs_no_listener() {
    let folder = Folder::new();
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap().to_string();
    configure(&folder, &["unix:gateway.sock", &address]);
    let log = fail_to_start(&folder).await;
    assert!(log.contains(&format!("cannot listen on {address}")), "{log}");
    assert!(!log.contains(LISTENING), "{log}");
    assert!(!folder.path("gateway.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_file_of_a_killed_process_is_replaced_but_no_other_file() {
    let folder = Folder::new();
    configure(&folder, &["unix:gateway.sock"]);
    let socket = folder.path("gateway.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "closing the socket leaves its file behind");
    let (gateway, _) = serve(&folder, 2).await;
    terminate(gateway).await;

    let content = "not a socket";
    folder.write("gateway.sock", content);
    let log = fail_to_start(&folder).await;
    assert!(log.contains(&format!("cannot listen on {}", socket.display())), "{log}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), content);
}

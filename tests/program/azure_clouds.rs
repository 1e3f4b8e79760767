//! The hosts and the token audience of each Azure cloud, observed at an HTTP proxy that rejects every tunnel and at a
//! fake `az` that records its arguments.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use crate::fixture::{TempDir, program};

/// A proxy that rejects every CONNECT request and sends the requested destinations to the receiver.
fn start_proxy() -> (String, Receiver<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let (sender, destinations) = channel();
    std::thread::spawn(move || {
        for connection in socket.incoming().map(Result::unwrap) {
            let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
            let Some(request_line) = lines.next() else { continue };
            lines.find(String::is_empty);
            let connect = request_line.strip_prefix("CONNECT ");
            let destination = connect.and_then(|rest| rest.split(' ').next());
            if sender.send(destination.unwrap_or(&request_line).to_owned()).is_err() {
                return;
            }
            let response = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
            (&connection).write_all(response.as_bytes()).unwrap();
        }
    });
    (url, destinations)
}

/// The host that `check` tries to connect to with these settings; all attempts must be to the same host.
fn destination(dir: &TempDir, path: &str, cloud: &str, credential: &str) -> String {
    let config = format!(
        "[backends.a]\nkind = \"azure\"\nsubscription_id = \"00000000-0000-0000-0000-000000000000\"\n\
         {cloud}\n[backends.a.credential]\n{credential}\n"
    );
    let (proxy, destinations) = start_proxy();
    let mut command = program();
    command.arg("check").arg("--config").arg(dir.write("gateway.toml", &config));
    for name in ["NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let output = command.env("HTTPS_PROXY", proxy).env("PATH", path).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("is unavailable"), "{stdout}");
    let mut destinations: Vec<String> = destinations.try_iter().collect();
    destinations.dedup();
    assert_eq!(destinations.len(), 1, "{destinations:?}");
    destinations.remove(0)
}

#[test]
fn each_cloud_has_its_own_hosts_and_audience() {
    let dir = TempDir::new();
    dir.write("secret", "s");
    let arguments = dir.path("arguments");
    let path = dir.write_az(&format!(
        "echo \"$*\" > {}\necho '{{\"accessToken\": \"t\", \"expires_on\": 2147385600, \
         \"tokenType\": \"Bearer\"}}'",
        arguments.display()
    ));

    let secret =
        "kind = \"client_secret\"\ntenant_id = \"t\"\nclient_id = \"c\"\nsecret_file = \"secret\"";
    for (cloud, manager, authority) in [
        ("", "management.azure.com", "login.microsoftonline.com"),
        ("cloud = \"public\"", "management.azure.com", "login.microsoftonline.com"),
        ("cloud = \"usgov\"", "management.usgovcloudapi.net", "login.microsoftonline.us"),
        ("cloud = \"china\"", "management.chinacloudapi.cn", "login.chinacloudapi.cn"),
        (
            "endpoint = \"https://management.local.stack.example\"\nauthority = \"https://login.stack.example\"",
            "management.local.stack.example",
            "login.stack.example",
        ),
    ] {
        let host = destination(&dir, &path, cloud, secret);
        assert_eq!(host, format!("{authority}:443"), "{cloud}");
        let host = destination(&dir, &path, cloud, "kind = \"azure_cli\"");
        assert_eq!(host, format!("{manager}:443"), "{cloud}");
        let arguments = std::fs::read_to_string(&arguments).unwrap();
        let scope = format!("--scope https://{manager}/.default");
        assert!(arguments.trim_end().ends_with(&scope), "{arguments}");
    }
}

/// The destinations that the proxy of the environment is asked for while `check` runs.
fn destinations_of_environment(dir: &TempDir, keys: &str, no_proxy: &str) -> Vec<String> {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "[backends.a]\nkind = \"azure\"\nsubscription_id = \"00000000-0000-0000-0000-000000000000\"\n\
         endpoint = \"https://localhost:{closed}\"\nauthority = \"https://localhost:{closed}\"\n{keys}\n\
         [backends.a.credential]\nkind = \"static_token\"\ntoken_file = \"secret\"\n"
    );
    let (proxy, destinations) = start_proxy();
    let mut command = program();
    command.arg("check").arg("--config").arg(dir.write("gateway.toml", &config));
    for name in ["no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let output = command.env("HTTPS_PROXY", proxy).env("NO_PROXY", no_proxy).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("is unavailable"), "{stdout}");
    destinations.try_iter().collect()
}

#[test]
fn the_proxy_of_the_environment_applies_unless_a_backend_has_a_setting_of_its_own() {
    let dir = TempDir::new();
    dir.write("secret", "s");
    assert!(!destinations_of_environment(&dir, "", "").is_empty());
    assert!(destinations_of_environment(&dir, "", "localhost").is_empty());
    assert!(destinations_of_environment(&dir, "proxy = \"none\"", "").is_empty());
    let own = "proxy = \"http://127.0.0.1:9\"";
    assert!(destinations_of_environment(&dir, own, "localhost").is_empty());
}

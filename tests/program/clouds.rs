//! Each cloud has its own resource manager, its own authority and its own audience: what the program really
//! asks for, seen by a proxy that lets nothing out, and by an `az` that notes its arguments.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, channel};

use crate::fixture::{Folder, program};

/// A proxy that opens no tunnel; it tells where each was meant to go.
fn proxy() -> (String, Receiver<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    let (asked, seen) = channel();
    std::thread::spawn(move || {
        for connection in socket.incoming().map(Result::unwrap) {
            let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { continue };
            lines.find(String::is_empty);
            let target = first.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
            if asked.send(target.unwrap_or(&first).to_owned()).is_err() {
                return;
            }
            let refusal = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
            (&connection).write_all(refusal.as_bytes()).unwrap();
        }
    });
    (address, seen)
}

/// Where the program wants to go with this cloud and this credential; all attempts are to one place.
fn destination(folder: &Folder, cloud: &str, credential: &str) -> String {
    let text = format!(
        "[backends.a]\nkind = \"azure\"\nsubscription_id = \"00000000-0000-0000-0000-000000000000\"\n\
         {cloud}\n[backends.a.credential]\n{credential}\n"
    );
    let (address, seen) = proxy();
    let mut command = program();
    command.arg("check").arg("--config").arg(folder.write("gateway.toml", &text));
    for name in ["NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let path = format!("{}:/usr/bin:/bin", folder.path("bin").display());
    let output = command.env("HTTPS_PROXY", address).env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("is unavailable"), "{said}");
    let mut all: Vec<String> = seen.try_iter().collect();
    all.dedup();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn each_cloud_has_its_hosts_and_its_audience() {
    let folder = Folder::new();
    folder.write("secret", "s");
    let bin = folder.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let az = bin.join("az");
    let noted = folder.path("asked");
    let script = format!(
        "#!/bin/sh\necho \"$*\" > {}\necho '{{\"accessToken\": \"t\", \"expires_on\": 2147385600, \
         \"tokenType\": \"Bearer\"}}'\n",
        noted.display()
    );
    std::fs::write(&az, script).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();

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
        assert_eq!(destination(&folder, cloud, secret), format!("{authority}:443"), "{cloud}");
        let told = destination(&folder, cloud, "kind = \"azure_cli\"");
        assert_eq!(told, format!("{manager}:443"), "{cloud}");
        let asked = std::fs::read_to_string(&noted).unwrap();
        assert!(
            asked.trim_end().ends_with(&format!("--scope https://{manager}/.default")),
            "{asked}"
        );
    }
}

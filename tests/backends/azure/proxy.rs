//! Resource Manager and the authority behind an HTTP proxy that opens tunnels.

use std::sync::{Arc, Mutex};

use restore_point_gateway::upstream::ProxyUrl;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::fixture::*;

/// `user:SENSITIVE` as Basic credentials.
const AUTHORIZATION: &str = "Basic dXNlcjpTRU5TSVRJVkU=";

/// A proxy that opens a tunnel for requests with the password. Returns its port and the destinations of its tunnels.
async fn start_proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, tunnels) = (socket.local_addr().unwrap().port(), Arc::default());
    let opened = Arc::clone(&tunnels);
    tokio::spawn(async move {
        while let Ok((client, _)) = socket.accept().await {
            tokio::spawn(tunnel(client, Arc::clone(&opened)));
        }
    });
    (port, tunnels)
}

async fn tunnel(client: TcpStream, opened: Arc<Mutex<Vec<String>>>) {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && client.read_line(&mut head).await.unwrap() > 0 {}
    let destination = head.split(' ').nth(1).unwrap().to_owned();
    if !head.starts_with("CONNECT ") || !head.contains(AUTHORIZATION) {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        client.write_all(refusal).await.unwrap();
        return;
    }
    let mut vendor = TcpStream::connect(&destination).await.unwrap();
    opened.lock().unwrap().push(destination);
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    copy_bidirectional(&mut client, &mut vendor).await.ok();
}

fn behind(fixture: &AzureFixture, proxy: &str, except: &[&str]) -> Azure {
    let simulator = &fixture.simulator;
    let credential = Credential::ClientSecret {
        tenant_id: simulator.tenant_id().to_owned(),
        client_id: simulator.client_id().to_owned(),
        secret: simulator.client_secret().into(),
    };
    let except = except.iter().map(|host| (*host).to_owned()).collect();
    let proxy = Proxy::Through(ProxyUrl::parse(proxy, except).unwrap());
    let settings = Settings { proxy, ..settings(simulator, &fixture.pem, credential) };
    assert!(!format!("{settings:?}").contains("SENSITIVE"));
    Azure::new(settings).unwrap()
}

#[tokio::test]
async fn resource_manager_and_the_authority_are_reached_through_the_proxy() {
    let fixture = AzureFixture::start();
    let (port, tunnels) = start_proxy().await;
    let proxy = format!("http://user:SENSITIVE@127.0.0.1:{port}");
    behind(&fixture, &proxy, &["other.example"]).probe().await.unwrap();
    // The simulator serves both on one port.
    let simulator = fixture.simulator.endpoint().replace("https://", "");
    let mut opened = std::mem::take(&mut *tunnels.lock().unwrap());
    opened.dedup();
    assert_eq!(opened, [simulator.trim_end_matches('/')]);

    behind(&fixture, &proxy, &["localhost"]).probe().await.unwrap();
    assert!(tunnels.lock().unwrap().is_empty(), "`no_proxy` names the host");
}

#[tokio::test]
async fn the_password_of_a_proxy_is_in_no_error() {
    let fixture = AzureFixture::start();
    let (port, _) = start_proxy().await;
    let proxy = format!("http://user:SENSITIVE-wrong@127.0.0.1:{port}");
    let error = behind(&fixture, &proxy, &[]).probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("cannot get an access token"), "{error}");
    assert!(!format!("{error:?}{error}").contains("SENSITIVE"), "{error:?}");
}

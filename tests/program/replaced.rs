//! A gateway that is killed without a word, and the one that takes its place.

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, WatchStatusRequest, WatchStatusResponse,
};
use restore_point_sandbox::azure::{self, Azure, Fault, Matching, VendorFault};
use restore_point_sandbox::{CertificateAuthority, Clock};
use tokio::time::timeout;
use tonic::Streaming;

use crate::fixture::{Folder, Running, program};
use crate::running::{PATIENCE, connect};

const SOURCE: &str = "backends/azure/collections/rg-prod~rpc-db01";

async fn event(stream: &mut Streaming<WatchStatusResponse>) -> WatchStatusResponse {
    timeout(PATIENCE, stream.message()).await.unwrap().unwrap().expect("the stream goes on")
}

/// The signed handle of the operation is in the token alone: the vendor shows it once, and the gateway that
/// had it is dead.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_a_gateway_that_is_killed() {
    let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
    let authority = CertificateAuthority::generate().unwrap();
    let settings = azure::Settings { clock: clock.clone(), ..azure::Settings::default() };
    let vendor = Azure::start(settings, &authority).unwrap();
    let folder = Folder::new();
    folder.write("ca.pem", &authority.pem());
    folder.write("token", &vendor.static_token());
    folder.write("key", "the key of thirty-two bytes that replicas share");
    let (subscription, endpoint) = (vendor.subscription_id(), vendor.endpoint());
    let config = folder.write(
        "gateway.toml",
        &format!(
            r#"
listen = ["unix:gateway.sock"]
token_key_file = "key"
[watch]
min_interval = "50ms"
max_interval = "100ms"
progress_interval = "50ms"
[backends.azure]
kind = "azure"
subscription_id = "{subscription}"
endpoint = "{endpoint}"
authority = "{endpoint}"
ca_file = "ca.pem"
[backends.azure.credential]
kind = "static_token"
token_file = "token"
"#
        ),
    );
    let serve = || Running::start(program().arg("serve").arg("--config").arg(&config));
    let socket = folder.path("gateway.sock");

    let first = serve();
    let mut client = connect(&socket).await;
    let collection = CreateCollectionRequest {
        parent: "backends/azure".into(),
        collection_id: "rg-prod~rpc-north".into(),
        collection: Some(Collection {
            location: "northeurope".into(),
            source: SOURCE.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let destination = client.create_collection(collection).await.unwrap().into_inner().name;
    let doom = Fault::vendor(VendorFault::FailCreation {
        code: "VMRestorePointInternalError".into(),
        message: "An internal error occurred. Please retry later.".into(),
    });
    vendor.inject(Matching::new(Method::PUT, "/restorepoints/doomed"), 1, doom);
    let copy = CopyRequest {
        source: format!("{SOURCE}/restorePoints/db01-day3"),
        destination,
        restore_point_id: "doomed".into(),
        ..Default::default()
    };
    let started = client.copy(copy).await.unwrap().into_inner();
    let request = WatchStatusRequest {
        names: vec![started.restore_point.unwrap().name],
        resume_token: started.resume_token,
        follow: true,
        ..Default::default()
    };
    let mut stream = client.watch_status(request.clone()).await.unwrap().into_inner();
    assert_eq!(event(&mut stream).await.event(), Event::Snapshot);
    let synced = event(&mut stream).await;
    assert_eq!(synced.event(), Event::Synced);

    first.signal("KILL");
    timeout(PATIENCE, stream.message()).await.unwrap().expect_err("it breaks without a goodbye");
    drop(first);
    clock.advance(SignedDuration::from_mins(1));

    std::fs::remove_file(&socket).unwrap();
    let _second = serve();
    let mut client = connect(&socket).await;
    let request = WatchStatusRequest { resume_token: synced.resume_token, ..request };
    let mut stream = client.watch_status(request.clone()).await.unwrap().into_inner();
    let failed = event(&mut stream).await;
    let point = failed.restore_point.unwrap();
    assert_eq!(point.state(), State::Failed);
    let why = point.error.unwrap().message;
    assert!(why.contains("An internal error occurred"), "{why}");
    assert_eq!(event(&mut stream).await.event(), Event::Synced);

    // And what has been told is not told again.
    let request = WatchStatusRequest { resume_token: failed.resume_token, ..request };
    let mut stream = client.watch_status(request).await.unwrap().into_inner();
    assert_eq!(event(&mut stream).await.event(), Event::Synced);
}

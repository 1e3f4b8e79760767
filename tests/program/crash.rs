//! A gateway that is killed, and the one that replaces it.

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, WatchStatusRequest,
};
use restore_point_sandbox::CertificateAuthority;
use restore_point_sandbox::azure::{Azure, Fault, Matching, Settings, VendorFault};
use restore_point_test_support::fixture::{COPY_ID, manual_clock};
use restore_point_test_support::watch::Watch;

use crate::fixture::{RunningProgram, TempDir, connect};

const SOURCE: &str = "backends/azure/collections/rg-prod~rpc-db01";

/// ARM returns the handle of an operation once, so after the crash only the resume token contains it.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_resumed_without_loss_after_a_crash() {
    let clock = manual_clock();
    let authority = CertificateAuthority::generate().unwrap();
    let settings = Settings { clock: clock.clone(), ..Settings::default() };
    let azure = Azure::start(settings, &authority).unwrap();
    let dir = TempDir::new();
    dir.write("ca.pem", &authority.pem());
    dir.write("token", &azure.static_token());
    dir.write("key", "a key of at least 32 bytes that all replicas share");
    let (subscription, endpoint) = (azure.subscription_id(), azure.endpoint());
    let config = dir.write(
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
    let socket = dir.path("gateway.sock");

    let first = RunningProgram::serve(&config);
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
    let fault = Fault::vendor(VendorFault::FailCreation {
        code: "VMRestorePointInternalError".into(),
        message: "An internal error occurred. Please retry later.".into(),
    });
    let matching = Matching::new(Method::PUT, &format!("/restorepoints/{COPY_ID}"));
    azure.inject(matching, 1, fault);
    let copy = CopyRequest {
        source: format!("{SOURCE}/restorePoints/db01-day3"),
        destination,
        restore_point_id: COPY_ID.into(),
        ..Default::default()
    };
    let started = client.copy(copy).await.unwrap().into_inner();
    let request = WatchStatusRequest {
        names: vec![started.restore_point.unwrap().name],
        resume_token: started.resume_token,
        follow: true,
        ..Default::default()
    };
    let mut watch = Watch::open(client, request.clone()).await.unwrap();
    assert_eq!(watch.next_event().await.event(), Event::Snapshot);
    let synced = watch.next_event().await;
    assert_eq!(synced.event(), Event::Synced);

    first.signal("KILL");
    watch.message().await.expect_err("the stream breaks");
    drop(first);
    clock.advance(SignedDuration::from_mins(1));

    std::fs::remove_file(&socket).unwrap();
    let _second = RunningProgram::serve(&config);
    let client = connect(&socket).await;
    let request = WatchStatusRequest { resume_token: synced.resume_token, ..request };
    let mut watch = Watch::open(client.clone(), request.clone()).await.unwrap();
    let failed = watch.next_event().await;
    let point = failed.restore_point.unwrap();
    assert_eq!(point.state(), State::Failed);
    let reason = point.error.unwrap().message;
    assert!(reason.contains("An internal error occurred"), "{reason}");
    assert_eq!(watch.next_event().await.event(), Event::Synced);

    // The failure is not sent again.
    let request = WatchStatusRequest { resume_token: failed.resume_token, ..request };
    let mut watch = Watch::open(client, request).await.unwrap();
    assert_eq!(watch.next_event().await.event(), Event::Synced);
}

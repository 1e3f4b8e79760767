//! The health service, by the gRPC health checking protocol.

use restore_point_gateway::server::ServerExit;
use tonic::Code;
use tonic_health::ServingStatus;
use tonic_health::pb::health_check_response::ServingStatus as ProtoStatus;
use tonic_health::pb::health_client::HealthClient;

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::wait::in_time;

use super::fixture::{TestServer, check, origin};

#[tokio::test]
async fn each_name_has_its_health_status() {
    let server = TestServer::start().await;
    server.health.set("backends/veeam", ServingStatus::NotServing);
    let mut health = HealthClient::with_origin(server.http2_client().await, origin());
    for (name, status) in [
        ("", ProtoStatus::Serving),
        ("restorepoint.v1.RestorePointService", ProtoStatus::Serving),
        ("backends/veeam", ProtoStatus::NotServing),
    ] {
        let response = in_time(health.check(check(name))).await.unwrap();
        assert_eq!(response.get_ref().status(), status, "{name}");
    }
    let error = in_time(health.check(check("backends/none"))).await.unwrap_err();
    assert_status(&error, Code::NotFound, "HEALTH_NAME_UNKNOWN");
}

#[tokio::test]
async fn a_health_watch_waits_for_an_unknown_name_and_ends_at_shutdown() {
    let server = TestServer::start().await;
    let mut health = HealthClient::with_origin(server.http2_client().await, origin());
    let mut watch = in_time(health.watch(check("backends/azure"))).await.unwrap().into_inner();
    assert_eq!(
        in_time(watch.message()).await.unwrap().unwrap().status(),
        ProtoStatus::ServiceUnknown
    );
    server.health.set("backends/veeam", ServingStatus::Serving);
    server.health.set("backends/azure", ServingStatus::Serving);
    assert_eq!(in_time(watch.message()).await.unwrap().unwrap().status(), ProtoStatus::Serving);
    assert_eq!(server.stop().await, ServerExit::Drained);
    assert_eq!(in_time(watch.message()).await.unwrap().unwrap().status(), ProtoStatus::NotServing);
    assert_status(&in_time(watch.message()).await.unwrap_err(), Code::Unavailable, "DRAINING");
}

//! The health service by its specification.

use restore_point_gateway::server::End;
use tonic::Code;
use tonic_health::ServingStatus;
use tonic_health::pb::health_check_response::ServingStatus as Told;
use tonic_health::pb::health_client::HealthClient;

use super::fixture::{Server, assert_refused, check, origin, soon};

#[tokio::test]
async fn health_is_told_by_name() {
    let server = Server::start().await;
    server.health.set("backends/veeam", ServingStatus::NotServing);
    let mut health = HealthClient::with_origin(server.wire().await, origin());
    for (name, status) in [
        ("", Told::Serving),
        ("restorepoint.v1.RestorePointService", Told::Serving),
        ("backends/veeam", Told::NotServing),
    ] {
        let answer = soon(health.check(check(name))).await.unwrap();
        assert_eq!(answer.get_ref().status(), status, "{name}");
    }
    let refused = soon(health.check(check("backends/none"))).await.unwrap_err();
    assert_refused(&refused, Code::NotFound, "HEALTH_NAME_UNKNOWN");
}

#[tokio::test]
async fn a_health_watch_waits_for_an_unknown_name_and_ends_with_the_server() {
    let server = Server::start().await;
    let mut health = HealthClient::with_origin(server.wire().await, origin());
    let mut watch = soon(health.watch(check("backends/azure"))).await.unwrap().into_inner();
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), Told::ServiceUnknown);
    server.health.set("backends/veeam", ServingStatus::Serving);
    server.health.set("backends/azure", ServingStatus::Serving);
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), Told::Serving);
    assert_eq!(server.stop().await, End::Drained);
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), Told::NotServing);
    assert_refused(&soon(watch.message()).await.unwrap_err(), Code::Unavailable, "DRAINING");
}

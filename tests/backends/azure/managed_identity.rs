//! The managed identity of the virtual machine that the gateway runs in, from its metadata service.

use restore_point_sandbox::azure::{Host, IdentityEndpoint};

use super::fixture::*;

/// A fixture whose gateway runs in a virtual machine.
fn in_virtual_machine(
    client_id: impl FnOnce(&Simulator) -> Option<String>,
) -> (AzureFixture, IdentityEndpoint) {
    let mut host = None;
    let fixture = AzureFixture::start_with_credential(
        |_| {},
        |simulator| {
            let endpoint = simulator.identity_endpoint(Host::Machine).unwrap();
            let metadata_service = Some(endpoint.url().parse().unwrap());
            host = Some(endpoint);
            Credential::ManagedIdentity { client_id: client_id(simulator), metadata_service }
        },
    );
    (fixture, host.unwrap())
}

#[tokio::test]
async fn the_system_assigned_and_a_user_assigned_identity_get_a_token() {
    let (fixture, host) = in_virtual_machine(|_| None);
    fixture.azure.probe().await.unwrap();
    list_all(&fixture.azure, &Segment::Any, 100).await;
    assert_eq!(host.requests(), 1);
    let (fixture, host) = in_virtual_machine(|simulator| Some(simulator.client_id().to_owned()));
    fixture.azure.probe().await.unwrap();
    assert_eq!(host.requests(), 1);
    assert_eq!(fixture.simulator.calls().count(&Method::POST, Kind::Token), 0);
}

#[tokio::test]
async fn an_unassigned_identity_is_rejected() {
    let (fixture, host) = in_virtual_machine(|_| Some(uuid::Uuid::nil().to_string()));
    match fixture.azure.probe().await.unwrap_err() {
        Error::CredentialRefused { detail, .. } => {
            assert!(detail.contains("not been assigned"), "{detail}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(host.requests(), 1, "it is not retried");
}

#[tokio::test]
async fn a_metadata_service_that_is_being_updated_is_retried() {
    let requests = [404, 410, 429, 500, 503].map(|status| async move {
        let (fixture, host) = in_virtual_machine(|_| None);
        host.fail_next(&[status]);
        fixture.azure.probe().await.unwrap();
        host.requests()
    });
    assert_eq!(futures::future::join_all(requests).await, [2; 5]);
}

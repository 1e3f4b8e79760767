//! The identity of the machine that the gateway runs in, from its metadata service.

use restore_point_sandbox::azure::{Host, IdentityEndpoint};

use super::fixture::*;

/// A bench whose gateway runs in a machine.
fn in_a_machine(client_id: impl FnOnce(&Simulator) -> Option<String>) -> (Bench, IdentityEndpoint) {
    let mut host = None;
    let bench = bench_with(
        |_| {},
        |vendor| {
            let started = vendor.identity_endpoint(Host::Machine).unwrap();
            let metadata_service = Some(started.url().parse().unwrap());
            host = Some(started);
            Credential::ManagedIdentity { client_id: client_id(vendor), metadata_service }
        },
    );
    (bench, host.unwrap())
}

#[tokio::test]
async fn a_machine_has_an_identity_of_its_own_or_one_that_is_named() {
    let (bench, host) = in_a_machine(|_| None);
    bench.azure.probe().await.unwrap();
    walk(&bench.azure, &Segment::Any, 100).await;
    assert_eq!(host.requests(), 1);
    let (bench, host) = in_a_machine(|vendor| Some(vendor.client_id().to_owned()));
    bench.azure.probe().await.unwrap();
    assert_eq!(host.requests(), 1);
    assert_eq!(bench.vendor.calls().count(&Method::POST, Kind::Token), 0);
}

#[tokio::test]
async fn an_identity_that_was_not_assigned_is_refused() {
    let (bench, host) = in_a_machine(|_| Some(uuid::Uuid::nil().to_string()));
    match bench.azure.probe().await.unwrap_err() {
        Error::CredentialRefused { detail, .. } => {
            assert!(detail.contains("not been assigned"), "{detail}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(host.requests(), 1, "no repetition helps");
}

#[tokio::test]
async fn a_metadata_service_that_is_being_updated_is_asked_again() {
    let asked = [404, 410, 429, 500, 503].map(|status| async move {
        let (bench, host) = in_a_machine(|_| None);
        host.fail_next(&[status]);
        bench.azure.probe().await.unwrap();
        host.requests()
    });
    assert_eq!(futures::future::join_all(asked).await, [2; 5]);
}

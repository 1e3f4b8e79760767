//! Restore points of Cloud Connect tenants' replicas, and behaviours that are the same for all kinds.

use std::collections::BTreeSet;

use http::Method;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::model::{
    BackendId, Capability, Error, PointRef, Segment, State, VendorProperties, View,
};
use restore_point_sandbox::veeam_em::{CloudQuery, Matching};

use super::fixture::{
    POINT, REPLICA, backend, error_response, list_all, list_all_collections, name, poll, server,
};

#[tokio::test]
async fn a_cloud_replica_point_is_read_with_all_its_fields() {
    let server = server(|_| {});
    let veeam = backend(&server);
    let found = veeam.get(&name("-", POINT), View::Full).await.unwrap();
    let full = format!("backends/em/collections/cloud-replica~{REPLICA}/restorePoints/{POINT}");
    assert_eq!(found.name.to_string(), full);
    assert_eq!(found.uid, format!("urn:veeam:CloudVmReplicaPoint:{POINT}"));
    assert_eq!(found.vendor_id, found.uid);
    assert_eq!(found.display_name, "srv39@2015-12-25 20:00:47");
    assert_eq!(found.source.vm_name, "srv39");
    assert_eq!(found.point_time.unwrap().to_string(), "2015-12-25T20:00:47Z");
    assert_eq!((found.state, found.state_reason.as_str()), (State::Ready, ""));
    assert_eq!(found.raw, None);

    let upper = veeam.get(&name("-", &POINT.to_uppercase()), View::Full).await.unwrap();
    assert_eq!(upper, found);
    assert_eq!(poll(&veeam, &PointRef::from(&found.name)).await.unwrap(), found);
    let raw = veeam.get(&name("-", POINT), View::Raw).await.unwrap().raw.unwrap();
    assert!(raw.body.starts_with("<CloudVmReplicaPoint "), "{}", raw.body);
    assert!(raw.body.ends_with("</CloudVmReplicaPoint>"), "{}", raw.body);

    for (collection, point) in [
        ("cloud-replica~8393c284-c953-403f-a9b9-cff63e0c6815", POINT),
        ("-", "00000000-0000-4000-8000-000000000000"),
        // The restore point exists, in a collection of another kind.
        (&format!("backup~{REPLICA}"), POINT),
        (&format!("replica~{REPLICA}"), POINT),
    ] {
        let error = veeam.get(&name(collection, point), View::Full).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
    for (collection, point) in [
        ("-", "srv39"),
        ("-", "930814416e3c4584b47a08dc1ce24f84"),
        (REPLICA, POINT),
        ("backup~1", POINT),
        ("tape~93081441-6e3c-4584-b47a-08dc1ce24f84", POINT),
    ] {
        let error = veeam.get(&name(collection, point), View::Full).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn every_state_is_mapped_and_an_unknown_one_is_kept() {
    let server = server(|_| {});
    let veeam = backend(&server);
    for (raw, state) in [
        ("Ready", State::Ready),
        ("Failover", State::InUse),
        ("Failback", State::InUse),
        ("PermanentFailover", State::Retired),
        ("Unknown", State::Unknown),
        ("Quiescing", State::Unknown),
        ("ready", State::Unknown),
    ] {
        assert!(server.set_state(POINT, raw));
        let found = veeam.get(&name("-", POINT), View::Full).await.unwrap();
        assert_eq!(found.state, state);
        assert_eq!(found.state_reason.is_empty(), state == State::Ready);
        assert_eq!(found.state_reason.contains(&format!("`{raw}`")), state == State::Unknown);
        let VendorProperties::Veeam(vendor) = found.vendor else { panic!("another vendor") };
        assert_eq!(vendor.raw_state, raw);
        assert_eq!(vendor.backup_server, "172.17.53.48");
    }
}

#[tokio::test]
async fn collections_are_listed_by_the_query_service_and_by_references() {
    for cloud_query in [CloudQuery::Answered, CloudQuery::Refused] {
        let server = server(|settings| {
            settings.points = 200;
            settings.cloud_query = cloud_query;
        });
        let veeam = backend(&server);
        let points = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
        let expected: BTreeSet<_> = points.into_iter().map(|point| point.name.collection).collect();
        if cloud_query == CloudQuery::Refused {
            server.inject(
                Matching::new(Method::GET, "type=CloudReplica"),
                1,
                error_response(501, "no"),
            );
        }
        let all = list_all_collections(&veeam, 1).await.unwrap();
        let found: BTreeSet<_> = all.iter().map(|collection| collection.name.clone()).collect();
        assert_eq!(all.len(), found.len());
        assert!(found.is_superset(&expected));

        let one = veeam.get_collection(&format!("cloud-replica~{REPLICA}")).await.unwrap();
        assert!(all.contains(&one), "{one:?}");
        assert!(!one.platform.is_empty());
        let absent = "cloud-replica~00000000-0000-4000-8000-000000000000";
        for error in [
            veeam.get_collection(absent).await.unwrap_err(),
            list_all(&veeam, &Segment::Id(absent.to_owned()), 9).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        }
        let error = list_all(&veeam, &Segment::Id("rg~x".to_owned()), 9).await.unwrap_err();
        assert!(
            matches!(&error, Error::InvalidArgument { field, .. } if field == "parent"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_server_without_query_and_list_of_a_kind_does_not_support_to_read_it() {
    for status in [405, 501] {
        let server = server(|_| {});
        let veeam = backend(&server);
        server.inject(Matching::new(Method::GET, "/query"), 9, error_response(status, "no"));
        server.inject(Matching::new(Method::GET, "/cloud/"), 9, error_response(404, "no"));
        let error = list_all(&veeam, &Segment::Any, 9).await.unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn copy_and_create_collection_are_not_supported() {
    let server = server(|_| {});
    let veeam = backend(&server);
    let capabilities = veeam.capabilities();
    let backend = BackendId::new("em").unwrap();
    for (capability, expected) in
        [(Capability::Copy, "copy"), (Capability::CreateCollection, "create_collection")]
    {
        match capabilities.require(capability, &backend) {
            Err(Error::Unsupported { capability, .. }) => assert_eq!(capability, expected),
            other => panic!("{other:?}"),
        }
    }
    assert!(capabilities.get_without_collection);
}

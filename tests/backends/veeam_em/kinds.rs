//! All kinds of restore points: in one list, found by a GUID without a collection, and with the properties of their
//! kind.

use std::collections::BTreeSet;

use http::Method;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::model::VeeamPointKind as Kind;
use restore_point_gateway::model::{Error, Segment, State, View};
use restore_point_sandbox::veeam_em::{Fault, Matching, ReplicaListItem};

use super::fixture::{
    backend, collection_id, error_response, in_collections, list_all, list_all_collections, name,
    poll, properties, server, uids,
};

const PREFIXES: [&str; 3] = ["cloud-replica~", "replica~", "backup~"];

#[tokio::test]
async fn the_list_of_all_kinds_is_complete_at_any_page_size() {
    for item in [ReplicaListItem::VmReplicaPoint, ReplicaListItem::VmRestorePoint] {
        let server = server(|settings| {
            settings.points = 100;
            settings.replica_list_item = item;
        });
        let veeam = backend(&server);
        let whole = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
        for (prefix, count) in PREFIXES.into_iter().zip([106, 28, 28]) {
            assert_eq!(in_collections(&whole, prefix).len(), count, "{prefix}");
        }
        for size in [1, 3, 64] {
            let paged = list_all(&veeam, &Segment::Any, size).await.unwrap();
            assert_eq!(paged, whole, "page size {size}");
        }
        // It is the union of the lists of its collections.
        let mut union = BTreeSet::new();
        let mut prefixes = BTreeSet::new();
        for collection in list_all_collections(&veeam, 2).await.unwrap() {
            let id = collection.name.collection;
            for point in list_all(&veeam, &Segment::Id(id.to_uppercase()), 10).await.unwrap() {
                assert_eq!(point.name.collection.collection, id);
                assert!(union.insert(point.uid), "a restore point in two collections");
            }
            prefixes.insert(id.split_once('~').unwrap().0.to_owned());
        }
        assert_eq!(union, uids(&whole).into_iter().map(str::to_owned).collect());
        assert_eq!(prefixes.len(), 3);
    }
}

#[tokio::test]
async fn a_restore_point_is_found_with_and_without_its_collection() {
    let server = server(|_| {});
    let veeam = backend(&server);
    for listed in list_all(&veeam, &Segment::Any, 1000).await.unwrap() {
        let (id, own) = (&listed.name.restore_point, &listed.name.collection.collection);
        for collection in ["-", own, &own.to_uppercase()] {
            let got = veeam.get(&name(collection, id), View::Full).await.unwrap();
            assert_eq!(got, listed);
        }
        let polled = poll(&veeam, &name("-", id)).await.unwrap();
        assert_eq!(polled, listed);
        let raw = veeam.get(&name(own, id), View::Raw).await.unwrap().raw.unwrap();
        assert!(raw.body.contains(&listed.uid), "{}", raw.body);
    }
}

#[tokio::test]
async fn a_restore_point_has_the_properties_of_its_kind() {
    let server = server(|_| {});
    let veeam = backend(&server);
    let all = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    let kinds = [Kind::CloudVmReplicaPoint, Kind::VmReplicaPoint, Kind::VmRestorePoint];
    for (prefix, kind) in PREFIXES.into_iter().zip(kinds) {
        for point in in_collections(&all, prefix) {
            assert_eq!(properties(&point).kind, kind);
            assert_eq!(properties(&point).backup_server, "172.17.53.48");
            assert!(point.state.is_usable());
        }
    }

    let replica = collection_id(&veeam, "replica~", "audi99").await;
    for point in in_collections(&all, &replica) {
        let own = properties(&point);
        assert_eq!((own.replica.as_str(), own.backup.as_str()), ("audi99", ""));
        assert_eq!((own.point_type.as_str(), own.algorithm.as_str()), ("Snapshot", "Incremental"));
        assert_eq!((own.job_run_uid.as_str(), own.hierarchy_obj_ref.as_str()), ("", ""));
        assert_eq!(own.raw_state, "");
        assert_eq!(point.source.vm_name, "audi99");
        assert!(point.uid.starts_with("urn:veeam:VmReplicaPoint:"));
    }

    let backup = collection_id(&veeam, "backup~", "Nightly").await;
    let points = in_collections(&all, &backup);
    assert_eq!(points.len(), 3);
    let oldest = points.last().unwrap();
    let own = properties(oldest);
    assert_eq!((own.replica.as_str(), own.backup.as_str()), ("", "Nightly"));
    assert_eq!((own.point_type.as_str(), own.algorithm.as_str()), ("Full", "Full"));
    assert_eq!(own.job_run, "Jun  5 2025  1:01AM");
    assert!(own.job_run_uid.starts_with("urn:veeam:RestorePoint:"));
    assert_eq!(own.backup_file, "Nightly2025-06-05T010125.vbk");
    assert!(own.backup_file_uid.starts_with("urn:veeam:BackupFile:"));
    assert!(own.hierarchy_obj_ref.starts_with("urn:VMware:Vm:"));
    assert_eq!(oldest.source.vm_uid, own.hierarchy_obj_ref);
    assert_eq!(oldest.point_time.unwrap().to_string(), "2025-06-05T01:01:25.93Z");
    assert!(oldest.uid.starts_with("urn:veeam:VmRestorePoint:"));
    assert_eq!(oldest.state, State::Ready);
}

#[tokio::test]
async fn an_absent_collection_of_any_kind_is_not_found() {
    let server = server(|_| {});
    let veeam = backend(&server);
    for prefix in PREFIXES {
        let absent = format!("{prefix}00000000-0000-4000-8000-000000000000");
        for error in [
            veeam.get_collection(&absent).await.unwrap_err(),
            list_all(&veeam, &Segment::Id(absent.clone()), 9).await.unwrap_err(),
        ] {
            match &error {
                Error::NotFound { name, detail, .. } => {
                    assert_eq!(*name, format!("backends/em/collections/{absent}"));
                    assert!(detail.contains("15 minutes"), "{detail}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_kind_that_cannot_be_read_is_an_error_and_no_shorter_list() {
    let server = server(|_| {});
    let veeam = backend(&server);
    for kind in ["CloudVmReplicaPoint", "VmReplicaPoint", "VmRestorePoint", "RestorePoint"] {
        let query = format!("type={kind}&");
        for (times, reply) in [
            (1, error_response(403, "Access denied")),
            (1, error_response(500, "It broke.")),
            (1, Fault::status(200, "<QueryResult>")),
            (3, error_response(503, "busy")),
        ] {
            // A new backend, whose cache is empty.
            let veeam = backend(&server);
            server.inject(Matching::new(Method::GET, &query), times, reply.clone());
            let error = list_all(&veeam, &Segment::Any, 1000).await.unwrap_err();
            assert!(!matches!(error, Error::NotFound { .. }), "{kind} {reply:?}: {error:?}");
        }
    }
    // For the kinds that the vendor documents as queryable there is no fallback.
    for kind in ["VmReplicaPoint", "VmRestorePoint"] {
        let query = format!("type={kind}&");
        server.inject(
            Matching::new(Method::GET, &query),
            1,
            error_response(400, "Unknown resource type"),
        );
        let error = list_all(&veeam, &Segment::Any, 1000).await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{kind}: {error:?}");
    }
}

#[tokio::test]
async fn a_forbidden_kind_hides_no_restore_point_of_others_and_none_is_called_absent() {
    let server = server(|_| {});
    let veeam = backend(&server);
    let all = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    let point = &in_collections(&all, "backup~")[0];
    let forbidden = || {
        server.inject(
            Matching::new(Method::GET, "/cloud/vmReplicaPoints/"),
            1,
            error_response(403, "no"),
        );
    };
    forbidden();
    let id = &point.name.restore_point;
    assert_eq!(veeam.get(&name("-", id), View::Full).await.unwrap(), *point);
    forbidden();
    let nowhere = name("-", "00000000-0000-4000-8000-000000000000");
    let error = veeam.get(&nowhere, View::Full).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    let error = veeam.get(&nowhere, View::Full).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

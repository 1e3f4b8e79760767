//! All kinds of points: merged in one list, found by a GUID alone, and each told as what it is.

use std::collections::BTreeSet;

use http::Method;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::model::VeeamPointKind as Kind;
use restore_point_gateway::model::{Error, Segment, State, View};
use restore_point_sandbox::veeam_em::{Fault, Matching, ReplicaListItem};

use super::{
    adapter, collection, error_body, name, poll, properties, server, uids, walk, walk_collections,
    within,
};

const PREFIXES: [&str; 3] = ["cloud-replica~", "replica~", "backup~"];

#[tokio::test]
async fn a_merged_list_holds_every_point_of_every_kind_at_any_page_size() {
    for item in [ReplicaListItem::VmReplicaPoint, ReplicaListItem::VmRestorePoint] {
        let server = server(|settings| {
            settings.points = 100;
            settings.replica_list_item = item;
        });
        let veeam = adapter(&server);
        let whole = walk(&veeam, &Segment::Any, 1000).await.unwrap();
        for (prefix, count) in PREFIXES.into_iter().zip([106, 28, 28]) {
            assert_eq!(within(&whole, prefix).len(), count, "{prefix}");
        }
        for size in [1, 3, 64] {
            let paged = walk(&veeam, &Segment::Any, size).await.unwrap();
            assert_eq!(paged, whole, "at {size} a page");
        }
        // And it is the sum of its collections.
        let mut sum = BTreeSet::new();
        let mut prefixes = BTreeSet::new();
        for collection in walk_collections(&veeam, 2).await.unwrap() {
            let id = collection.name.collection;
            for point in walk(&veeam, &Segment::Id(id.to_uppercase()), 10).await.unwrap() {
                assert_eq!(point.name.collection.collection, id);
                assert!(sum.insert(point.uid), "in two collections");
            }
            prefixes.insert(id.split_once('~').unwrap().0.to_owned());
        }
        assert_eq!(sum, uids(&whole).into_iter().map(str::to_owned).collect());
        assert_eq!(prefixes.len(), 3);
    }
}

#[tokio::test]
async fn a_point_is_found_by_its_name_and_by_its_guid_alone() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    for listed in walk(&veeam, &Segment::Any, 1000).await.unwrap() {
        let (id, own) = (&listed.name.restore_point, &listed.name.collection.collection);
        for collection in ["-", own, &own.to_uppercase()] {
            let got = veeam.get(&name(collection, id), View::Full).await.unwrap();
            assert_eq!(got, listed);
        }
        let observed = poll(&veeam, &name("-", id)).await.unwrap();
        assert_eq!(observed, listed);
        let raw = veeam.get(&name(own, id), View::Raw).await.unwrap().raw.unwrap();
        assert!(raw.body.contains(&listed.uid), "{}", raw.body);
    }
}

#[tokio::test]
async fn a_point_says_of_what_kind_it_is_and_what_the_kind_has() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    let all = walk(&veeam, &Segment::Any, 1000).await.unwrap();
    let kinds = [Kind::CloudVmReplicaPoint, Kind::VmReplicaPoint, Kind::VmRestorePoint];
    for (prefix, kind) in PREFIXES.into_iter().zip(kinds) {
        for point in within(&all, prefix) {
            assert_eq!(properties(&point).kind, kind);
            assert_eq!(properties(&point).backup_server, "172.17.53.48");
            assert!(point.state.is_usable());
        }
    }

    let replica = collection(&veeam, "replica~", "audi99").await;
    for point in within(&all, &replica) {
        let own = properties(&point);
        assert_eq!((own.replica.as_str(), own.backup.as_str()), ("audi99", ""));
        assert_eq!((own.point_type.as_str(), own.algorithm.as_str()), ("Snapshot", "Incremental"));
        assert_eq!((own.job_run_uid.as_str(), own.hierarchy_obj_ref.as_str()), ("", ""));
        assert_eq!(own.raw_state, "");
        assert_eq!(point.source.vm_name, "audi99");
        assert!(point.uid.starts_with("urn:veeam:VmReplicaPoint:"));
    }

    let backup = collection(&veeam, "backup~", "Nightly").await;
    let points = within(&all, &backup);
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
    let veeam = adapter(&server);
    for prefix in PREFIXES {
        let absent = format!("{prefix}00000000-0000-4000-8000-000000000000");
        for error in [
            veeam.get_collection(&absent).await.unwrap_err(),
            walk(&veeam, &Segment::Id(absent.clone()), 9).await.unwrap_err(),
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
async fn a_kind_that_cannot_be_read_makes_no_shorter_list() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    for kind in ["CloudVmReplicaPoint", "VmReplicaPoint", "VmRestorePoint", "RestorePoint"] {
        let query = format!("type={kind}&");
        for (times, reply) in [
            (1, error_body(403, "Access denied")),
            (1, error_body(500, "It broke.")),
            (1, Fault::status(200, "<QueryResult>")),
            (3, error_body(503, "busy")),
        ] {
            // A fresh one, which remembers nothing.
            let veeam = adapter(&server);
            server.inject(Matching::new(Method::GET, &query), times, reply.clone());
            let error = walk(&veeam, &Segment::Any, 1000).await.unwrap_err();
            assert!(!matches!(error, Error::NotFound { .. }), "{kind} {reply:?}: {error:?}");
        }
    }
    // The kinds that the vendor says can be queried have no other way: a refusal is a fault.
    for kind in ["VmReplicaPoint", "VmRestorePoint"] {
        let query = format!("type={kind}&");
        server.inject(
            Matching::new(Method::GET, &query),
            1,
            error_body(400, "Unknown resource type"),
        );
        let error = walk(&veeam, &Segment::Any, 1000).await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{kind}: {error:?}");
    }
}

#[tokio::test]
async fn a_kind_that_may_not_be_read_hides_no_point_of_others_and_calls_none_absent() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    let all = walk(&veeam, &Segment::Any, 1000).await.unwrap();
    let point = &within(&all, "backup~")[0];
    let forbidden = || {
        server.inject(
            Matching::new(Method::GET, "/cloud/vmReplicaPoints/"),
            1,
            error_body(403, "no"),
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

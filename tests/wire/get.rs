//! Get, GetCollection and ListBackends: the present state of a resource, without secrets.

use restore_point_gateway::proto::backend::{Kind, Reachability};
use restore_point_gateway::proto::restore_point::disk::Vendor;
use restore_point_gateway::proto::restore_point::{Consistency, State, Use, View};
use restore_point_gateway::proto::{
    GetCollectionRequest, GetRequest, ListBackendsRequest, ListRequest, RestorePoint, restore_point,
};
use tonic::{Code, Response};
use tonic_types::StatusExt;

use restore_point_test_support::failure::SENSITIVE;
use restore_point_test_support::fixture::TestGateway;
use restore_point_test_support::names::{
    EVERYTHING, SRV39, SRV39_COLLECTION, SRV39_ID, SRV39_IN_ANY_COLLECTION, azure_collection,
    azure_point,
};

async fn get_in(gateway: &TestGateway, name: &str, view: View) -> RestorePoint {
    let request = GetRequest { name: name.to_owned(), view: view.into() };
    gateway.client().get(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_local_point_is_ready_and_lists_its_disks() {
    let gateway = TestGateway::start().await;
    let id = &gateway.azure.seeded().points[1];
    let point = gateway.get(&azure_point(id)).await.unwrap();
    assert_eq!((point.state(), point.usable), (State::Ready, true));
    assert_eq!(point.vendor_id, *id);
    assert_eq!(point.uid, id.to_lowercase());
    assert_eq!(point.consistency(), Consistency::ApplicationConsistent);
    assert_eq!(point.location, "eastus");
    assert_eq!(point.copy_progress_percent, None);
    let luns: Vec<_> = point.disks.iter().map(|disk| (disk.lun, disk.size_gib)).collect();
    assert_eq!(luns, [(None, 127), (Some(0), 512), (Some(1), 1023)]);
    assert!(point.disks.iter().all(|disk| disk.state() == State::Ready));
    for disk in &point.disks {
        let Some(Vendor::Azure(azure)) = &disk.vendor else { panic!("{disk:?}") };
        assert_eq!(azure.encryption_type, "EncryptionAtRestWithPlatformKey");
        assert!(azure.managed_disk_id.ends_with(&disk.name), "{azure:?}");
    }
    let Some(restore_point::Vendor::Azure(azure)) = &point.vendor else { panic!("{point:?}") };
    assert_eq!((azure.security_type.as_str(), azure.excluded_disks.len()), ("TrustedLaunch", 0));
}

#[tokio::test]
async fn a_point_lists_what_it_is_usable_for() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded();
    for (name, expected) in [
        (azure_point(&seeded.points[1]), vec![Use::Restore, Use::Copy, Use::Export]),
        (azure_point(&seeded.finished_copy), vec![Use::Restore, Use::Export]),
        (azure_point(&seeded.running_copy), vec![]),
        (azure_point(&seeded.failed_copy), vec![]),
        (SRV39.to_owned(), vec![Use::Restore]),
    ] {
        for view in [View::Basic, View::Full, View::Raw] {
            let point = get_in(&gateway, &name, view).await;
            assert_eq!(point.usable_for().collect::<Vec<_>>(), expected, "{name} {view:?}");
            assert_eq!(point.usable, expected.contains(&Use::Restore));
        }
    }

    let list = |filter: &str| ListRequest {
        parent: EVERYTHING.into(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    let copyable = gateway.list_all(list("usable_for:COPY")).await;
    let names: Vec<&str> = copyable.iter().map(|point| point.name.as_str()).collect();
    assert!(names.contains(&azure_point(&seeded.points[1]).as_str()), "{names:?}");
    assert!(copyable.iter().all(|point| point.usable_for().any(|allowed| allowed == Use::Copy)));
    for (filter, expected) in
        [("usable_for:SAUCE", "RESTORE, COPY, EXPORT"), ("usable_for = COPY", "usable_for:COPY")]
    {
        let status = gateway.list(list(filter)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(expected), "{}", status.message());
    }
}

#[tokio::test]
async fn names_are_case_insensitive_and_returned_in_canonical_case() {
    let gateway = TestGateway::start().await;
    let name = azure_point(&gateway.azure.seeded().points[0]);
    let upper_case = name.replace("rg-prod~rpc-db01", "RG-PROD~RPC-DB01");
    assert_eq!(gateway.get(&upper_case).await.unwrap().name, name);
    let upper_case = SRV39_IN_ANY_COLLECTION.replace(SRV39_ID, &SRV39_ID.to_uppercase());
    let point = gateway.get(&upper_case).await.unwrap();
    assert_eq!(point.name, SRV39);
    assert_eq!(gateway.get(&point.name).await.unwrap(), point);
}

#[tokio::test]
async fn a_failed_disk_fails_the_copy_in_every_view() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded();
    let name = azure_point(&seeded.failed_copy);
    for view in [View::Basic, View::Full, View::Raw] {
        let point = get_in(&gateway, &name, view).await;
        assert_eq!((point.state(), point.usable), (State::Failed, false), "{view:?}");
        let failed: Vec<_> =
            point.disks.iter().filter(|disk| disk.state() == State::Failed).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].name, seeded.failed_disk);
        assert_eq!(failed[0].progress_percent, None);
        assert!(!point.error.unwrap().message.is_empty());
    }
}

#[tokio::test]
async fn no_view_contains_secrets() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded();
    let mut raw_bodies = 0;
    for id in seeded.points.iter().chain([&seeded.running_copy, &seeded.failed_copy]) {
        for view in [View::Basic, View::Full, View::Raw] {
            let point = get_in(&gateway, &azure_point(id), view).await;
            let text = format!("{point:?}");
            for secret in [SENSITIVE, "osProfile", "userData", "keyData", "adminUsername"] {
                assert!(!text.contains(secret), "{secret} in {view:?} of {id}");
            }
            raw_bodies += usize::from(point.raw.is_some());
        }
    }
    assert_eq!(raw_bodies, 8, "the view RAW has the vendor's body");
    let view = View::Raw.into();
    let request = ListRequest { parent: EVERYTHING.into(), view, ..Default::default() };
    for point in gateway.list_all(request).await {
        let raw = point.raw.expect("the vendor's body");
        assert!(!raw.body.contains(SENSITIVE), "{}", raw.body);
    }
}

#[tokio::test]
async fn absent_points_are_not_found() {
    let gateway = TestGateway::start().await;
    for name in [
        // This error comes from the compute provider,
        "backends/azure/collections/rg-prod~rpc-db01/restorePoints/absent",
        // and these come from ARM: there is no such collection or resource group.
        "backends/azure/collections/rg-prod~absent/restorePoints/absent",
        "backends/azure/collections/absent~absent/restorePoints/absent",
        "backends/veeam/collections/-/restorePoints/00000000-0000-0000-0000-000000000000",
        // The point exists in another replica.
        "backends/veeam/collections/cloud-replica~8393c284-c953-403f-a9b9-cff63e0c6815/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84",
    ] {
        let status = gateway.get(name).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{name}: {status:?}");
        let details = status.get_error_details();
        assert_eq!(details.resource_info().unwrap().resource_name, name);
        assert_eq!(details.error_info().unwrap().reason, "RESOURCE_NOT_FOUND");
    }
}

#[tokio::test]
async fn malformed_names_are_invalid() {
    let gateway = TestGateway::start().await;
    for name in [
        "",
        "point",
        "backends/azure",
        "backends/azure/collections/a~b",
        "backends/azure/collections/a~b/restorePoints/",
        "backends/azure/collections/a~b/restorePoints/c/d",
        "backends/azure/collections/a~b/restorepoints/c",
        "backends/-/collections/a~b/restorePoints/c",
        "backends/azure/collections/a~b/restorePoints/-",
        "backends/azure/collections/a~b/restorePoints/..",
        "backends/azure/collections/a~b/restorePoints/c?api-version=1",
        "backends/azure/collections/no-tilde/restorePoints/c",
        "backends/azure/collections/-/restorePoints/c",
        "backends/veeam/collections/cloud-replica~x/restorePoints/93081441-6e3c-4584-b47a-08dc1ce24f84",
        "backends/veeam/collections/-/restorePoints/srv39",
        "backends/azure/collections/a~b/restorePoints/\u{7}",
    ] {
        let status = gateway.get(name).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{name}: {status:?}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "name", "{name}");
        assert_eq!(details.error_info().unwrap().reason, "INVALID_NAME");
    }
}

#[tokio::test]
async fn a_collection_has_its_source_labels_and_platform() {
    let gateway = TestGateway::start().await;
    let seeded = gateway.azure.seeded();
    let get = async |name: &str| {
        let request = GetCollectionRequest { name: name.to_owned() };
        gateway.client().get_collection(request).await.map(Response::into_inner)
    };
    let azure = get(&azure_collection(&seeded.collection)).await.unwrap();
    assert_eq!((&azure.source, &azure.source_vendor_id), (&seeded.vm, &seeded.vm));
    assert_eq!(azure.vendor_id, seeded.collection);
    assert_eq!(azure.provisioning_state, "Succeeded");
    let target = get(&azure_collection(&seeded.target)).await.unwrap();
    assert_eq!(target.source, azure.name);
    assert_eq!(target.source_vendor_id, seeded.collection);
    assert_eq!(azure.labels.get("department").map(String::as_str), Some("finance"));
    let replica = get(SRV39_COLLECTION).await.unwrap();
    assert_eq!(replica.display_name, "UCM Company CRM Replication");
    assert!(!replica.platform.is_empty());
    let status = get("backends/azure/collections/rg-prod~absent").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn backends_are_listed_with_capabilities_and_reachability() {
    let gateway = TestGateway::start().await;
    let response = gateway.client().list_backends(ListBackendsRequest {}).await.unwrap();
    let backends = response.into_inner().backends;
    let [azure, veeam] = &backends[..] else { panic!("{backends:?}") };
    assert_eq!((azure.kind(), veeam.kind()), (Kind::Azure, Kind::VeeamEnterpriseManager));
    assert!(azure.capabilities.unwrap().copy && !veeam.capabilities.unwrap().copy);
    assert!(veeam.capabilities.unwrap().get_without_collection);
    for backend in [azure, veeam] {
        assert_eq!(backend.reachability(), Reachability::Reachable, "{backend:?}");
    }
}

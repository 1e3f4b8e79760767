//! The examples in the vendors' documentation, returned byte by byte, and what the gateway makes of them.

use std::collections::HashSet;

use http::Method;
use restore_point_gateway::proto::restore_point::{State, Vendor};
use restore_point_gateway::proto::{
    Collection, CreateCollectionRequest, ListRequest, RestorePoint,
};
use restore_point_sandbox::azure::{Canned, Fault, Matching};
use restore_point_sandbox::veeam_em::{self, CloudQuery};
use tonic::Code;

use restore_point_test_support::failure::SENSITIVE;
use restore_point_test_support::fixture::{COPY_ID, TestGateway};
use restore_point_test_support::names::{
    SRV39, SRV39_ID, SRV39_IN_ANY_COLLECTION, azure_collection, azure_point,
};

/// The entity that the documentation of Enterprise Manager shows for a CloudVmReplicaPoint.
pub(crate) const CLOUD_VM_REPLICA_POINT: &str = r#"<CloudVmReplicaPoint xmlns="http://www.veeam.com/ent/v1.0" Type="CloudVmReplicaPoint" Href="https://localhost:9398/api/cloud/vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84?format=Entity" Name="srv39@2015-12-25 20:00:47" UID="urn:veeam:CloudVmReplicaPoint:93081441-6e3c-4584-b47a-08dc1ce24f84" VmDisplayName="srv39">   <Links>     <Link Rel="Up" Type="BackupServerReference" Href="https://localhost:9398/api/backupServers/8fff3b8e-c3f1-4ef5-aecc-561f07bf9982" Name="172.17.53.48" />     <Link Rel="Up" Type="CloudReplicaReference" Href="https://localhost:9398/api/cloud/replicas/6b2b42d5-3850-421c-93c1-e063f12a2ead" Name="UCM Company CRM Replication" />     <Link Rel="Alternate" Type="CloudVmReplicaPointReference" Href="https://localhost:9398/api/cloud/vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84" Name="srv39@2015-12-25 20:00:47" />   </Links>   <CreationTimeUTC>2015-12-25T20:00:47Z</CreationTimeUTC>   <PointType>Snapshot</PointType>   <State>Ready</State> </CloudVmReplicaPoint>"#;

/// All points of cloud replicas.
async fn cloud_points(gateway: &TestGateway) -> Vec<RestorePoint> {
    let request =
        ListRequest { parent: "backends/veeam/collections/-".into(), ..Default::default() };
    let mut points = gateway.list_all(request).await;
    points.retain(|point| point.name.contains("/cloud-replica~"));
    points
}

fn assert_is_srv39(point: &RestorePoint) {
    assert_eq!(point.name, SRV39);
    assert_eq!(point.vendor_id, format!("urn:veeam:CloudVmReplicaPoint:{SRV39_ID}"));
    assert_eq!(point.display_name, "srv39@2015-12-25 20:00:47");
    assert_eq!((point.state(), point.usable), (State::Ready, true));
    assert_eq!(point.point_time.unwrap().to_string(), "2015-12-25T20:00:47Z");
    assert_eq!(point.source.as_ref().unwrap().vm_name, "srv39");
    let Some(Vendor::Veeam(veeam)) = &point.vendor else { panic!("{point:?}") };
    assert_eq!((veeam.point_type.as_str(), veeam.raw_state.as_str()), ("Snapshot", "Ready"));
    assert_eq!(veeam.backup_server, "172.17.53.48");
    assert_eq!(veeam.replica, "UCM Company CRM Replication");
}

#[tokio::test]
async fn veeam_cloud_replica_point() {
    let gateway = TestGateway::start().await;
    let fault = veeam_em::Fault::canned(Canned {
        status: 200,
        headers: vec![("content-type".into(), "application/xml".into())],
        body: CLOUD_VM_REPLICA_POINT.into(),
    });
    gateway.veeam.inject(Matching::new(Method::GET, SRV39_ID), 1, fault);
    assert_is_srv39(&gateway.get(SRV39_IN_ANY_COLLECTION).await.unwrap());
    // The simulator returns the same point.
    assert_is_srv39(&gateway.get(SRV39_IN_ANY_COLLECTION).await.unwrap());
}

#[tokio::test]
async fn veeam_list_of_six_cloud_replica_points() {
    // As entities of a query, and as references if the query service does not know the type.
    for cloud_query in [CloudQuery::Answered, CloudQuery::Refused] {
        let gateway =
            TestGateway::start_with(|settings| settings.veeam.cloud_query = cloud_query).await;
        let points = cloud_points(&gateway).await;
        let mut listed: Vec<_> = points
            .iter()
            .map(|p| (p.display_name.as_str(), p.point_time.unwrap().to_string()))
            .collect();
        listed.sort();
        let expected = [
            ("srv38@2015-12-21 21:01:41", "2015-12-21T21:01:41Z"),
            ("srv38@2015-12-24 21:03:50", "2015-12-24T21:03:50Z"),
            ("srv39@2015-12-22 11:25:26", "2015-12-22T11:25:26Z"),
            ("srv39@2015-12-25 20:00:47", "2015-12-25T20:00:47Z"),
            ("srv40@2015-12-22 21:05:43", "2015-12-22T21:05:43Z"),
            ("srv40@2015-12-27 21:08:13", "2015-12-27T21:08:13Z"),
        ];
        assert_eq!(listed, expected.map(|(name, time)| (name, time.to_owned())));
        assert_is_srv39(points.iter().find(|point| point.name == SRV39).unwrap());
    }
}

#[tokio::test]
async fn veeam_references_to_six_cloud_replica_points() {
    let gateway =
        TestGateway::start_with(|settings| settings.veeam.cloud_query = CloudQuery::Refused).await;
    let reference = |point: &str, name: &str, replica: &str, job: &str| {
        let href = "http://localhost:9399/api";
        format!(
            r#"<Ref Type="CloudVmReplicaPointReference" Href="{href}/cloud/vmReplicaPoints/{point}" Name="{name}" UID="urn:veeam:CloudVmReplicaPoint:{point}">
   <Links>
     <Link Rel="Up" Type="BackupServerReference" Href="{href}/backupServers/8fff3b8e-c3f1-4ef5-aecc-561f07bf9982" Name="172.17.53.48" />
     <Link Rel="Up" Type="CloudReplicaReference" Href="{href}/cloud/replicas/{replica}" Name="{job}" />
     <Link Rel="Alternate" Type="CloudVmReplicaPoint" Href="{href}/cloud/vmReplicaPoints/{point}?format=Entity" Name="{name}" />
   </Links>
 </Ref>
 "#
        )
    };
    let ucm = ("6b2b42d5-3850-421c-93c1-e063f12a2ead", "UCM Company CRM Replication");
    let abc = ("8393c284-c953-403f-a9b9-cff63e0c6815", "ABC Company Servers Replication");
    let six = [
        (SRV39_ID, "srv39@2015-12-25 20:00:47", ucm),
        ("783781f0-4d83-4d09-ae82-12b5bed4710b", "srv40@2015-12-27 21:08:13", abc),
        ("292e6d96-6b99-4776-bba2-2c030cd5824a", "srv38@2015-12-21 21:01:41", abc),
        ("5ed13778-0191-4d9d-8105-33017348235d", "srv40@2015-12-22 21:05:43", abc),
        ("574c07de-50eb-4117-88ec-5cd3403142dd", "srv38@2015-12-24 21:03:50", abc),
        ("572167d1-c2f1-40b5-9ce9-6b277e507222", "srv39@2015-12-22 11:25:26", ucm),
    ];
    let list: String =
        six.iter().map(|(id, name, (replica, job))| reference(id, name, replica, job)).collect();
    let body = format!(
        "<EntityReferences xmlns=\"http://www.veeam.com/ent/v1.0\">\n {list}</EntityReferences>"
    );
    let fault = veeam_em::Fault::status(200, &body);
    gateway.veeam.inject(Matching::new(Method::GET, "/cloud/vmReplicaPoints"), 1, fault);
    let points = cloud_points(&gateway).await;
    let listed: HashSet<_> = points.iter().map(|p| p.display_name.as_str()).collect();
    assert_eq!(listed, six.iter().map(|(_, name, _)| *name).collect());
    assert_eq!(points.len(), 6);
}

#[tokio::test]
async fn azure_response_to_put_of_a_target_collection() {
    let gateway = TestGateway::start().await;
    let source = &gateway.azure.seeded().collection;
    let body = format!(
        r#"{{
    "name": "rpc-north",
    "id": "/subscriptions/{}/resourceGroups/rg-prod/providers/Microsoft.Compute/restorePointCollections/rpc-north",
    "type": "Microsoft.Compute/restorePointCollections",
    "location": "northeurope",
    "tags": {{
        "department": "finance"
    }},
    "properties": {{
        "source": {{
            "id": "{}",
            "location": "eastus"
        }}
    }}
}}"#,
        gateway.azure.subscription_id(),
        // The example has the provider in lower case.
        source.replace("Microsoft.Compute", "microsoft.compute"),
    );
    let canned = Canned { status: 201, headers: Vec::new(), body: body.into() };
    gateway.azure.inject(Matching::new(Method::PUT, "/rpc-north"), 1, Fault::canned(canned));
    let request = CreateCollectionRequest {
        parent: "backends/azure".into(),
        collection_id: "rg-prod~rpc-north".into(),
        collection: Some(Collection {
            location: "northeurope".into(),
            source: azure_collection(source),
            labels: [("department".to_owned(), "finance".to_owned())].into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let created = gateway.client().create_collection(request).await.unwrap().into_inner();
    assert_eq!(created.name, "backends/azure/collections/rg-prod~rpc-north");
    assert_eq!(created.source, azure_collection(source));
    let regions = (created.location.as_str(), created.source_location.as_str());
    assert_eq!(regions, ("northeurope", "eastus"));
    assert_eq!(created.labels["department"], "finance");
}

#[tokio::test]
async fn azure_response_to_put_of_a_copy() {
    let gateway = TestGateway::start().await;
    let target = gateway.create_target("rg-prod~rpc-north", "northeurope").await;
    // The documented response is the example below without an instance view, and in the state Creating.
    let example = instance_view_example(gateway.azure.subscription_id(), "", "", "");
    let (before, _) = example.split_once("\"instanceView\"").unwrap();
    let body = format!("{}}} }}", before.trim_end().trim_end_matches(','))
        .replace("rpc-db01-westus", "rpc-north")
        .replace("\"Succeeded\"", "\"Creating\"");
    let canned = Canned { status: 201, headers: Vec::new(), body: body.into() };
    gateway.azure.inject(Matching::new(Method::PUT, "/the-copy"), 1, Fault::canned(canned));
    let started = gateway.start_copy(0, &target).await;
    let point = started.restore_point.unwrap();
    assert_eq!((point.state(), point.usable), (State::Creating, false));
    assert_eq!(point.source_restore_point, azure_point(&gateway.azure.seeded().points[0]));
    assert!(!format!("{point:?}").contains(SENSITIVE));
}

#[tokio::test]
async fn azure_instance_view_with_a_failed_disk() {
    let gateway = TestGateway::start().await;
    let target = azure_collection(&gateway.azure.seeded().target);
    let subscription = gateway.azure.subscription_id();
    let body = instance_view_example(subscription, "ReplicationState/stuck", "Stuck", "7")
        .replace("stuck\", \"level\": \"Info\"", "stuck\", \"level\": \"Error\"");
    let canned = Canned { status: 200, headers: Vec::new(), body: body.into() };
    let matching = Matching::new(Method::GET, "/restorepoints/the-copy");
    gateway.azure.inject(matching, 1, Fault::canned(canned));
    let point = gateway.get(&format!("{target}/restorePoints/{COPY_ID}")).await.unwrap();
    assert_eq!((point.state(), point.usable), (State::Failed, false), "{point:?}");
    let states: Vec<_> = point.disks.iter().map(|disk| disk.state()).collect();
    assert_eq!(states, [State::Ready, State::Failed]);
    assert!(point.error.is_some());
}

/// The documented response with an instance view, with an id for each placeholder. The first disk is complete; the
/// arguments are the replication status of the second disk and of the copy.
fn instance_view_example(subscription: &str, code: &str, display: &str, percent: &str) -> String {
    let rpc = format!(
        "/subscriptions/{subscription}/resourceGroups/rg-prod/providers/microsoft.compute/restorePointCollections"
    );
    format!(
        r#"{{
    "id": "{rpc}/rpc-db01-westus/restorePoints/the-copy",
    "name": "the-copy",
    "properties": {{
        "optionalProperties": "opaque bag of properties to be passed to extension",
        "sourceRestorePoint": {{ "id": "{rpc}/rpc-db01/restorePoints/db01-day1" }},
        "consistencyMode": "ApplicationConsistent",
        "sourceMetadata": {{
            "vmId": "7a6a1f4f-0a0e-4f0e-9a39-3d2f5a0f4a11",
            "location": "eastus",
            "hardwareProfile": {{ "vmSize": "Standard_A1" }},
            "osProfile": {{
                "computername": "", "adminUsername": "SENSITIVE",
                "secrets": [ {{ "sourceVault": {{ "id": "SENSITIVE" }},
                    "vaultCertificates": [ {{ "certificateUrl": "SENSITIVE", "certificateStore": "My" }} ] }} ],
                "customData": "SENSITIVE",
                "windowsConfiguration": {{ "provisionVMAgent": "true|false",
                    "winRM": {{ "listeners": [ {{ "protocol": "https", "certificateUrl": "SENSITIVE" }} ] }},
                    "additionalUnattendContent": [ {{ "pass": "oobesystem", "content": "SENSITIVE" }} ] }},
                "linuxConfiguration": {{ "ssh": {{ "publicKeys": [ {{ "path": "p", "keyData": "SENSITIVE" }} ] }} }}
            }},
            "storageProfile": {{
                "osDisk": {{ "osType": "Windows", "name": "OSDiskName", "diskSizeGB": "10", "caching": "ReadWrite",
                    "managedDisk": {{ "id": "d0", "storageAccountType": "Standard_LRS" }},
                    "diskRestorePoint": {{ "id": "{rpc}/rpc-db01-westus/restorePoints/the-copy/diskRestorePoints/os" }} }},
                "dataDisks": [ {{ "lun": "0", "name": "datadisk0", "diskSizeGB": "30", "caching": "ReadWrite",
                    "managedDisk": {{ "id": "d1", "storageAccountType": "Standard_LRS" }},
                    "diskRestorePoint": {{ "id": "{rpc}/rpc-db01-westus/restorePoints/the-copy/diskRestorePoints/data" }} }} ]
            }},
            "diagnosticsProfile": {{ "bootDiagnostics": {{ "enabled": true, "storageUri": " http://storageaccount.blob.core.windows.net/" }} }}
        }},
        "provisioningState": "Succeeded",
        "provisioningDetails": {{ "creationTime": "Creation Time of Restore point in UTC" }},
        "instanceView": {{
            "statuses": [ {{ "code": "{code}", "level": "Info", "displayStatus": "{display}" }} ],
            "diskRestorePoints": [
                {{ "id": "{rpc}/rpc-db01-westus/restorePoints/the-copy/diskRestorePoints/os",
                   "replicationStatus": {{ "status": {{ "code": "ReplicationState/succeeded", "level": "Info",
                        "displayStatus": "Replication succeeded" }}, "completionPercent": "100" }} }},
                {{ "id": "{rpc}/rpc-db01-westus/restorePoints/the-copy/diskRestorePoints/data",
                   "replicationStatus": {{ "status": {{ "code": "{code}", "level": "Info",
                        "displayStatus": "{display}" }}, "completionPercent": "{percent}" }} }}
            ]
        }}
    }}
}}"#
    )
}

#[tokio::test]
async fn azure_instance_view_of_a_running_and_of_a_complete_copy() {
    let gateway = TestGateway::start().await;
    let target = azure_collection(&gateway.azure.seeded().target);
    let name = format!("{target}/restorePoints/{COPY_ID}");
    for (code, display, percent, state, total) in [
        ("ReplicationState/replicating", "Replicating", "20", State::Copying, 40),
        ("ReplicationState/succeeded", "Replication succeeded", "100", State::Ready, 100),
        // An undocumented code does not mean success.
        ("ReplicationState/resting", "Resting", "99", State::Copying, 99),
    ] {
        let canned = Canned {
            status: 200,
            headers: vec![("content-type".into(), "application/json; charset=utf-8".into())],
            body: instance_view_example(gateway.azure.subscription_id(), code, display, percent)
                .into(),
        };
        let matching = Matching::new(Method::GET, "/restorepoints/the-copy");
        gateway.azure.inject(matching, 1, Fault::canned(canned));
        let point = gateway.get(&name).await.unwrap();
        assert_eq!(point.state(), state, "{point:?}");
        assert_eq!(point.usable, state == State::Ready);
        assert_eq!(point.copy_progress_percent, Some(total), "weighted by size");
        assert_eq!(point.disks.len(), 2);
        assert!(!format!("{point:?}").contains(SENSITIVE));
    }
    // Only the injected responses contain the point.
    assert_eq!(gateway.get(&name).await.unwrap_err().code(), Code::NotFound);
}

//! The filter names of each kind, and how they compare. The tables are the vendor's.
//!
//! The filter language is tested in `query`.

use super::fixture::{Fixture, between, names};

/// Filter names by type. The last two of `VmRestorePoint` are not documented.
const NAMES: [(&str, &[&str]); 12] = [
    (
        "CloudVmReplicaPoint",
        &[
            "UID",
            "Name",
            "CreationTime",
            "VmName",
            "Type",
            "ReplicaUid",
            "ReplicaName",
            "VmDisplayName",
            "BackupServerUid",
            "BackupServerName",
            "State",
        ],
    ),
    (
        "VmReplicaPoint",
        &[
            "UID",
            "Name",
            "CreationTime",
            "Type",
            "Algorithm",
            "ReplicaUid",
            "ReplicaName",
            "VmDisplayName",
            "BackupServerUid",
            "BackupServerName",
        ],
    ),
    (
        "VmRestorePoint",
        &[
            "UID",
            "Name",
            "CreationTime",
            "Type",
            "Algorithm",
            "RestorePointId",
            "RestorePointName",
            "VmDisplayName",
            "BackupServerUid",
            "BackupServerName",
            "VmName",
            "HierarchyObjRef",
        ],
    ),
    (
        "RestorePoint",
        &[
            "UID",
            "Name",
            "CreationTime",
            "BackupUid",
            "BackupName",
            "BackupServerUid",
            "BackupServerName",
        ],
    ),
    ("VAppRestorePoint", &["UID", "Name", "CreationTime", "Type", "Algorithm", "RestorePointId"]),
    ("VAppReplicaPoint", &["UID", "Name", "CreationTime", "Type", "Algorithm", "VAppName"]),
    (
        "AgentRestorePoint",
        &[
            "UID",
            "Name",
            "CreationTime",
            "Type",
            "Algorithm",
            "RestorePointId",
            "RestorePointName",
            "ComputerName",
            "BackupUid",
            "BackupName",
            "BackupFileUid",
            "BackupFileName",
        ],
    ),
    ("CloudReplica", &["UID", "Name", "Platform"]),
    (
        "Replica",
        &[
            "UID",
            "Name",
            "JobUid",
            "JobName",
            "RepositoryUid",
            "RepositoryName",
            "BackupServerUid",
            "BackupServerName",
        ],
    ),
    (
        "Backup",
        &[
            "UID",
            "Name",
            "Platform",
            "BackupType",
            "RepositoryUid",
            "RepositoryName",
            "BackupServerName",
        ],
    ),
    ("Job", &["UID", "Name", "JobType", "Platform", "ScheduleEnabled"]),
    ("HierarchyRoot", &["UID", "Name", "UniqueId", "HostType"]),
];

/// A valid value for a filter name.
fn value(name: &str) -> &'static str {
    match name {
        "CreationTime" => "\"2018-01-26 12:00:00\"",
        "Type" | "Algorithm" => "Full",
        "State" => "Ready",
        "Platform" => "VMware",
        "BackupType" => "Standard",
        "JobType" => "BackupCopy",
        _ => "\"some \"\"text\"\"\"",
    }
}

#[tokio::test]
async fn every_documented_name_filters_and_sorts() {
    let fixture = Fixture::new();
    for (kind, columns) in NAMES {
        let all = names(&fixture.get(&format!("/query?type={kind}")).await.1).len();
        assert!(all > 0, "{kind}");
        for column in columns {
            let count = async |operator: &str| {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.append_pair("Type", &kind.to_uppercase());
                query.append_pair("sortDesc", &column.to_lowercase());
                query.append_pair("Filter", &format!("{column}{operator}{}", value(column)));
                let (status, body) = fixture.get(&format!("/query?{}", query.finish())).await;
                assert_eq!(status, 200, "{kind} {column}: {body}");
                names(&body).len()
            };
            assert_eq!(count("<").await + count("==").await + count(">").await, all);
            assert_eq!(count("==").await + count("!=").await, all);
            assert_eq!(count("<=").await + count(">").await, all, "{kind} {column}");
        }
        for unknown in ["Size", "TenantName", "PointType", "CreationTimeUTC"] {
            let (status, body) =
                fixture.get(&format!("/query?type={kind}&filter={unknown}==1")).await;
            assert_eq!(status, 400, "{kind} {unknown}");
            assert!(body.contains("<Error ") && body.contains(unknown));
        }
    }
}

#[tokio::test]
async fn enumerations_compare_by_the_order_of_their_kind() {
    let fixture = Fixture::with(|settings| settings.points = 1000);
    let types = async |kind: &str, filter: &str| {
        let path = format!("/query?type={kind}&format=Entities&pageSize=2000&filter={filter}");
        let (_, body) = fixture.get(&path).await;
        let mut types: Vec<_> = body.split("<PointType>").skip(1).collect();
        types.iter_mut().for_each(|rest| *rest = rest.split('<').next().unwrap());
        types.sort_unstable();
        types.dedup();
        types.join(" ")
    };
    assert_eq!(types("VmRestorePoint", "Type<ReverseIncrement").await, "Full Increment");
    assert_eq!(types("VmRestorePoint", "Type>Full").await, "Increment ReverseIncrement");
    assert_eq!(types("CloudVmReplicaPoint", "Type<=Full").await, "CDP Full");
    let later = types("CloudVmReplicaPoint", "Type>=ReverseIncrement").await;
    assert_eq!(later, "Increment ReverseIncrement Snapshot");
    let platform = "/query?type=Backup&filter=Platform==AgentForWindows";
    assert_eq!(fixture.get(platform).await.0, 200);
    assert_eq!(fixture.get("/query?type=Replica&filter=Platform==VMware").await.0, 400);
    assert_eq!(fixture.get("/query?type=VmRestorePoint&filter=Type==Snapshot").await.0, 400);
}

#[tokio::test]
async fn points_are_filtered_by_their_parents() {
    let fixture = Fixture::with(|settings| settings.points = 600);
    let (_, runs) = fixture.get("/restorePoints").await;
    let run = between(&runs, "UID=\"", "\"");
    let by_run = format!("/query?type=VmRestorePoint&filter=RestorePointId==%22{run}%22");
    assert_eq!(names(&fixture.get(&by_run).await.1).len(), 1);
    let (_, backups) = fixture.get("/backups").await;
    let last = backups.rsplit("UID=\"").next().unwrap().split('"').next().unwrap();
    let by_backup = format!("/query?type=RestorePoint&filter=BackupUid=={}", last.to_uppercase());
    assert_eq!(
        names(&fixture.get(&by_backup).await.1).len(),
        2,
        "ids compare without regard to case"
    );
    let (_, replicas) = fixture.get("/replicas").await;
    let last = replicas.rsplit("UID=\"").next().unwrap().split('"').next().unwrap();
    let by_replica = format!("/query?type=VmReplicaPoint&filter=ReplicaUid=={last}");
    assert_eq!(names(&fixture.get(&by_replica).await.1).len(), 10);
}

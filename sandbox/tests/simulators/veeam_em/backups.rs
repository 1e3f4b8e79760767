//! Backups and plain replicas: generated ones, and their children.

use restore_point_sandbox::veeam_em::ReplicaListItem;

use super::fixture::{Fixture, between, names};

/// Every id of a kind in a list of references.
fn ids(body: &str, kind: &str) -> Vec<String> {
    let uid = format!(" UID=\"urn:veeam:{kind}:");
    body.split(&uid).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn generated_points_fill_the_lists_of_every_kind() {
    let fixture = Fixture::with(|settings| settings.points = 1000);
    for (collection, count) in [
        ("/cloud/replicas", 22),
        ("/cloud/vmReplicaPoints", 1006),
        ("/backups", 5),
        ("/restorePoints", 53),
        ("/backupFiles", 53),
        ("/vmRestorePoints", 253),
        ("/replicas", 10),
        ("/vmReplicaPoints", 253),
    ] {
        assert_eq!(names(&fixture.get(collection).await.1).len(), count, "{collection}");
    }
    let (_, entities) = fixture.get("/vmRestorePoints?format=Entity").await;
    for word in ["Full", "Increment", "ReverseIncrement"] {
        assert!(entities.contains(&format!("<PointType>{word}</PointType>")), "{word}");
    }
    for word in ["Full", "SyntheticFull", "Incremental", "ReversedIncremental"] {
        assert!(entities.contains(&format!("<Algorithm>{word}</Algorithm>")), "{word}");
    }
    for platform in ["VMware:Vm", "HyperV:Vm", "vCloud:Vm"] {
        assert!(entities.contains(&format!("<HierarchyObjRef>urn:{platform}:")), "{platform}");
    }
    let (_, page) = fixture.get("/query?type=VmRestorePoint&page=3").await;
    assert!(page.contains(r#"PageNum="3" PageSize="100" PagesCount="3""#));
    assert_eq!(names(&page).len(), 53);
}

#[tokio::test]
async fn every_point_belongs_to_one_run_one_file_and_one_backup() {
    let fixture = Fixture::with(|settings| settings.points = 300);
    let (_, all) = fixture.get("/vmRestorePoints").await;
    let mut wanted = ids(&all, "VmRestorePoint");
    wanted.sort();
    for (down, segment) in [("restorePoints", "RestorePoint"), ("backupFiles", "BackupFile")] {
        let mut seen = Vec::new();
        for backup in ids(&fixture.get("/backups").await.1, "Backup") {
            let (_, below) = fixture.get(&format!("/backups/{backup}/{down}")).await;
            for id in ids(&below, segment) {
                let (_, below) = fixture.get(&format!("/{down}/{id}/vmRestorePoints")).await;
                assert!(names(&below).len() <= 5, "at most one point for each machine of the job");
                seen.extend(ids(&below, "VmRestorePoint"));
            }
        }
        seen.sort();
        assert_eq!(seen, wanted);
    }
    let mut below_replicas = 0;
    for replica in ids(&fixture.get("/replicas").await.1, "Replica") {
        let (_, below) = fixture.get(&format!("/replicas/{replica}/vmReplicaPoints")).await;
        below_replicas += names(&below).len();
    }
    assert_eq!(below_replicas, 78);
}

#[tokio::test]
async fn one_seed_generates_the_same_backups() {
    let drawn = |seed| async move {
        let fixture = Fixture::with(|settings| (settings.points, settings.seed) = (100, seed));
        fixture.get("/vmRestorePoints?format=Entity").await.1
            + &fixture.get("/vmReplicaPoints?format=Entity").await.1
    };
    let (one, again, other) = (drawn(7).await, drawn(7).await, drawn(8).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[tokio::test]
async fn items_of_a_list_of_replica_points_have_either_name_and_a_correct_type() {
    for (setting, item) in [
        (ReplicaListItem::VmReplicaPoint, "VmReplicaPoint"),
        (ReplicaListItem::VmRestorePoint, "VmRestorePoint"),
    ] {
        let fixture = Fixture::with(|settings| settings.replica_list_item = setting);
        let replica = ids(&fixture.get("/replicas").await.1, "Replica").remove(0);
        for path in [
            "/vmReplicaPoints?format=Entity",
            &format!("/replicas/{replica}/vmReplicaPoints?format=Entity"),
            "/query?type=VmReplicaPoint&format=Entities",
        ] {
            let (_, body) = fixture.get(path).await;
            let list = between(&body, "<VmReplicaPoints", "</VmReplicaPoints>");
            assert_eq!(list.matches(&format!("<{item} ")).count(), 3, "{path}");
            assert_eq!(list.matches(r#"Type="VmReplicaPoint""#).count(), 3, "{path}");
        }
        let point = ids(&fixture.get("/vmReplicaPoints").await.1, "VmReplicaPoint").remove(0);
        let (_, alone) = fixture.get(&format!("/vmReplicaPoints/{point}?format=Entity")).await;
        assert!(
            alone.contains("<VmReplicaPoint xmlns="),
            "an entity alone has the name of its kind"
        );
    }
}

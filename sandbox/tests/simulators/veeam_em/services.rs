//! The service documents, and the kinds of resources other than points.

use restore_point_sandbox::veeam_em::{HierarchyRoots, NameStyle, Product};

use super::fixture::{Fixture, between, names};

#[tokio::test]
async fn a_session_links_to_each_collection_twice_and_every_link_works() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let (_, sessions) = fixture.get_as(&token, "/logonSessions").await;
    let links: Vec<_> = sessions.split("<Link ").skip(1).collect();
    assert!((60..75).contains(&links.len()), "about 65: {}", links.len());
    for path in [
        "backups",
        "restorePoints",
        "vmRestorePoints",
        "vAppRestorePoints",
        "replicas",
        "vmReplicaPoints",
        "vAppReplicaPoints",
        "backupFiles",
        "cdpReplica/vms",
        "cdpReplica/vApps",
        "failoverPlans",
        "backupServers",
        "jobs",
    ] {
        let list = |suffix: &str| {
            let href = format!("Href=\"https://localhost:9398/api/{path}{suffix}\"");
            links.iter().filter(|link| link.contains(&href)).count()
        };
        assert_eq!((list(""), list("?format=Entity")), (1, 1), "{path}");
        let (status, references) = fixture.get(&format!("/{path}")).await;
        assert!(status == 200 && references.contains("<EntityReferences"), "{path}");
        let (status, entities) = fixture.get(&format!("/{path}?format=Entity")).await;
        assert!(status == 200 && !entities.contains("<EntityReferences"), "{path}");
    }
    for (kind, path) in [
        ("AgentsService", "agents"),
        ("TaskList", "tasks"),
        ("QueryService", "querySvc"),
        ("LookupService", "lookupSvc"),
        ("CloudConnectService", "cloud"),
    ] {
        let link = format!(r#"Href="https://localhost:9398/api/{path}" Type="{kind}" Rel="Down""#);
        assert!(links.iter().any(|found| found.contains(&link)), "{path}");
        assert_eq!(fixture.get(&format!("/{path}")).await.0, 200, "{path}");
    }
    assert!(
        links[0].contains(r#"api/" Type="EnterpriseManager" Rel="Up""#),
        "with a slash at the end"
    );
    assert!(sessions.contains(r#"/api/backupServers?action=create" Rel="Create"/>"#));
    let delete = links.iter().find(|link| link.contains("Rel=\"Delete\"")).unwrap();
    assert!(!delete.contains("Type="), "{delete}");
    let (_, empty) = fixture.get("/cdpReplica/vms?format=Entity").await;
    assert!(empty.contains("<CdpReplicaVms ") && empty.ends_with("/>"));
    assert_eq!(fixture.get("/query?type=cdpreplicavm&format=Entities").await.0, 200);
}

#[tokio::test]
async fn the_query_service_lists_no_query_for_cloud_points() {
    let fixture = Fixture::new();
    let (_, body) = fixture.get("/querySvc").await;
    assert!(body.contains(r#"Type="QueryService""#) && body.contains(r#"Type="LogonSession""#));
    assert!(!body.contains("CloudVmReplicaPoint"));
    for query in body.split("https://localhost:9398/api/query?").skip(1) {
        let query = query.split('"').next().unwrap().replace("&amp;", "&");
        assert!(query.contains("sortAsc=name&pageSize=15&page=1"), "{query}");
        assert_eq!(fixture.get(&format!("/query?{query}")).await.0, 200, "{query}");
    }
    assert!(body.matches("type=VmRestorePoint&amp;").count() == 2);
}

#[tokio::test]
async fn filters_by_hierarchy_root_match_nothing_on_a_server_with_the_bug() {
    for (setting, found) in [(HierarchyRoots::AsInPoints, 3), (HierarchyRoots::Mismatched, 0)] {
        let fixture = Fixture::with(|settings| settings.hierarchy_roots = setting);
        let (_, roots) = fixture.get("/hierarchyRoots?format=Entity").await;
        let root = between(&roots, "<HierarchyRootId>", "<");
        let (_, lookup) = fixture.get("/lookupSvc").await;
        assert!(lookup.contains(&format!("host=urn:veeam:HierarchyRoot:{root}&amp;name=*")));
        let filter = format!("HierarchyObjRef==%22urn:VMware:Vm:{root}.vm-31017%22");
        let (status, body) =
            fixture.get(&format!("/query?type=VmRestorePoint&filter={filter}")).await;
        assert_eq!((status, names(&body).len()), (200, found));
        let by_name = "/query?Filter=VmName==%22audi99%22&Type=VmRestorePoint";
        assert_eq!(names(&fixture.get(by_name).await.1).len(), 3);
    }
}

#[tokio::test]
async fn a_job_run_links_to_its_points_and_files_and_a_replica_has_its_job() {
    let fixture = Fixture::new();
    let (_, runs) = fixture.get("/restorePoints").await;
    let run = between(&runs, "urn:veeam:RestorePoint:", "\"");
    let (_, entity) = fixture.get(&format!("/restorePoints/{run}?format=Entity")).await;
    for (segment, kind, rel) in [
        ("vmRestorePoints", "VmRestorePoint", "Down"),
        ("vAppRestorePoints", "VAppRestorePoint", "Down"),
        ("backupFiles", "BackupFile", "Related"),
    ] {
        let href = format!("https://localhost:9398/api/restorePoints/{run}/{segment}");
        let link = format!(r#"<Link Href="{href}" Type="{kind}ReferenceList" Rel="{rel}"/>"#);
        assert!(entity.contains(&link), "{entity}");
        let (_, below) = fixture.get(&format!("/restorePoints/{run}/{segment}")).await;
        assert_eq!(names(&below).len(), 1, "{segment}");
        assert!(below.contains(&format!("Type=\"{kind}Reference\"")));
    }
    let (_, job) = fixture.get("/jobs?format=Entity").await;
    assert!(job.contains("<ScheduleEnabled>true</ScheduleEnabled>"));
    for filter in ["JobName==Nightly", "jobname!=Other"] {
        let (_, found) = fixture.get(&format!("/query?type=Replica&filter={filter}")).await;
        assert_eq!(names(&found), ["audi99"]);
    }
    let (_, none) = fixture.get("/query?type=Replica&filter=JobName==Other").await;
    assert!(names(&none).is_empty());
}

#[tokio::test]
async fn points_of_a_vapp_have_an_attribute_with_its_name() {
    let fixture = Fixture::new();
    for (collection, kind) in
        [("vAppRestorePoints", "VAppRestorePoint"), ("vAppReplicaPoints", "VAppReplicaPoint")]
    {
        let (_, body) = fixture.get(&format!("/{collection}?format=Entity")).await;
        assert!(
            body.contains(&format!("<{kind} ")) && body.contains(r#"VAppDisplayName="vApp002""#)
        );
        assert!(body.contains("</CreationTimeUTC><VAppName>vApp002</VAppName><Algorithm>"));
    }
    let (_, runs) = fixture.get("/restorePoints?format=Entity").await;
    assert!(!runs.contains("agentRestorePoints"), "the collection has no link");
    let run = between(&runs, "urn:veeam:RestorePoint:", "\"");
    let (_, below) = fixture.get(&format!("/restorePoints/{run}/agentRestorePoints")).await;
    assert_eq!(names(&below), ["laptop-07@2025-06-08 02:11:00"]);
    let (_, agents) = fixture.get("/agents").await;
    assert!(agents.contains("/api/agents/agentRestorePoints\""));
    let filter = "/query?type=AgentRestorePoint&filter=ComputerName==laptop-07";
    assert_eq!(names(&fixture.get(filter).await.1).len(), 1);
}

#[tokio::test]
async fn unset_times_are_in_1753_and_the_port_depends_on_the_release() {
    let fixture = Fixture::new();
    let (_, tenants) = fixture.get("/cloud/tenants?format=Entity").await;
    assert!(tenants.contains("<LastActive>1753-01-01T00:00:00Z</LastActive>"));
    let (_, repositories) = fixture.get("/repositories?format=Entity").await;
    let unknown = "<FreeSpace>-1</FreeSpace><Kind>AmazonS3Compatible</Kind>";
    assert!(repositories.contains(unknown), "object storage has no size");
    for (product, port) in [(Product::V12, "9392"), (Product::V13, "443")] {
        let fixture = Fixture::with(|settings| settings.product = product);
        let (_, servers) = fixture.get("/backupServers?format=Entity").await;
        assert!(servers.contains(&format!("<Port>{port}</Port>")), "{servers}");
    }
    let fixture = Fixture::with(|settings| {
        settings.name_style = NameStyle::Microseconds;
        settings.fraction_digits = 6;
    });
    let (_, runs) = fixture.get("/restorePoints").await;
    assert_eq!(names(&runs)[0], "2025-06-05 01:01:25.93");
}

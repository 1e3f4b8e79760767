//! Collections, entities and references.

use jiff::SignedDuration;
use reqwest::Method;
use restore_point_sandbox::veeam_em::{AttributeOrder, Hrefs, ListItem, NameStyle, VmName};

use super::fixture::{ABC, CRM, Fixture, SRV39, TOKEN, between, header, names};

#[tokio::test]
async fn an_entity_matches_the_vendors_documentation() {
    let fixture = Fixture::with(|settings| settings.attribute_order = AttributeOrder::Documented);
    let path = format!("/cloud/vmReplicaPoints/{}?format=Entity", SRV39.to_uppercase());
    let expected = concat!(
        r#"<?xml version="1.0" encoding="utf-8"?>"#,
        r#"<CloudVmReplicaPoint xmlns="http://www.veeam.com/ent/v1.0" Type="CloudVmReplicaPoint""#,
        r#" Href="https://localhost:9398/api/cloud/vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84?format=Entity""#,
        r#" Name="srv39@2015-12-25 20:00:47" UID="urn:veeam:CloudVmReplicaPoint:93081441-6e3c-4584-b47a-08dc1ce24f84""#,
        r#" VmDisplayName="srv39"><Links>"#,
        r#"<Link Rel="Up" Type="BackupServerReference" Href="https://localhost:9398/api/backupServers/8fff3b8e-c3f1-4ef5-aecc-561f07bf9982" Name="172.17.53.48"/>"#,
        r#"<Link Rel="Up" Type="CloudReplicaReference" Href="https://localhost:9398/api/cloud/replicas/6b2b42d5-3850-421c-93c1-e063f12a2ead" Name="UCM Company CRM Replication"/>"#,
        r#"<Link Rel="Alternate" Type="CloudVmReplicaPointReference" Href="https://localhost:9398/api/cloud/vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84" Name="srv39@2015-12-25 20:00:47"/>"#,
        "</Links><CreationTimeUTC>2015-12-25T20:00:47Z</CreationTimeUTC>",
        "<PointType>Snapshot</PointType><State>Ready</State></CloudVmReplicaPoint>",
    );
    assert_eq!(fixture.get(&path).await, (200, expected.to_owned()));
}

#[tokio::test]
async fn a_reference_links_to_its_entity() {
    let fixture = Fixture::with(|settings| settings.attribute_order = AttributeOrder::Documented);
    let (status, body) = fixture.get(&format!("/cloud/vmReplicaPoints/{SRV39}")).await;
    assert_eq!(status, 200);
    assert!(body.contains(concat!(
        r#"<EntityRef xmlns="http://www.veeam.com/ent/v1.0" Type="CloudVmReplicaPointReference""#,
        r#" Href="https://localhost:9398/api/cloud/vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84""#,
        r#" Name="srv39@2015-12-25 20:00:47" UID="urn:veeam:CloudVmReplicaPoint:93081441-6e3c-4584-b47a-08dc1ce24f84"><Links>"#,
    )));
    assert!(body.contains(concat!(
        r#"<Link Rel="Alternate" Type="CloudVmReplicaPoint" Href="https://localhost:9398/api/cloud/"#,
        r#"vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84?format=Entity" Name="srv39@"#,
    )));
}

#[tokio::test]
async fn the_list_of_references_matches_the_vendors_documentation() {
    let fixture = Fixture::new();
    let (_, body) = fixture.get("/cloud/vmReplicaPoints").await;
    let listed: Vec<_> = body
        .split("<Ref ")
        .skip(1)
        .map(|item| {
            let replica = item.split("<Link ").find(|link| link.contains("CloudReplicaReference"));
            [
                between(item, "UID=\"urn:veeam:CloudVmReplicaPoint:", "\""),
                between(item, "Name=\"", "\""),
                between(replica.unwrap(), "/cloud/replicas/", "\""),
                between(replica.unwrap(), "Name=\"", "\""),
            ]
        })
        .collect();
    let crm = "UCM Company CRM Replication";
    let abc = "ABC Company Servers Replication";
    assert_eq!(
        listed,
        [
            [SRV39, "srv39@2015-12-25 20:00:47", CRM, crm],
            ["783781f0-4d83-4d09-ae82-12b5bed4710b", "srv40@2015-12-27 21:08:13", ABC, abc],
            ["292e6d96-6b99-4776-bba2-2c030cd5824a", "srv38@2015-12-21 21:01:41", ABC, abc],
            ["5ed13778-0191-4d9d-8105-33017348235d", "srv40@2015-12-22 21:05:43", ABC, abc],
            ["574c07de-50eb-4117-88ec-5cd3403142dd", "srv38@2015-12-24 21:03:50", ABC, abc],
            ["572167d1-c2f1-40b5-9ce9-6b277e507222", "srv39@2015-12-22 11:25:26", CRM, crm],
        ]
    );
}

#[tokio::test]
async fn items_of_a_list_of_cloud_points_are_named_replicas() {
    let fixture = Fixture::with(|settings| settings.points = 150);
    let (_, body) = fixture.get("/cloud/vmReplicaPoints?format=Entity").await;
    assert_eq!(body.matches("<CloudReplica ").count(), 156, "collections are not paged");
    assert_eq!(body.matches(r#"Type="CloudVmReplicaPoint""#).count(), 156);
    let fixture = Fixture::with(|settings| settings.list_item = ListItem::CloudVmReplicaPoint);
    let (_, body) = fixture.get("/cloud/vmReplicaPoints?format=Entity").await;
    assert_eq!(body.matches("<CloudVmReplicaPoint ").count(), 6);
}

#[tokio::test]
async fn replicas_and_servers_have_both_forms_and_replicas_list_their_points() {
    let fixture = Fixture::new();
    let (_, body) = fixture.get(&format!("/cloud/replicas/{CRM}?format=Entity")).await;
    assert!(body.contains("<CloudReplica ") && body.contains("<Platform>VMware</Platform>"));
    let down = format!("https://localhost:9398/api/cloud/replicas/{CRM}/vmReplicaPoints");
    assert!(body.contains(&format!(
        r#"<Link Href="{down}" Type="CloudVmReplicaPointReferenceList" Rel="Down"/>"#
    )));
    let (_, body) = fixture.get(&format!("/cloud/replicas/{CRM}")).await;
    assert!(body.contains(r#"Type="CloudReplicaReference""#));
    let (_, body) = fixture.get(&format!("/cloud/replicas/{CRM}/vmReplicaPoints")).await;
    assert_eq!(names(&body), ["srv39@2015-12-25 20:00:47", "srv39@2015-12-22 11:25:26"]);
    let (_, body) = fixture.get("/cloud/replicas?format=Entity").await;
    assert_eq!(body.matches(r#"Type="CloudReplica""#).count(), 2);
    let (_, body) = fixture.get("/backupServers?format=Entity").await;
    assert!(body.contains("<BackupServers ") && body.contains("<Port>443</Port>"));
    let server = "/backupServers/8fff3b8e-c3f1-4ef5-aecc-561f07bf9982";
    assert!(fixture.get(server).await.1.contains(r#"Name="172.17.53.48""#));
}

#[tokio::test]
async fn missing_resources_are_404_and_unsupported_methods_405() {
    let fixture = Fixture::new();
    for path in [
        "/cloud/vmReplicaPoints/00000000-0000-0000-0000-000000000000",
        "/cloud/vmReplicaPoints/nonsense",
        "/cloud/vmReplicaPointsX",
        "/cloud/replicas/6b2b42d5-3850-421c-93c1-e063f12a2ead/other",
        "/nothing",
    ] {
        let (status, body) = fixture.get(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(body.contains(r#"<Error xmlns="#) && body.contains(r#"StatusCode="404""#));
    }
    for (method, path) in [
        (Method::POST, "/cloud/vmReplicaPoints"),
        (Method::POST, "/cloud/replicas"),
        (Method::DELETE, &format!("/cloud/vmReplicaPoints/{SRV39}")),
        (Method::PUT, "/logonSessions"),
        (Method::GET, "/sessionMngr/"),
    ] {
        assert_eq!(fixture.send(method, path).await.status(), 405, "{path}");
    }
}

#[tokio::test]
async fn points_are_added_changed_and_removed() {
    let fixture = Fixture::new();
    let id = fixture.em.add_point(CRM, "new").unwrap();
    let path = format!("/cloud/vmReplicaPoints/{id}?format=Entity");
    let (_, body) = fixture.get(&path).await;
    assert!(body.contains("<CreationTimeUTC>2026-06-16T06:00:00.123Z</CreationTimeUTC>"));
    assert!(fixture.em.set_state(&id.to_uppercase(), "PermanentFailover"));
    assert!(fixture.get(&path).await.1.contains("<State>PermanentFailover</State>"));
    assert!(fixture.em.remove_point(&id));
    assert_eq!(fixture.get(&path).await.0, 404);
    assert!(!fixture.em.remove_point(&id) && !fixture.em.set_state(&id, "Ready"));
    assert!(fixture.em.add_point(SRV39, "not a replica").is_none());
}

#[tokio::test]
async fn one_seed_generates_the_same_points_of_every_type() {
    let drawn = |seed| async move {
        let fixture = Fixture::with(|settings| (settings.points, settings.seed) = (100, seed));
        fixture.get("/cloud/vmReplicaPoints?format=Entity").await.1
    };
    let (one, again, other) = (drawn(7).await, drawn(7).await, drawn(8).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
    for state in ["Unknown", "Ready", "Failover", "Failback", "PermanentFailover"] {
        assert!(one.contains(&format!("<State>{state}</State>")));
    }
    for kind in ["CDP", "Full", "ReverseIncrement", "Increment", "Snapshot"] {
        assert!(one.contains(&format!("<PointType>{kind}</PointType>")));
    }
    assert!(one.contains("mail &amp; web-") && one.contains("サーバー-"));
    assert!(one.contains("R&amp;D &lt;Lab&gt; Replication") || one.contains("Smith &amp; Sons"));
}

#[tokio::test]
async fn times_have_the_precision_of_the_database_without_trailing_zeros() {
    let fixture = Fixture::with(|settings| {
        settings.name_style = NameStyle::Microseconds;
        settings.fraction_digits = 6;
        settings.vm_name = VmName::Present;
    });
    let mut seen = Vec::new();
    for nanoseconds in [0, 600_000_000, 76_544_000] {
        fixture.clock.advance(SignedDuration::from_nanos(nanoseconds));
        let id = fixture.em.add_point(CRM, "vm").unwrap();
        let (_, body) = fixture.get(&format!("/cloud/vmReplicaPoints/{id}?format=Entity")).await;
        assert!(body.contains("</CreationTimeUTC><VmName>vm</VmName><PointType>"));
        seen.push(between(&body, "<CreationTimeUTC>", "</").to_owned());
        seen.push(between(&body, " Name=\"", "\"").to_owned());
    }
    assert_eq!(
        seen,
        [
            "2026-06-16T06:00:00.123456Z",
            "vm@2026-06-16 06:00:00.123456",
            "2026-06-16T06:00:00.723456Z",
            "vm@2026-06-16 06:00:00.723456",
            "2026-06-16T06:00:00.8Z",
            "vm@2026-06-16 06:00:00.8",
        ]
    );
}

#[tokio::test]
async fn backups_and_plain_replicas_follow_the_same_grammar() {
    let fixture = Fixture::new();
    let (_, runs) = fixture.get("/restorePoints").await;
    assert_eq!(names(&runs)[0], "Jun  5 2025  1:01AM", "with two blanks twice");
    let (_, points) = fixture.get("/vmRestorePoints?format=Entity").await;
    assert!(points.contains("<CreationTimeUTC>2025-06-05T01:01:25.93Z</CreationTimeUTC>"));
    assert!(points.contains("?action=restore\" Rel=\"Restore\"/>"), "actions have no type");
    let reference = between(&points, "<HierarchyObjRef>", "</");
    let query = format!("/query?type=vmRestorePoint&filter=HierarchyObjRef==%22{reference}%22");
    assert_eq!(names(&fixture.get(&query).await.1).len(), 3);
    let run = between(&runs, "urn:veeam:RestorePoint:", "\"");
    let (_, below) = fixture.get(&format!("/restorePoints/{run}/vmRestorePoints")).await;
    assert_eq!(names(&below), ["audi99@2025-06-05 01:01:25"]);
    let (_, replicas) = fixture.get("/replicas").await;
    let replica = between(&replicas, "urn:veeam:Replica:", "\"");
    let (_, below) =
        fixture.get(&format!("/replicas/{replica}/vmReplicaPoints?format=Entity")).await;
    assert_eq!(below.matches("<VmReplicaPoint ").count(), 3);
    for collection in ["/repositories", "/backups", "/backupFiles", "/vmReplicaPoints"] {
        assert!(!names(&fixture.get(collection).await.1).is_empty(), "{collection}");
    }
    let backup = fixture.get("/backups?format=Entity").await.1;
    assert!(backup.contains("<BackupType>Standard</BackupType>"));
}

/// The public client veeam-em follows the link to the next page as it is.
#[tokio::test]
async fn links_have_the_host_of_the_request_if_selected() {
    let fixture = Fixture::with(|settings| {
        settings.points = 200;
        settings.hrefs = Hrefs::RequestHost;
    });
    let reply = fixture.log_on_as(fixture.em.username(), fixture.em.password(), "?v=latest").await;
    let token = header(&reply, TOKEN);
    assert!(header(&reply, "location").starts_with(&fixture.em.url()));
    for accept in ["application/xml", "application/json"] {
        let follow = async |url: &str| {
            let request = fixture.client.get(url).header(TOKEN, &token).header("accept", accept);
            let reply = request.send().await.unwrap();
            assert_eq!(reply.status(), 200, "{url}");
            reply.text().await.unwrap()
        };
        let first = follow(&format!("{}/query?type=CloudVmReplicaPoint", fixture.em.url())).await;
        assert!(!first.contains(":9398/"), "{first}");
        let mut links = first.split(['"', ' ']).filter(|word| word.contains("page=2"));
        let second = follow(&links.next_back().unwrap().replace("&amp;", "&")).await;
        assert!(["PageNum=\"2\"", "\"pageNum\":2"].iter().any(|page| second.contains(page)));
    }
}

//! The query service over cloud points: filter language, pages and errors.

use std::collections::BTreeSet;

use super::fixture::{CRM, Fixture, SRV39, names};

#[tokio::test]
async fn filters_compare_names_times_and_enumerations() {
    let fixture = Fixture::new();
    let srv38 = ["srv38@2015-12-21 21:01:41", "srv38@2015-12-24 21:03:50"];
    let newest = ["srv39@2015-12-25 20:00:47", "srv40@2015-12-27 21:08:13"];
    let crm = ["srv39@2015-12-22 11:25:26", "srv39@2015-12-25 20:00:47"];
    assert_eq!(fixture.names("VmName==srv38").await, srv38);
    assert_eq!(fixture.names(" vmdisplayname == \"srv38\" ").await, srv38);
    assert_eq!(fixture.names("ReplicaName==\"UCM Company CRM Replication\"").await, crm);
    assert_eq!(fixture.names(&format!("ReplicaUid==urn:veeam:CloudReplica:{CRM}")).await, crm);
    assert_eq!(
        fixture.names(&format!("UID==\"urn:veeam:CloudVmReplicaPoint:{SRV39}\"")).await.len(),
        1
    );
    assert_eq!(fixture.names("BackupServerName==172.17.53.48").await.len(), 6);
    assert_eq!(fixture.names("Name==\"srv38@2015-12-21 21:01:41\"").await, srv38[..1]);
    for time in ["\"2015-12-25 20:00:47\"", "2015-12-25T20:00:47", "\"2015-12-25T20:00:47Z\""] {
        assert_eq!(fixture.names(&format!("CreationTime>={time}")).await, newest);
        assert_eq!(fixture.names(&format!("CreationTime>{time}")).await, newest[1..]);
        assert_eq!(fixture.names(&format!("CreationTime<{time}")).await.len(), 4);
        assert_eq!(fixture.names(&format!("CreationTime<={time}")).await.len(), 5);
    }
    let with_offset = "CreationTime>\"2015-12-25T21:00:47+01:00\"";
    assert_eq!(fixture.names(with_offset).await, newest[1..]);
    assert_eq!(fixture.names("VmName!=srv38").await.len(), 4);
    assert_eq!(fixture.names("State==ready;Type==Snapshot").await.len(), 6);
    assert_eq!(fixture.names("Type<Snapshot").await.len(), 0, "enumerations have an order");
    let either = "CreationTime>2015-12-25;(VmName==srv39,VmName==srv40)";
    assert_eq!(fixture.names(either).await, newest);
    let tighter = "VmName==srv38,VmName==srv39;CreationTime>2015-12-25";
    assert_eq!(fixture.names(tighter).await, [srv38[0], srv38[1], newest[0]]);
    fixture.em.set_state(SRV39, "Failover");
    assert_eq!(fixture.names("State>Ready").await, newest[..1]);
}

#[tokio::test]
async fn quotes_in_filter_values_are_doubled() {
    let fixture = Fixture::new();
    let vm = "a \"b\"; (c), d";
    assert!(fixture.em.add_point(CRM, vm).is_some());
    let filter = "VmName==\"a \"\"b\"\"; (c), d\"";
    assert_eq!(fixture.names(filter).await, ["a &quot;b&quot;; (c), d@2026-06-16 06:00:00"]);
}

#[tokio::test]
async fn invalid_queries_are_a_400() {
    let fixture = Fixture::new();
    for bad in [
        ("filter", "Size==1"),
        ("filter", "VmName=srv38"),
        ("filter", "VmName"),
        ("filter", "(VmName==srv38"),
        ("filter", "VmName==srv38)"),
        ("filter", "VmName==\"srv38"),
        ("filter", "State==Broken"),
        ("filter", "CreationTime>=2015-12-25 20:00:47"),
        ("sortAsc", "Size"),
        ("pageSize", "0"),
        ("page", "-1"),
        ("format", "Entity"),
    ] {
        let (status, body) = fixture.query(&[bad]).await;
        assert_eq!(status, 400, "{bad:?}");
        assert!(body.contains(r#"StatusCode="400""#) && body.contains("SENSITIVE stack"));
    }
    assert_eq!(fixture.get("/query?type=Nothing").await.0, 400);
    assert_eq!(fixture.query(&[("filter", &"(".repeat(10_000))]).await.0, 400);
}

#[tokio::test]
async fn queries_have_pages_of_a_hundred_and_links_with_escaped_ampersands() {
    let fixture = Fixture::with(|settings| settings.points = 200);
    let filter = ("filter", "VmName!=\"srv 38\"");
    let sort = ("SortDesc", "CREATIONTIME");
    let (_, first) = fixture.query(&[filter, sort]).await;
    assert!(first.contains(r#"<PagingInfo PageNum="1" PageSize="100" PagesCount="3"><Links>"#));
    let filter_again = "%28VmName%21%3D%22srv%2038%22%29";
    assert!(first.contains(&format!(
        r#"<Link Href="https://localhost:9398/api/query?type=CloudVmReplicaPoint&amp;filter={filter_again}&amp;SortDesc=CREATIONTIME&amp;pageSize=100&amp;page=2" Rel="Next"/>"#
    )), "{}", &first[first.len() - 1000..]);
    let mut seen = BTreeSet::new();
    let mut last = String::new();
    for page in ["1", "2", "3"] {
        let (_, body) = fixture.query(&[filter, sort, ("page", page)]).await;
        seen.extend(body.split("UID=\"").skip(1).map(|s| s.split('"').next().unwrap().to_owned()));
        last = body;
    }
    assert_eq!(seen.len(), 206);
    assert_eq!(names(&last).last().unwrap(), "srv38@2015-12-21 21:01:41");
    assert!(last.contains("Rel=\"First\"") && !last.contains("Rel=\"Next\""));
    let (_, two) = fixture.query(&[("pageSize", "2"), ("page", "3"), ("format", "entities")]).await;
    assert!(two.contains("<Entities><CloudVmReplicaPoints><CloudReplica "));
    assert_eq!(two.matches("<CloudReplica ").count(), 2);
}

#[tokio::test]
async fn an_empty_result_is_an_element_without_children() {
    let fixture = Fixture::new();
    let (status, body) = fixture.query(&[("filter", "VmName==none")]).await;
    assert_eq!(status, 200);
    assert!(body.contains("<Refs/><PagingInfo "));
    let none = [("filter", "VmName==none"), ("format", "Entities")];
    assert!(fixture.query(&none).await.1.contains("<Entities><CloudVmReplicaPoints/></Entities>"));
}

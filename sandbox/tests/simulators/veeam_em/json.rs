//! JSON: both casings, members and their order, and errors byte for byte.

use reqwest::Method;
use restore_point_sandbox::veeam_em::{ByteOrderMark, ErrorDetail, Product, RequestBodies};

use super::fixture::{Fixture, SRV39, TOKEN, header};

async fn json(fixture: &Fixture, path: &str) -> String {
    let get = fixture.request(Method::GET, path).header(TOKEN, fixture.log_on().await);
    let reply = get.header("accept", "Application/json").send().await.unwrap();
    assert_eq!(header(&reply, "content-type"), "application/json");
    reply.text().await.unwrap()
}

#[tokio::test]
async fn a_query_result_has_all_fifty_lists_in_the_vendors_order() {
    let fixture = Fixture::with(|settings| settings.product = Product::V12);
    let body = json(&fixture, "/query?type=CloudVmReplicaPoint&format=Entities&pageSize=2").await;
    assert!(body.starts_with(concat!(
        r#"{"Refs":null,"Entities":{"Jobs":null,"FailoverPlans":null,"Backups":null,"#,
        r#""Replicas":null,"Repositories":null,"RestorePoints":null,"VmRestorePoints":null,"#,
    )));
    assert!(body.contains(r#""EnterpiseRoles":null,"EnterpiseAccounts":null"#), "sic");
    let doubled = r#""CloudHardwarePlans":null,"CloudVmReplicaPoints":{"CloudVmReplicaPoints":[{"#;
    assert!(body.contains(doubled));
    assert!(body.contains(r#"},"AgentRestorePoints":null,"#));
    let end = r#""SystemSessions":null},"Resources":null,"Links":null,"PagingInfo":{"Links":["#;
    assert!(body.contains(end), "{body}");
    assert!(body.ends_with(r#"],"PageNum":1,"PageSize":2,"PagesCount":3}}"#), "{body}");
    let references = json(&fixture, "/query?type=CloudVmReplicaPoint&pageSize=1").await;
    assert!(references.starts_with(r#"{"Refs":{"Refs":[{"#));
    assert!(references.contains(r#"]},"Entities":null,"Resources":null"#));
}

#[tokio::test]
async fn version_13_writes_the_same_members_in_camel_case() {
    let fixture = Fixture::new();
    let body = json(&fixture, "/query?type=Job&format=Entities").await;
    assert!(body.starts_with(r#"{"refs":null,"entities":{"jobs":{"jobs":[{"#), "{body}");
    assert!(body.contains(r#""scheduleEnabled":true"#), "a JSON boolean");
    for name in ["\"nasJobs\":null", "\"vCloudOrganizationConfigs\":null", "\"uid\":\"urn:"] {
        assert!(body.contains(name), "{name}");
    }
    assert!(body.contains(r#""pagingInfo":{"links":["#));
}

#[tokio::test]
async fn absent_strings_are_null_and_empty_lists_are_arrays() {
    let fixture = Fixture::new();
    let path = format!("/cloud/vmReplicaPoints/{SRV39}?format=Entity");
    assert!(json(&fixture, &path).await.contains(r#""vmName":null"#));
    let points = json(&fixture, "/vmRestorePoints?format=Entity").await;
    assert!(points.contains(r#""sqlInfo":null"#) && points.contains(r#""hierarchyObjRef":"urn:"#));
    assert!(points.contains(r#""name":null"#), "an action's link has no name");
    assert_eq!(json(&fixture, "/tasks").await, r#"{"tasks":[]}"#);
    let empty = json(&fixture, "/query?type=Job&filter=Name==none").await;
    assert!(empty.starts_with(r#"{"refs":{"refs":[]},"#));
}

#[tokio::test]
async fn a_task_has_json_booleans_and_no_result_while_it_runs() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let server = fixture.get("/backupServers").await.1;
    let server = super::fixture::between(&server, "urn:veeam:BackupServer:", "\"").to_owned();
    let collect = format!("/backupServers/{server}?action=collect");
    let post = fixture.request(Method::POST, &collect).header(TOKEN, &token);
    let accepted = post.header("accept", "application/json").send().await.unwrap();
    let task: serde_json::Value = serde_json::from_str(&accepted.text().await.unwrap()).unwrap();
    assert!(task["result"].is_null() && task["state"] == "Running");
    fixture.clock.advance(jiff::SignedDuration::from_secs(15));
    let get = fixture.request(Method::GET, "/tasks/task-1").header(TOKEN, &token);
    let reply = get.header("accept", "application/json").send().await.unwrap();
    let task: serde_json::Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    assert_eq!(task["result"]["success"], true);
    assert_eq!(task["taskId"], "task-1");
}

#[tokio::test]
async fn an_error_matches_the_recording_byte_for_byte() {
    let fixture = Fixture::with(|settings| {
        settings.product = Product::V12;
        settings.request_bodies = RequestBodies::ByAccept;
        settings.error_detail = ErrorDetail::Bare;
    });
    let post = fixture.client.post(fixture.em.url() + "/sessionMngr/?v=latest");
    let post = post.basic_auth(fixture.em.username(), Some(fixture.em.password()));
    let reply = post.header("accept", "application/json").body("<LoginSpec/>").send().await;
    let reply = reply.unwrap();
    assert_eq!(reply.status(), 400);
    assert_eq!(header(&reply, "content-length"), "125");
    assert_eq!(
        reply.text().await.unwrap(),
        r#"{"FirstChanceExceptionMessage":null,"Message":"Node [root] does not exist.","StackTrace":null,"Status":null,"StatusCode":400}"#
    );
}

#[tokio::test]
async fn json_begins_with_a_byte_order_mark_if_selected() {
    let fixture = Fixture::with(|settings| settings.byte_order_mark = ByteOrderMark::Present);
    let get = fixture.request(Method::GET, "/").header("accept", "application/json");
    let body = get.send().await.unwrap().bytes().await.unwrap();
    assert!(body.starts_with(b"\xef\xbb\xbf{\""));
}

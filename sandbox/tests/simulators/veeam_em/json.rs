//! JSON: its two spellings, its members and their order, and errors to the byte.

use reqwest::Method;
use restore_point_sandbox::veeam_em::{ByteOrderMark, ErrorDetail, Product, RequestBodies};

use super::{Bench, SRV39, TOKEN, header};

async fn json(bench: &Bench, path: &str) -> String {
    let get = bench.request(Method::GET, path).header(TOKEN, bench.log_on().await);
    let reply = get.header("accept", "Application/json").send().await.unwrap();
    assert_eq!(header(&reply, "content-type"), "application/json");
    reply.text().await.unwrap()
}

#[tokio::test]
async fn a_query_names_all_fifty_lists_in_the_vendors_order() {
    let bench = Bench::with(|settings| settings.product = Product::V12);
    let body = json(&bench, "/query?type=CloudVmReplicaPoint&format=Entities&pageSize=2").await;
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
    let references = json(&bench, "/query?type=CloudVmReplicaPoint&pageSize=1").await;
    assert!(references.starts_with(r#"{"Refs":{"Refs":[{"#));
    assert!(references.contains(r#"]},"Entities":null,"Resources":null"#));
}

#[tokio::test]
async fn version_13_writes_the_same_members_in_camel_case() {
    let bench = Bench::new();
    let body = json(&bench, "/query?type=Job&format=Entities").await;
    assert!(body.starts_with(r#"{"refs":null,"entities":{"jobs":{"jobs":[{"#), "{body}");
    assert!(body.contains(r#""scheduleEnabled":true"#), "a real boolean");
    for name in ["\"nasJobs\":null", "\"vCloudOrganizationConfigs\":null", "\"uid\":\"urn:"] {
        assert!(body.contains(name), "{name}");
    }
    assert!(body.contains(r#""pagingInfo":{"links":["#));
}

#[tokio::test]
async fn absent_strings_are_null_and_empty_lists_empty() {
    let bench = Bench::new();
    let path = format!("/cloud/vmReplicaPoints/{SRV39}?format=Entity");
    assert!(json(&bench, &path).await.contains(r#""vmName":null"#));
    let points = json(&bench, "/vmRestorePoints?format=Entity").await;
    assert!(points.contains(r#""sqlInfo":null"#) && points.contains(r#""hierarchyObjRef":"urn:"#));
    assert!(points.contains(r#""name":null"#), "an action's link has no name");
    assert_eq!(json(&bench, "/tasks").await, r#"{"tasks":[]}"#);
    let empty = json(&bench, "/query?type=Job&filter=Name==none").await;
    assert!(empty.starts_with(r#"{"refs":{"refs":[]},"#));
}

#[tokio::test]
async fn a_task_has_real_booleans_and_no_result_while_it_runs() {
    let bench = Bench::new();
    let token = bench.log_on().await;
    let server = bench.get("/backupServers").await.1;
    let server = super::between(&server, "urn:veeam:BackupServer:", "\"").to_owned();
    let collect = format!("/backupServers/{server}?action=collect");
    let post = bench.request(Method::POST, &collect).header(TOKEN, &token);
    let accepted = post.header("accept", "application/json").send().await.unwrap();
    let task: serde_json::Value = serde_json::from_str(&accepted.text().await.unwrap()).unwrap();
    assert!(task["result"].is_null() && task["state"] == "Running");
    bench.clock.advance(jiff::SignedDuration::from_secs(15));
    let get = bench.request(Method::GET, "/tasks/task-1").header(TOKEN, &token);
    let reply = get.header("accept", "application/json").send().await.unwrap();
    let task: serde_json::Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    assert_eq!(task["result"]["success"], true);
    assert_eq!(task["taskId"], "task-1");
}

#[tokio::test]
async fn the_recorded_error_is_the_same_to_the_byte() {
    let bench = Bench::with(|settings| {
        settings.product = Product::V12;
        settings.request_bodies = RequestBodies::ByAccept;
        settings.error_detail = ErrorDetail::Bare;
    });
    let post = bench.client.post(bench.em.url() + "/sessionMngr/?v=latest");
    let post = post.basic_auth(bench.em.username(), Some(bench.em.password()));
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
async fn a_byte_order_mark_is_in_front_of_json_where_a_server_has_the_habit() {
    let bench = Bench::with(|settings| settings.byte_order_mark = ByteOrderMark::Present);
    let get = bench.request(Method::GET, "/").header("accept", "application/json");
    let body = get.send().await.unwrap().bytes().await.unwrap();
    assert!(body.starts_with(b"\xef\xbb\xbf{\""));
}

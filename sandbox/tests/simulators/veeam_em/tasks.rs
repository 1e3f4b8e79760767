//! Actions and their tasks, and requests that the API does not support.

use jiff::SignedDuration;
use reqwest::{Method, Response};
use restore_point_sandbox::veeam_em::{ErrorDetail, Role};

use super::fixture::{CRM, Fixture, SRV39, TOKEN, between, names};

const RESTORE: &str = r#"<RestoreSpec xmlns="http://www.veeam.com/ent/v1.0"><VmRestoreSpec><PowerOnAfterRestore>true</PowerOnAfterRestore></VmRestoreSpec></RestoreSpec>"#;

impl Fixture {
    async fn call(&self, token: &str, method: Method, path: &str, body: &str) -> Response {
        let request = self.client.request(method, self.em.url() + path).header(TOKEN, token);
        let request = request.header("content-type", "application/xml");
        request.header("content-length", body.len()).body(body.to_owned()).send().await.unwrap()
    }

    /// Starts an action that must be accepted, and returns the name of the task.
    async fn start(&self, token: &str, path: &str, body: &str) -> String {
        let reply = self.call(token, Method::POST, path, body).await;
        assert_eq!(reply.status(), 202, "{path}");
        let body = reply.text().await.unwrap();
        assert!(body.contains("<State>Running</State>") && !body.contains("<Result"), "{body}");
        between(&body, "<TaskId>", "</TaskId>").to_owned()
    }

    async fn task(&self, token: &str, name: &str) -> String {
        let (status, body) = self.get_as(token, &format!("/tasks/{name}")).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// The id of the first entity in a collection.
    async fn first(&self, collection: &str, kind: &str) -> String {
        let (_, body) = self.get(collection).await;
        between(&body, &format!("urn:veeam:{kind}:"), "\"").to_owned()
    }
}

#[tokio::test]
async fn a_restore_finishes_at_the_server_before_the_database_has_it() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let point = fixture.first("/vmRestorePoints", "VmRestorePoint").await;
    let name = fixture.start(&token, &format!("/vmRestorePoints/{point}?action=restore"), "").await;
    assert_eq!(name, "task-1");
    let task = fixture.task(&token, &name).await;
    assert!(task.contains(r#"<Task xmlns="http://www.veeam.com/ent/v1.0""#));
    assert!(!task.contains("UID=") && !task.contains("Name="), "{task}");
    assert!(task.contains("<Operation>StartVMRestore</Operation>"));
    assert!(task.contains(r#"Rel="Delete"/>"#) && !task.contains("Related"));
    fixture.clock.advance(SignedDuration::from_secs(10));
    let task = fixture.task(&token, &name).await;
    assert!(task.contains("<State>OperationFinished</State>"));
    assert!(
        task.contains(r#"<Result Success="true"><Message>OperationFinished</Message></Result>"#)
    );
    assert!(names(&fixture.get("/restoreSessions").await.1).is_empty(), "not in the database yet");
    fixture.clock.advance(SignedDuration::from_secs(5));
    let task = fixture.task(&token, &name).await;
    assert!(task.contains("<State>Finished</State>") && task.contains(r#"Success="true""#));
    let related = task.split("<Link ").find(|link| link.contains("Rel=\"Related\"")).unwrap();
    assert!(related.contains(r#"Type="RestoreSession""#));
    let href = between(related, "Href=\"https://localhost:9398/api", "\"").to_owned();
    assert!(href.ends_with("?format=Entity"));
    let (_, session) = fixture.get(&href).await;
    assert!(session.contains("<State>Working</State><Result>None</Result>"), "{session}");
    fixture.clock.advance(SignedDuration::from_mins(14));
    assert_eq!(fixture.get_as(&token, "/tasks").await.0, 200);
    fixture.clock.advance(SignedDuration::from_mins(14));
    let (_, session) = fixture.get(&href).await;
    assert!(session.contains("<State>Stopped</State><Result>Success</Result>"), "{session}");
}

#[tokio::test]
async fn a_task_of_another_session_is_a_500() {
    let fixture = Fixture::with(|settings| settings.error_detail = ErrorDetail::Bare);
    let (token, other) = (fixture.log_on().await, fixture.log_on().await);
    let point = fixture.first("/vmReplicaPoints", "VmReplicaPoint").await;
    let path = format!("/vmReplicaPoints/{point}?action=failover");
    let name = fixture.start(&token, &path, "").await;
    let (status, body) = fixture.get_as(&other, &format!("/tasks/{name}")).await;
    assert_eq!(status, 500);
    let message = format!("There is no backup task with id [{name}] in current rest session");
    assert!(body.contains(&format!(r#"Message="{message}" StatusCode="500""#)), "{body}");
    assert_eq!(fixture.get_as(&other, "/tasks").await.1.matches("<Task ").count(), 0);
    assert_eq!(fixture.get_as(&token, "/tasks").await.1.matches("<Task ").count(), 1);
    let path = format!("/tasks/{name}");
    assert_eq!(fixture.call(&other, Method::DELETE, &path, "").await.status(), 500);
    assert_eq!(fixture.call(&token, Method::DELETE, &path, "").await.status(), 204);
    assert_eq!(fixture.get_as(&token, &path).await.0, 500, "the task was deleted");
    assert_eq!(fixture.call(&token, Method::PUT, "/tasks", "").await.status(), 405);
}

#[tokio::test]
async fn tasks_can_be_queried_as_resources() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let server = fixture.first("/backupServers", "BackupServer").await;
    let collect = format!("/backupServers/{server}?action=collect");
    for _ in 0..2 {
        fixture.start(&token, &collect, "").await;
        fixture.clock.advance(SignedDuration::from_secs(15));
    }
    fixture.start(&token, &collect, "").await;
    for (filter, count) in [
        ("State==Finished", 2),
        ("State<OperationFinished", 1),
        ("TaskId==task-2", 1),
        ("Operation!=CollectingBackupServer", 0),
    ] {
        let path = format!("/query?type=task&sortDesc=TaskId&filter={filter}");
        let (status, body) = fixture.get_as(&token, &path).await;
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("<Resources><Tasks"), "{body}");
        assert_eq!(body.matches("<Task ").count(), count, "{filter}");
    }
    assert_eq!(fixture.get_as(&token, "/query?type=Task&filter=Name==x").await.0, 400);
    let (_, others) = fixture.get("/query?type=Task").await;
    assert!(others.contains("<Resources><Tasks/></Resources><PagingInfo"));
}

#[tokio::test]
async fn a_removed_point_fails_the_task_and_not_the_request() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let point = fixture.first("/vmRestorePoints", "VmRestorePoint").await;
    assert!(fixture.em.backup_server().remove_point(&point));
    let path = format!("/vmRestorePoints/{point}");
    let name = fixture.start(&token, &format!("{path}?action=restore"), RESTORE).await;
    let mounting = fixture.start(&token, &format!("{path}/mounts"), "").await;
    fixture.clock.advance(SignedDuration::from_secs(10));
    for name in [name, mounting] {
        let task = fixture.task(&token, &name).await;
        assert!(
            task.contains(r#"<Result Success="false"><Message>"#) && task.contains("not found")
        );
        assert!(task.contains("<State>Finished</State>") && !task.contains("Related"));
    }
}

#[tokio::test]
async fn mounts_are_numbered_by_point_and_belong_to_the_session() {
    let fixture = Fixture::new();
    let (token, other) = (fixture.log_on().await, fixture.log_on().await);
    for (collection, kind) in
        [("vmRestorePoints", "VmRestorePoint"), ("agents/agentRestorePoints", "AgentRestorePoint")]
    {
        let point = fixture.first(&format!("/{collection}"), kind).await;
        let mounts = format!("/{collection}/{point}/mounts");
        let (_, none) = fixture.get_as(&token, &mounts).await;
        assert!(none.contains(&format!("<{kind}Mounts ")) && none.ends_with("/>"), "{none}");
        let first = fixture.start(&token, &mounts, "").await;
        fixture.start(&token, &mounts, "").await;
        assert_eq!(
            fixture.get_as(&token, &format!("{mounts}/1")).await.0,
            404,
            "the task has not ended"
        );
        fixture.clock.advance(SignedDuration::from_secs(15));
        let task = fixture.task(&token, &first).await;
        assert!(task.contains("<Operation>MountRestorePoint</Operation>"));
        let mount = format!("https://localhost:9398/api{mounts}/1");
        assert!(
            task.contains(&format!(r#"<Link Href="{mount}" Type="{kind}Mount" Rel="Related"/>"#))
        );
        let (_, both) = fixture.get_as(&token, &mounts).await;
        assert_eq!(both.matches(&format!("<{kind}Mount ")).count(), 2);
        let one = format!("{mounts}/1");
        assert_eq!(fixture.get_as(&other, &one).await.0, 404);
        assert_eq!(fixture.get_as(&token, &one).await.0, 200);
        assert_eq!(fixture.call(&token, Method::DELETE, &one, "").await.status(), 204);
        assert_eq!(fixture.get_as(&token, &one).await.0, 404);
        assert_eq!(fixture.get_as(&token, &format!("{mounts}/2")).await.0, 200);
    }
    assert_eq!(fixture.get(&format!("/cloud/vmReplicaPoints/{SRV39}/mounts")).await.0, 404);
}

#[tokio::test]
async fn a_quick_backup_adds_a_point_of_a_machine_in_a_job() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let server = fixture.first("/backupServers", "BackupServer").await;
    let path = format!("/backupServers/{server}?action=quickbackup");
    let (_, points) = fixture.get("/vmRestorePoints?format=Entity").await;
    let machine = between(&points, "<HierarchyObjRef>", "<").to_owned();
    let spec = |machine: &str| {
        format!("<QuickBackupStartupSpec><VmRef>{machine}</VmRef></QuickBackupStartupSpec>")
    };
    let name = fixture.start(&token, &path, &spec(&machine)).await;
    let unknown = fixture.start(&token, &path, &spec("urn:VMware:Vm:1.vm-1")).await;
    let query = format!("/query?type=VmRestorePoint&filter=HierarchyObjRef==%22{machine}%22");
    assert_eq!(names(&fixture.get(&query).await.1).len(), 3);
    fixture.clock.advance(SignedDuration::from_secs(15));
    assert!(fixture.task(&token, &name).await.contains(r#"Type="BackupJobSession""#));
    assert!(fixture.task(&token, &unknown).await.contains(r#"Success="false""#));
    assert_eq!(names(&fixture.get(&query).await.1).len(), 4);
    assert_eq!(names(&fixture.get("/backupSessions").await.1), ["Nightly"]);
    assert_eq!(fixture.call(&token, Method::POST, &path, "").await.status(), 400);
    assert_eq!(fixture.call(&token, Method::POST, &path, "<broken").await.status(), 400);
}

#[tokio::test]
async fn roles_limit_what_can_be_started() {
    let fixture = Fixture::new();
    let server = fixture.first("/backupServers", "BackupServer").await;
    let point = fixture.first("/vmRestorePoints", "VmRestorePoint").await;
    let replica = fixture.first("/vmReplicaPoints", "VmReplicaPoint").await;
    let collect = format!("/backupServers/{server}?action=collect");
    let restore = format!("/vmRestorePoints/{point}?action=restore");
    let failover = format!("/vmReplicaPoints/{replica}?action=failover");
    let mount = format!("/vmRestorePoints/{point}/mounts");
    for (role, allowed) in [
        (Role::PortalAdministrator, [true, true, true, true]),
        (Role::PortalUser, [false, false, true, true]),
        (Role::RestoreOperator, [false, false, false, true]),
    ] {
        let token = fixture.token_of(role).await;
        for (path, allowed) in [&collect, &failover, &restore, &mount].into_iter().zip(allowed) {
            let status = fixture.call(&token, Method::POST, path, "").await.status();
            assert_eq!(status, if allowed { 202 } else { 403 }, "{role:?} {path}");
        }
    }
}

#[tokio::test]
async fn missing_operations_are_405_and_unsimulated_ones_501() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    let point = fixture.first("/vmRestorePoints", "VmRestorePoint").await;
    let backup = fixture.first("/backups", "Backup").await;
    let run = fixture.first("/restorePoints", "RestorePoint").await;
    for (method, path) in [
        (Method::POST, "/cloud/vmReplicaPoints".to_owned()),
        (Method::POST, format!("/cloud/vmReplicaPoints/{SRV39}?action=failover")),
        (Method::POST, format!("/cloud/replicas/{CRM}?action=copy")),
        (Method::POST, "/restorePoints".to_owned()),
        (Method::POST, "/vmRestorePoints".to_owned()),
        (Method::POST, "/backups".to_owned()),
        (Method::POST, "/replicas".to_owned()),
        (Method::POST, "/jobs".to_owned()),
        (Method::POST, format!("/vmRestorePoints/{point}?action=copy")),
        (Method::POST, format!("/restorePoints/{run}?action=restore")),
        (Method::DELETE, format!("/vmRestorePoints/{point}")),
        (Method::DELETE, format!("/backups/{backup}")),
        (Method::PUT, format!("/backups/{backup}")),
        (Method::POST, "/query?type=Backup".to_owned()),
        (Method::POST, "/failoverPlans".to_owned()),
    ] {
        let reply = fixture.call(&token, method, &path, "").await;
        assert_eq!(reply.status(), 405, "{path}");
        assert!(reply.headers().contains_key("allow"));
    }
    let job = fixture.first("/jobs", "Job").await;
    let server = fixture.first("/backupServers", "BackupServer").await;
    for path in [
        format!("/jobs/{job}?action=start"),
        format!("/backupServers/{server}?action=veeamzip"),
        "/backupServers?action=create".to_owned(),
    ] {
        assert_eq!(fixture.call(&token, Method::POST, &path, "").await.status(), 501, "{path}");
    }
    for method in [Method::PUT, Method::DELETE] {
        let path = format!("/jobs/{job}");
        assert_eq!(fixture.call(&token, method, &path, "").await.status(), 501, "{path}");
    }
    let unknown_point = "/vmRestorePoints/00000000-0000-0000-0000-000000000000?action=restore";
    assert_eq!(fixture.call(&token, Method::POST, unknown_point, "").await.status(), 404);
    let restore = format!("/vmRestorePoints/{point}?action=restore");
    for body in ["<Other/>", "{}", "<RestoreSpec>"] {
        let reply = fixture.call(&token, Method::POST, &restore, body).await;
        assert_eq!(reply.status(), 400, "{body}");
    }
}

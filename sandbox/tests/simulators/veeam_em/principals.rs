//! What each principal may read: roles, restore scopes, tenants, and installations without Cloud Connect.
//!
//! The actions that each may start are tested in `tasks`.

use reqwest::{Method, Response};
use restore_point_sandbox::veeam_em::{Installation, RequestBodies, Role, Tenant};

use super::fixture::{ABC, CRM, Fixture, SRV39, TOKEN, between, header, names};

impl Fixture {
    /// A token of the account with a role.
    pub(crate) async fn token_of(&self, role: Role) -> String {
        let account = self.em.account(role);
        let username = account.username(Installation::CloudConnect);
        let reply = self.log_on_as(username, account.password, "?v=latest").await;
        assert_eq!(reply.status(), 201, "{username}");
        header(&reply, TOKEN)
    }

    /// A logon with a body.
    async fn log_on_with(&self, body: String, kind: &str, accept: &str) -> Response {
        let request = self
            .client
            .post(self.em.url() + "/sessionMngr/?v=latest")
            .basic_auth(self.em.username(), Some(self.em.password()))
            .header("content-type", kind)
            .header("accept", accept);
        request.body(body).send().await.unwrap()
    }

    pub(crate) async fn tenant_token(&self, tenant: &Tenant) -> String {
        let reply = self.log_on_with(xml_of(tenant), "application/xml", "application/xml").await;
        assert_eq!(reply.status(), 201);
        header(&reply, TOKEN)
    }

    pub(crate) async fn get_as(&self, token: &str, path: &str) -> (u16, String) {
        let reply = self.request(Method::GET, path).header(TOKEN, token).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }
}

fn xml_of(tenant: &Tenant) -> String {
    let escaped = quick_xml::escape::escape;
    let (username, password) = (escaped(tenant.username), escaped(tenant.password));
    let credentials = match tenant.organization {
        None => format!(
            "<TenantCredentials><Username>{username}</Username><Password>{password}</Password></TenantCredentials>"
        ),
        Some(organization) => format!(
            "<VCloudOrganizationCredentials><OrganizationName>{organization}</OrganizationName><Login>{username}</Login><Password>{password}</Password></VCloudOrganizationCredentials>"
        ),
    };
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><LoginSpec xmlns="http://www.veeam.com/ent/v1.0">{credentials}</LoginSpec>"#
    )
}

#[tokio::test]
async fn a_tenant_sees_only_its_own_cloud_replicas() {
    let fixture = Fixture::with(|settings| settings.points = 200);
    let [standalone, organization] = fixture.em.tenants();
    let mut seen = 0;
    for (tenant, own, other) in [(standalone, CRM, ABC), (organization, ABC, CRM)] {
        let token = fixture.tenant_token(tenant).await;
        let (_, replicas) = fixture.get_as(&token, "/cloud/replicas").await;
        assert!(replicas.contains(own) && !replicas.contains(other));
        let (_, points) = fixture.get_as(&token, "/cloud/vmReplicaPoints").await;
        assert!(points.contains(own) && !points.contains(other));
        let query = "/query?type=CloudVmReplicaPoint&pageSize=1000";
        let (_, queried) = fixture.get_as(&token, query).await;
        assert_eq!(names(&queried), names(&points));
        seen += names(&points).len();
        let other = format!("/cloud/replicas/{other}");
        assert_eq!(fixture.get_as(&token, &other).await.0, 404);
        assert_eq!(fixture.get_as(&token, &format!("{other}/vmReplicaPoints")).await.0, 404);
        let (status, plans) = fixture.get_as(&token, "/cloud/cloudFailoverPlans").await;
        assert!(status == 200 && plans.contains("<EntityReferences"));
        for forbidden in [
            "/vmRestorePoints",
            "/backupServers",
            "/cloud/tenants",
            "/jobs",
            "/failoverPlans",
            "/querySvc",
            "/query?type=VmRestorePoint",
        ] {
            let (status, body) = fixture.get_as(&token, forbidden).await;
            assert_eq!(status, 403, "{forbidden}");
            assert!(body.contains(r#"Message="Access denied.""#), "{body}");
        }
    }
    assert_eq!(seen, 206, "every point belongs to a tenant");
}

#[tokio::test]
async fn a_tenants_session_has_three_links_and_cloud_connect_three_collections() {
    let fixture = Fixture::new();
    let [standalone, _] = fixture.em.tenants();
    let reply =
        fixture.log_on_with(xml_of(standalone), "text/xml; charset=utf-8", "application/xml").await;
    let token = header(&reply, TOKEN);
    let body = reply.text().await.unwrap();
    assert_eq!(body.matches("<Link ").count(), 3);
    assert!(
        body.contains(r"<UserName>SRV12\Administrator</UserName>"),
        "the name of the user, not of the tenant"
    );
    assert!(body.contains(r#"Type="EnterpriseManager" Rel="Up""#));
    assert!(body.contains(r#"Type="CloudConnectService" Rel="Down""#));
    assert!(
        body.contains(r#"Type="LogonSession" Rel="Delete""#),
        "with a type, unlike the session of a user"
    );
    let (_, cloud) = fixture.get_as(&token, "/cloud").await;
    assert_eq!(cloud.matches("<Link ").count(), 7);
    for path in ["cloudFailoverPlans", "vmReplicaPoints", "replicas"] {
        assert!(cloud.contains(&format!("/api/cloud/{path}\"")), "{path}");
        assert!(cloud.contains(&format!("/api/cloud/{path}?format=Entity\"")), "{path}");
    }
    let (_, sessions) = fixture.get_as(&token, "/logonSessions").await;
    assert_eq!(sessions.matches("<LogonSession ").count(), 1);
    fixture.log_on().await;
    let (_, sessions) = fixture.get_as(&token, "/logonSessions").await;
    assert_eq!(sessions.matches("<LogonSession ").count(), 1, "only the own session");
}

#[tokio::test]
async fn a_tenant_logs_on_with_xml_or_json_and_needs_both_passwords() {
    let fixture = Fixture::new();
    let [standalone, organization] = fixture.em.tenants();
    let json = serde_json::json!({
        "TenantCredentials": {"Username": standalone.username, "Password": standalone.password}
    });
    let reply = fixture.log_on_with(json.to_string(), "application/json", "application/json").await;
    assert_eq!(reply.status(), 201);
    let body: serde_json::Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
    assert_eq!(body["links"].as_array().unwrap().len(), 3);

    let (mut wrong, mut no_organization) = (standalone.clone(), organization.clone());
    wrong.password = "wrong";
    no_organization.organization = None;
    for tenant in [wrong, no_organization] {
        let reply = fixture.log_on_with(xml_of(&tenant), "application/xml", "*/*").await;
        assert_eq!(reply.status(), 401);
    }
    let request = fixture.client.post(fixture.em.url() + "/sessionMngr/?v=latest");
    let alone = request.body(xml_of(standalone)).send().await.unwrap();
    assert_eq!(alone.status(), 401, "the credentials of a user are required too");
    for malformed in ["<LoginSpec>", "nonsense", "<a></b>"] {
        let reply = fixture.log_on_with(malformed.to_owned(), "application/xml", "*/*").await;
        assert_eq!(reply.status(), 400, "{malformed}");
    }
    let no_tenant = "<LoginSpec/>".to_owned();
    assert_eq!(fixture.log_on_with(no_tenant, "application/xml", "*/*").await.status(), 201);
}

#[tokio::test]
async fn an_old_server_parses_bodies_as_json_if_json_is_accepted() {
    let fixture = Fixture::with(|settings| settings.request_bodies = RequestBodies::ByAccept);
    let [standalone, _] = fixture.em.tenants();
    let body = xml_of(standalone);
    let misread =
        fixture.log_on_with(body.clone(), "application/xml", "application/xml, application/json");
    let misread = misread.await;
    assert_eq!(misread.status(), 400);
    assert!(misread.text().await.unwrap().contains("Node [root] does not exist."));
    for accept in ["application/xml", "*/*", "text/html"] {
        let reply = fixture.log_on_with(body.clone(), "application/xml", accept).await;
        assert_eq!(reply.status(), 201, "{accept}");
    }
    let current = Fixture::new();
    let reply = current.log_on_with(body, "application/xml", "application/json").await;
    assert_eq!(reply.status(), 201);
}

#[tokio::test]
async fn a_restore_scope_limits_the_points_and_jobs_are_for_administrators() {
    let fixture = Fixture::new();
    let administrator = fixture.token_of(Role::PortalAdministrator).await;
    let user = fixture.token_of(Role::PortalUser).await;
    let operator = fixture.token_of(Role::RestoreOperator).await;
    for (token, cloud, own, jobs) in
        [(&administrator, 6, 3, 200), (&user, 2, 3, 403), (&operator, 0, 3, 403)]
    {
        let (_, points) = fixture.get_as(token, "/cloud/vmReplicaPoints").await;
        assert_eq!(names(&points).len(), cloud);
        let (_, points) = fixture.get_as(token, "/query?type=CloudVmReplicaPoint").await;
        assert_eq!(names(&points).len(), cloud);
        let (_, points) = fixture.get_as(token, "/vmRestorePoints").await;
        assert_eq!(names(&points).len(), own);
        let (status, body) = fixture.get_as(token, "/jobs").await;
        assert_eq!(status, jobs);
        assert_eq!(body.contains("Access denied"), jobs == 403);
        assert_eq!(fixture.get_as(token, "/query?type=job").await.0, jobs);
    }
    let path = format!("/cloud/vmReplicaPoints/{SRV39}");
    assert_eq!(fixture.get_as(&user, &path).await.0, 200);
    assert_eq!(fixture.get_as(&operator, &path).await.0, 404, "outside of the restore scope");
}

#[tokio::test]
async fn the_form_of_user_names_depends_on_the_installation() {
    let fixture = Fixture::new();
    let password = fixture.em.password();
    for name in [r"SRV12\Administrator", r"srv12\ADMINISTRATOR", "Administrator"] {
        assert_eq!(fixture.log_on_as(name, password, "?v=v1_5").await.status(), 201, "{name}");
    }
    for name in ["administrator@srv12.local", r"OTHER\Administrator", ""] {
        assert_eq!(fixture.log_on_as(name, password, "?v=latest").await.status(), 401, "{name}");
    }
    let linux = Fixture::with(|settings| settings.installation = Installation::Linux);
    for (name, status) in [
        ("administrator@srv12.local", 201),
        ("Administrator@SRV12.local", 201),
        (r"SRV12\Administrator", 401),
        ("Administrator", 401),
    ] {
        let reply = linux.log_on_as(name, password, "?v=latest").await;
        assert_eq!(reply.status(), status, "{name}");
    }
}

#[tokio::test]
async fn without_cloud_connect_the_cloud_resources_are_missing() {
    for installation in [Installation::Windows, Installation::Linux] {
        let fixture = Fixture::with(|settings| settings.installation = installation);
        let reply =
            fixture.log_on_as(fixture.em.username(), fixture.em.password(), "?v=latest").await;
        let body = reply.text().await.unwrap();
        assert!(!body.contains("/cloud"), "{body}");
        let (status, _) = fixture.get("/cloud").await;
        assert_eq!(status, 404);
        assert_eq!(fixture.get("/cloud/vmReplicaPoints").await.0, 404);
        assert_eq!(fixture.get("/cloud/cloudFailoverPlans").await.0, 404);
        assert_eq!(fixture.query(&[]).await.0, 400);
        assert_eq!(names(&fixture.get("/vmRestorePoints").await.1).len(), 3);
        let [standalone, _] = fixture.em.tenants();
        let tenant = fixture.log_on_with(xml_of(standalone), "application/xml", "*/*").await;
        assert_eq!(tenant.status(), 401);
        let version = between(&fixture.get("/").await.1, "Name=\"", "\"").to_owned();
        assert_eq!(version, "v1_5");
    }
}

//! The logon session: one for all calls, renewed unseen, and what the server has by its links.

use futures::future::join_all;
use http::Method;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::backend::veeam_em::{Settings, Tenant, VeeamEm};
use restore_point_gateway::model::{Error, Segment, View};
use restore_point_sandbox::fault::{Canned, Matching};
use restore_point_sandbox::veeam_em::{CloudQuery, Fault, Installation, Role};

use super::{
    POINT, REPLICA, adapter, logons, name, server, settings, walk, walk_collections, within,
};

const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn fifty_callers_are_one_logon_and_one_renewal() {
    let server = server(|_| {});
    let veeam = adapter(&server);
    let get = || async { veeam.get(&name("-", POINT), View::Full).await.unwrap() };
    join_all((0..50).map(|_| get())).await;
    assert_eq!(logons(&server), 1);

    server.expire_sessions();
    join_all((0..50).map(|_| get())).await;
    assert_eq!(logons(&server), 2);
    assert_eq!(server.sessions(), 1);

    veeam.close().await;
    assert_eq!(server.sessions(), 0);
    assert_eq!(server.count(&Method::DELETE, "/logonSessions/"), 1);
    veeam.close().await;
    get().await;
    assert_eq!(logons(&server), 3);
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_of_a_list() {
    for cloud_query in [CloudQuery::Answered, CloudQuery::Refused] {
        let server = server(|settings| {
            settings.points = 40;
            settings.cloud_query = cloud_query;
        });
        let veeam = adapter(&server);
        let first = veeam.list(&Segment::Any, View::Basic, None, 20).await.unwrap();
        server.expire_sessions();
        let rest = veeam.list(&Segment::Any, View::Basic, first.next.as_ref(), 20).await.unwrap();
        assert_eq!((first.items.len(), rest.items.len()), (20, 20));
        assert_eq!(logons(&server), 2);
    }
}

#[tokio::test]
async fn a_refused_credential_is_one_attempt_a_wave() {
    let server = server(|_| {});
    let mut wrong = settings(&server);
    wrong.password = "Hunter2".to_owned().into();
    let veeam = VeeamEm::new(wrong).unwrap();
    let probes = join_all((0..50).map(|_| veeam.probe())).await;
    for probe in probes {
        let error = probe.unwrap_err();
        assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("SENSITIVE"));
    }
    assert_eq!(logons(&server), 1);
    assert!(!format!("{veeam:?}").contains("Hunter2"));
    // Nor is it tried again soon: 1 minute later, then 2, so that no account is locked.
    for (minutes, expected) in [(0, 1), (1, 2), (1, 2), (1, 3)] {
        let later = std::time::Duration::from_secs(minutes * 60 + 1);
        tokio::time::pause();
        tokio::time::advance(later).await;
        tokio::time::resume();
        let error = veeam.probe().await.unwrap_err();
        assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
        assert_eq!(logons(&server), expected);
    }

    // A session that is refused although it is new is not renewed for ever.
    let veeam = adapter(&server);
    veeam.probe().await.unwrap();
    let before = logons(&server);
    server.inject(Matching::new(Method::GET, "/logonSessions"), 2, Fault::status(401, "<html>"));
    let error = veeam.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert_eq!(logons(&server), before + 1);
    assert!(!format!("{veeam:?}").contains(server.password()));
}

#[tokio::test]
async fn a_tenant_logs_on_with_a_body_and_has_the_own_replicas_only() {
    let server = server(|settings| settings.points = 100);
    let [tenant, _] = server.tenants();
    let mut settings = settings(&server);
    let (username, password) = (tenant.username.to_owned(), tenant.password.to_owned());
    settings.tenant = Some(Tenant { username, password: password.into() });
    let veeam = VeeamEm::new(settings).unwrap();
    veeam.probe().await.unwrap();
    let all = walk(&veeam, &Segment::Any, 1000).await.unwrap();
    assert!(!all.is_empty() && all.len() < 106, "{}", all.len());
    assert_eq!(within(&all, "cloud-replica~").len(), all.len());
    for collection in walk_collections(&veeam, 10).await.unwrap() {
        assert!(collection.name.collection.starts_with("cloud-replica~"));
    }
    let error = veeam.get(&name("-", ABSENT), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    // What is not the tenant's to see is forbidden, and no other tenant's is there.
    let error =
        veeam.get(&name(&format!("backup~{ABSENT}"), ABSENT), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");

    let mut wrong = super::settings(&server);
    let password = "p&<".to_owned().into();
    wrong.tenant = Some(Tenant { username: "ten\"ant".to_owned(), password });
    let error = VeeamEm::new(wrong).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn without_cloud_connect_the_rest_is_whole() {
    for installation in [Installation::Windows, Installation::Linux] {
        let server = server(|settings| {
            settings.installation = installation;
            settings.points = 100;
        });
        let veeam = adapter(&server);
        veeam.probe().await.unwrap();
        let all = walk(&veeam, &Segment::Any, 1000).await.unwrap();
        assert_eq!(within(&all, "backup~").len(), 28);
        assert_eq!(within(&all, "replica~").len(), 28);
        assert_eq!(all.len(), 56);
        for collection in walk_collections(&veeam, 10).await.unwrap() {
            assert!(!collection.name.collection.starts_with("cloud-replica~"));
        }
        let id = &all[0].name.restore_point;
        assert_eq!(veeam.get(&name("-", id), View::Full).await.unwrap(), all[0]);
        let error = veeam.get(&name("-", POINT), View::Full).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        assert_eq!(server.count(&Method::GET, "/cloud"), 0, "nobody has asked for it");

        // Asked for by name it is absent.
        let replica = Segment::Id(format!("cloud-replica~{REPLICA}"));
        let error = walk(&veeam, &replica, 10).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_of_a_narrow_scope_has_a_whole_list_of_it() {
    let server = server(|settings| settings.points = 100);
    for role in [Role::PortalUser, Role::RestoreOperator] {
        let account = server.account(role);
        let settings = Settings {
            username: account.username(Installation::CloudConnect).to_owned(),
            password: account.password.to_owned().into(),
            ..settings(&server)
        };
        let all = walk(&VeeamEm::new(settings).unwrap(), &Segment::Any, 10).await.unwrap();
        assert_eq!(within(&all, "backup~").len(), 3, "those of audi99");
        assert_eq!(within(&all, "replica~").len(), 3);
    }
}

/// The answer to a logon that leads to these places.
fn logon(places: &[&str]) -> Fault {
    let links: String = places
        .iter()
        .map(|place| format!("<Link Rel=\"Down\" Href=\"https://em:9398/api/{place}\"/>"))
        .collect();
    let body = format!(
        "<LogonSession Type=\"LogonSession\"><Links>{links}</Links><UserName>x</UserName>\
         <SessionId>44cfbdbe-5a95-4156-8867-91f069b7c2cc</SessionId></LogonSession>"
    );
    let headers = vec![("X-RestSvcSessionId".to_owned(), "any".to_owned())];
    Fault::canned(Canned { status: 201, headers, body: body.into() })
}

#[tokio::test]
async fn a_logon_that_leads_nowhere_is_no_empty_list() {
    let server = server(|_| {});
    // Only what is right below `/api/` counts.
    for places in [&[][..], &["jobs", "reports/summary", "agents/restorePoints", "x/cloud"]] {
        server.inject(Matching::new(Method::POST, "/sessionMngr"), 1, logon(places));
        let veeam = adapter(&server);
        for error in [
            walk(&veeam, &Segment::Any, 10).await.unwrap_err(),
            veeam.get(&name("-", POINT), View::Full).await.unwrap_err(),
            walk_collections(&veeam, 10).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidResponse { .. }), "{error:?}");
        }
    }
    assert_eq!(logons(&server), 2);
}

//! The logon session: calls share one, it is renewed when it ends, and its links show which kinds the server serves.

use futures::future::join_all;
use http::Method;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::backend::veeam_em::{Settings, Tenant, VeeamEm};
use restore_point_gateway::model::{Error, Segment, View};
use restore_point_sandbox::fault::{Canned, Matching};
use restore_point_sandbox::veeam_em::{CloudQuery, Fault, Installation, Role};

use super::fixture::{
    POINT, REPLICA, backend, in_collections, list_all, list_all_collections, logon_count, name,
    server, settings,
};

const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn concurrent_calls_share_one_logon_and_one_renewal() {
    let server = server(|_| {});
    let veeam = backend(&server);
    let get = || async { veeam.get(&name("-", POINT), View::Full).await.unwrap() };
    join_all((0..50).map(|_| get())).await;
    assert_eq!(logon_count(&server), 1);

    server.expire_sessions();
    join_all((0..50).map(|_| get())).await;
    assert_eq!(logon_count(&server), 2);
    assert_eq!(server.sessions(), 1);

    veeam.close().await;
    assert_eq!(server.sessions(), 0);
    assert_eq!(server.count(&Method::DELETE, "/logonSessions/"), 1);
    veeam.close().await;
    get().await;
    assert_eq!(logon_count(&server), 3);
}

#[tokio::test]
async fn a_session_that_ends_between_two_pages_is_renewed() {
    for cloud_query in [CloudQuery::Answered, CloudQuery::Refused] {
        let server = server(|settings| {
            settings.points = 40;
            settings.cloud_query = cloud_query;
        });
        let veeam = backend(&server);
        let first = veeam.list(&Segment::Any, View::Basic, None, 20).await.unwrap();
        server.expire_sessions();
        let rest = veeam.list(&Segment::Any, View::Basic, first.next.as_ref(), 20).await.unwrap();
        assert_eq!((first.items.len(), rest.items.len()), (20, 20));
        assert_eq!(logon_count(&server), 2);
    }
}

#[tokio::test]
async fn concurrent_calls_with_a_refused_credential_make_one_logon_attempt() {
    let server = server(|_| {});
    let mut wrong = super::fixture::settings(&server);
    wrong.password = "Hunter2".to_owned().into();
    let veeam = VeeamEm::new(wrong).unwrap();
    let probes = join_all((0..50).map(|_| veeam.probe())).await;
    for probe in probes {
        let error = probe.unwrap_err();
        assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("SENSITIVE"));
    }
    assert_eq!(logon_count(&server), 1);
    assert!(!format!("{veeam:?}").contains("Hunter2"));
    // The next attempts are made after 1 minute and after 2 more, so that no account is locked.
    for (minutes, expected) in [(0, 1), (1, 2), (1, 2), (1, 3)] {
        let later = std::time::Duration::from_secs(minutes * 60 + 1);
        restore_point_test_support::wait::advance(later).await;
        let error = veeam.probe().await.unwrap_err();
        assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
        assert_eq!(logon_count(&server), expected);
    }

    // A session that is refused although it is new is not renewed again.
    let veeam = backend(&server);
    veeam.probe().await.unwrap();
    let before = logon_count(&server);
    server.inject(Matching::new(Method::GET, "/logonSessions"), 2, Fault::status(401, "<html>"));
    let error = veeam.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert_eq!(logon_count(&server), before + 1);
    assert!(!format!("{veeam:?}").contains(server.password()));
}

#[tokio::test]
async fn calls_that_give_up_cancel_no_logon_and_make_no_other() {
    let server = server(|_| {});
    let mut settings = settings(&server);
    settings.password = "Hunter2".to_owned().into();
    let veeam = VeeamEm::new(settings).unwrap();
    let slow = Fault::latency(std::time::Duration::from_millis(300));
    server.inject(Matching::new(Method::POST, "/sessionMngr"), 1, slow);
    let logging_on = async {
        while logon_count(&server) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = logging_on => {}
        probe = veeam.probe() => drop(probe.unwrap_err()),
    }
    let error = veeam.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert_eq!(logon_count(&server), 1);
}

#[tokio::test]
async fn a_tenant_sees_only_its_own_replicas() {
    let server = server(|settings| settings.points = 100);
    let [tenant, _] = server.tenants();
    let mut settings = settings(&server);
    let (username, password) = (tenant.username.to_owned(), tenant.password.to_owned());
    settings.tenant = Some(Tenant { username, password: password.into() });
    let veeam = VeeamEm::new(settings).unwrap();
    veeam.probe().await.unwrap();
    let all = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    assert!(!all.is_empty() && all.len() < 106, "{}", all.len());
    assert_eq!(in_collections(&all, "cloud-replica~").len(), all.len());
    for collection in list_all_collections(&veeam, 10).await.unwrap() {
        assert!(collection.name.collection.starts_with("cloud-replica~"));
    }
    let error = veeam.get(&name("-", ABSENT), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    // Kinds that a tenant may not read are forbidden.
    let error =
        veeam.get(&name(&format!("backup~{ABSENT}"), ABSENT), View::Full).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");

    let mut wrong = super::fixture::settings(&server);
    let password = "p&<".to_owned().into();
    wrong.tenant = Some(Tenant { username: "ten\"ant".to_owned(), password });
    let error = VeeamEm::new(wrong).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn without_cloud_connect_the_other_kinds_are_listed_completely() {
    for installation in [Installation::Windows, Installation::Linux] {
        let server = server(|settings| {
            settings.installation = installation;
            settings.points = 100;
        });
        let veeam = backend(&server);
        veeam.probe().await.unwrap();
        let all = list_all(&veeam, &Segment::Any, 1000).await.unwrap();
        assert_eq!(in_collections(&all, "backup~").len(), 28);
        assert_eq!(in_collections(&all, "replica~").len(), 28);
        assert_eq!(all.len(), 56);
        for collection in list_all_collections(&veeam, 10).await.unwrap() {
            assert!(!collection.name.collection.starts_with("cloud-replica~"));
        }
        let id = &all[0].name.restore_point;
        assert_eq!(veeam.get(&name("-", id), View::Full).await.unwrap(), all[0]);
        let error = veeam.get(&name("-", POINT), View::Full).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        assert_eq!(
            server.count(&Method::GET, "/cloud"),
            0,
            "no request is sent for a kind that the server does not serve"
        );

        // Addressed by its name, a collection of that kind is not found.
        let replica = Segment::Id(format!("cloud-replica~{REPLICA}"));
        let error = list_all(&veeam, &replica, 10).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_with_a_restricted_scope_gets_a_complete_list_of_it() {
    let server = server(|settings| settings.points = 100);
    for role in [Role::PortalUser, Role::RestoreOperator] {
        let account = server.account(role);
        let settings = Settings {
            username: account.username(Installation::CloudConnect).to_owned(),
            password: account.password.to_owned().into(),
            ..settings(&server)
        };
        let all = list_all(&VeeamEm::new(settings).unwrap(), &Segment::Any, 10).await.unwrap();
        assert_eq!(in_collections(&all, "backup~").len(), 3, "the backups of audi99");
        assert_eq!(in_collections(&all, "replica~").len(), 3);
    }
}

/// The response to a logon, with links to these paths.
fn logon(paths: &[&str]) -> Fault {
    let links: String = paths
        .iter()
        .map(|path| format!("<Link Rel=\"Down\" Href=\"https://em:9398/api/{path}\"/>"))
        .collect();
    let body = format!(
        "<LogonSession Type=\"LogonSession\"><Links>{links}</Links><UserName>x</UserName>\
         <SessionId>44cfbdbe-5a95-4156-8867-91f069b7c2cc</SessionId></LogonSession>"
    );
    let headers = vec![("X-RestSvcSessionId".to_owned(), "any".to_owned())];
    Fault::canned(Canned { status: 201, headers, body: body.into() })
}

#[tokio::test]
async fn a_session_without_known_links_is_an_error_and_no_empty_list() {
    let server = server(|_| {});
    // Only the first segment below `/api/` counts.
    for paths in [&[][..], &["jobs", "reports/summary", "agents/restorePoints", "x/cloud"]] {
        server.inject(Matching::new(Method::POST, "/sessionMngr"), 1, logon(paths));
        let veeam = backend(&server);
        for error in [
            list_all(&veeam, &Segment::Any, 10).await.unwrap_err(),
            veeam.get(&name("-", POINT), View::Full).await.unwrap_err(),
            list_all_collections(&veeam, 10).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidResponse { .. }), "{error:?}");
        }
    }
    assert_eq!(logon_count(&server), 2);
}

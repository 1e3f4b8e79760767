//! The logon session: one for all calls, renewed unseen, and what the server has by its links.

use futures::future::join_all;
use http::Method;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::backend::veeam::{Tenant, Veeam};
use restore_point_gateway::model::{Error, Segment, View};
use restore_point_gateway::sandbox::veeam::{CloudQuery, EnterpriseManager, Reply};

use crate::{POINT, adapter, logons, name, server, settings, walk, walk_collections};

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
    let veeam = Veeam::new(wrong).unwrap();
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
    server.answer_next(2, Method::GET, "/logonSessions", Reply::status(401, "<html>"));
    let error = veeam.probe().await.unwrap_err();
    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
    assert_eq!(logons(&server), before + 1);
    assert!(!format!("{veeam:?}").contains(server.password()));
}

#[tokio::test]
async fn a_tenant_logs_on_with_a_body() {
    let server = server(|_| {});
    let mut settings = settings(&server);
    let password = "p&<".to_owned().into();
    settings.tenant = Some(Tenant { username: "ten\"ant".to_owned(), password });
    Veeam::new(settings).unwrap().probe().await.unwrap();
}

/// The answer to a logon that leads to these places.
fn logon(places: &[&str]) -> Reply {
    let links: String = places
        .iter()
        .map(|place| format!("<Link Rel=\"Down\" Href=\"https://em:9398/api/{place}\"/>"))
        .collect();
    let body = format!(
        "<LogonSession Type=\"LogonSession\"><Links>{links}</Links><UserName>x</UserName>\
         <SessionId>44cfbdbe-5a95-4156-8867-91f069b7c2cc</SessionId></LogonSession>"
    );
    let headers = vec![("X-RestSvcSessionId".to_owned(), "any".to_owned())];
    Reply::Verbatim { status: 201, headers, body: body.into_bytes() }
}

/// A server that has nothing of one kind, and refuses whatever else is asked.
fn empty_of(kind: &str) -> EnterpriseManager {
    let server = server(|_| {});
    let nothing = Reply::status(200, "<QueryResult xmlns=\"http://www.veeam.com/ent/v1.0\"/>");
    server.answer_next(100, Method::GET, &format!("type={kind}&"), nothing);
    server
}

#[tokio::test]
async fn a_kind_is_there_if_the_logon_leads_to_it() {
    // Without Cloud Connect, as on Linux: what is there is listed, and Cloud Connect is never asked for.
    let own = ["backups", "vmRestorePoints?format=Entity", "replicas", "vmReplicaPoints", "nas"];
    let server = empty_of("VmReplicaPoint");
    let nothing = Reply::status(200, "<QueryResult/>");
    for kind in ["VmRestorePoint", "Replica", "Backup"] {
        server.answer_next(100, Method::GET, &format!("type={kind}&"), nothing.clone());
    }
    server.answer_next(1, Method::POST, "/sessionMngr", logon(&own));
    let veeam = adapter(&server);
    assert!(walk(&veeam, &Segment::Any, 10).await.unwrap().is_empty());
    assert!(walk_collections(&veeam, 10).await.unwrap().is_empty());
    assert_eq!(logons(&server), 1);
    assert_eq!(server.count(&Method::GET, "/cloud"), 0);
    assert_eq!(server.count(&Method::GET, "/query"), 4);

    // A tenant has Cloud Connect and nothing else.
    let server = empty_of("CloudVmReplicaPoint");
    server.answer_next(1, Method::POST, "/sessionMngr", logon(&["", "cloud"]));
    assert!(walk(&adapter(&server), &Segment::Any, 10).await.unwrap().is_empty());
    assert_eq!(server.count(&Method::GET, "/query"), 1);

    // Nothing at all is no empty list.
    for places in [&[][..], &["jobs", "reports/summary"]] {
        server.answer_next(1, Method::POST, "/sessionMngr", logon(places));
        let veeam = adapter(&server);
        let error = walk(&veeam, &Segment::Any, 10).await.unwrap_err();
        assert!(matches!(error, Error::ResponseInvalid { .. }), "{error:?}");
        let error = veeam.get(&name("-", POINT), View::Full).await.unwrap_err();
        assert!(matches!(error, Error::ResponseInvalid { .. }), "{error:?}");
        let error = walk_collections(&veeam, 10).await.unwrap_err();
        assert!(matches!(error, Error::ResponseInvalid { .. }), "{error:?}");
    }
}

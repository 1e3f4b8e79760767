//! Backups, whose restore points link to a job run and only the run to the backup: how many requests that takes, what
//! happens between two pages, and restore points that are still being written.

use std::time::Duration;

use http::Method;
use jiff::SignedDuration;
use restore_point_gateway::backend::Backend;
use restore_point_gateway::backend::veeam_em::VeeamEm;
use restore_point_gateway::model::{Error, RestorePoint, Segment, State, View};
use restore_point_sandbox::Clock;
use restore_point_sandbox::veeam_em::{
    EnterpriseManager, Fault, Matching, Settings, UnfinishedLink,
};

use super::fixture::{
    QUERY, backend, collection_id, error_response, in_collections, list_all, name, properties,
    server, uids,
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// A part of the queries for job runs by their ids.
const RUNS_BY_UID: &str = "filter=UID";

/// A server whose backup `Nightly` has `runs` more job runs, and that backup.
async fn with_runs(runs: usize) -> (EnterpriseManager, VeeamEm, Segment) {
    let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
    let server = EnterpriseManager::start(Settings::new(clock.clone())).unwrap();
    let veeam = backend(&server);
    let backup = collection_id(&veeam, "backup~", "Nightly").await;
    for _ in 0..runs {
        add_run(&server, &backup);
        clock.advance(SignedDuration::from_mins(1));
    }
    (server, veeam, Segment::Id(backup))
}

/// Adds a job run with one finished restore point, and returns its id.
fn add_run(server: &EnterpriseManager, backup: &str) -> String {
    let guid = backup.strip_prefix("backup~").unwrap();
    let point = server.collecting_backup_server().begin_write(guid, "audi99", HOUR).unwrap();
    assert!(server.collecting_backup_server().finish_write(&point));
    point
}

fn id(backup: &Segment) -> &str {
    let Segment::Id(id) = backup else { panic!("a wildcard") };
    id
}

fn guid(point: &RestorePoint) -> &str {
    &point.name.restore_point
}

#[tokio::test]
async fn a_backup_of_many_runs_is_listed_completely_at_any_page_size() {
    let (server, veeam, backup) = with_runs(67).await;
    let whole = list_all(&veeam, &backup, 1000).await.unwrap();
    assert_eq!((whole.len(), uids(&whole).len()), (70, 70));
    assert!(whole.is_sorted_by(|a, b| a.point_time >= b.point_time), "the newest runs come first");
    for size in [1, 7, 32, 33] {
        assert_eq!(list_all(&veeam, &backup, size).await.unwrap(), whole, "page size {size}");
    }
    // Another replica of the gateway continues at any cursor.
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = backend(&server).list(&backup, View::Basic, cursor.as_ref(), 20).await.unwrap();
        listed.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, whole);
    // Three batches of runs, of which the second and third take a contiguity check, and the restore points of each.
    let before = server.count(&Method::GET, QUERY);
    list_all(&veeam, &backup, 1000).await.unwrap();
    assert_eq!(server.count(&Method::GET, QUERY) - before, 3 + 2 + 3);
    assert_eq!(server.count(&Method::GET, "/restorePoints"), 0, "no run is read by itself");
}

#[tokio::test]
async fn job_runs_are_read_in_batches_and_cached() {
    let (server, _, _) = with_runs(67).await;
    let veeam = backend(&server);
    let queries = |before: usize| server.count(&Method::GET, QUERY) - before;
    let mut before = server.count(&Method::GET, QUERY);
    for run_queries in [3, 0] {
        // Seventy runs take three queries at first, and none from the cache.
        assert_eq!(
            in_collections(&list_all(&veeam, &Segment::Any, 1000).await.unwrap(), "backup~").len(),
            70
        );
        assert_eq!(queries(before), 3 + run_queries);
        before = server.count(&Method::GET, QUERY);
    }
    // The cache expires, since a backup may have been renamed.
    restore_point_test_support::wait::advance(Duration::from_secs(16 * 60)).await;
    list_all(&veeam, &Segment::Any, 1000).await.unwrap();
    assert_eq!(queries(before), 3 + 3);
}

#[tokio::test]
async fn job_runs_created_between_pages_displace_no_restore_point() {
    let (server, veeam, backup) = with_runs(40).await;
    let before = list_all(&veeam, &backup, 1000).await.unwrap();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&backup, View::Basic, cursor.as_ref(), 9).await.unwrap();
        listed.extend(page.items);
        add_run(&server, id(&backup));
        match page.next {
            Some(next) if listed.len() < 500 => cursor = Some(next),
            Some(_) => panic!("the list does not end"),
            None => break,
        }
    }
    assert_eq!(listed.len(), uids(&listed).len());
    assert!(uids(&listed).is_superset(&uids(&before)));
}

#[tokio::test]
async fn restore_points_deleted_between_pages_displace_no_others() {
    let (server, veeam, backup) = with_runs(40).await;
    let before = list_all(&veeam, &backup, 1000).await.unwrap();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&backup, View::Basic, cursor.as_ref(), 9).await.unwrap();
        for point in &page.items {
            assert!(server.collecting_backup_server().remove_point(guid(point)));
        }
        listed.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(listed.len(), uids(&listed).len());
    assert_eq!(uids(&listed), uids(&before));
}

#[tokio::test]
async fn a_restore_point_without_its_run_is_deleted_or_an_error() {
    let empty = "<QueryResult xmlns=\"http://www.veeam.com/ent/v1.0\"><Entities><RestorePoints/>\
                   </Entities></QueryResult>";
    let no_runs = |server: &EnterpriseManager| {
        server.inject(Matching::new(Method::GET, RUNS_BY_UID), 1, Fault::status(200, empty));
    };
    let (server, _, _) = with_runs(0).await;
    no_runs(&server);
    let error = list_all(&backend(&server), &Segment::Any, 1000).await.unwrap_err();
    assert!(matches!(error, Error::InvalidResponse { .. }), "{error:?}");

    // The restore points have been deleted with their run since the page was read.
    let (server, _, _) = with_runs(0).await;
    no_runs(&server);
    server.inject(Matching::new(Method::GET, "/vmRestorePoints/"), 3, error_response(404, "gone"));
    let left = list_all(&backend(&server), &Segment::Any, 1000).await.unwrap();
    assert_eq!(in_collections(&left, "backup~").len(), 0);
    assert_eq!(in_collections(&left, "replica~").len(), 3);
}

#[tokio::test]
async fn a_result_that_does_not_match_the_filter_is_an_error() {
    let (server, veeam, backup) = with_runs(0).await;
    let run = |backup: &str| {
        format!(
            "<QueryResult><Entities><RestorePoints><RestorePoint Type=\"RestorePoint\" \
             Name=\"Jun  5 2025  1:01AM\" UID=\"urn:veeam:RestorePoint:{0}\"><Links>{backup}</Links>\
             <BackupDateUTC>2025-06-05T01:01:25Z</BackupDateUTC></RestorePoint></RestorePoints>\
             </Entities><PagingInfo PageNum=\"1\" PageSize=\"32\" PagesCount=\"1\"/></QueryResult>",
            "574c07de-50eb-4117-88ec-5cd3403142dd"
        )
    };
    let other = "<Link Rel=\"Up\" Type=\"BackupReference\" Name=\"Other\" \
                 Href=\"https://em/api/backups/8393c284-c953-403f-a9b9-cff63e0c6815\"/>";
    for runs in [run(other), run("")] {
        server.inject(Matching::new(Method::GET, "BackupUid"), 1, Fault::status(200, &runs));
        let error = list_all(&veeam, &backup, 1000).await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{error:?}");
    }
    assert_eq!(list_all(&veeam, &backup, 1000).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_restore_point_that_is_being_written_is_not_usable() {
    for link in [UnfinishedLink::BackupFile, UnfinishedLink::RestorePoint] {
        let server = server(|settings| settings.unfinished_link = link);
        let veeam = backend(&server);
        let backup = collection_id(&veeam, "backup~", "Nightly").await;
        let guid = backup.strip_prefix("backup~").unwrap();
        let point = server.collecting_backup_server().begin_write(guid, "audi99", HOUR).unwrap();
        let name = name(&backup, &point);
        let listed = list_all(&veeam, &Segment::Id(backup), 1000).await.unwrap();
        let listed = listed.into_iter().find(|listed| listed.name.restore_point == point).unwrap();
        let found = veeam.get(&name, View::Full).await.unwrap();
        assert_eq!(found, listed);
        assert_eq!(found.state, State::Creating);
        assert!(!found.state.is_usable() && !found.state.is_terminal());
        assert!(found.state_reason.contains("`Related`"), "{}", found.state_reason);
        assert_eq!(properties(&found).backup, "Nightly");

        assert!(server.collecting_backup_server().finish_write(&point));
        assert_eq!(veeam.get(&name, View::Full).await.unwrap().state, State::Ready);
    }
}

#[tokio::test]
async fn a_raw_body_contains_no_data_of_the_guest() {
    let (server, veeam, backup) = with_runs(0).await;
    let point = &list_all(&veeam, &backup, 1).await.unwrap()[0];
    let plain = veeam.get(&name("-", guid(point)), View::Raw).await.unwrap().raw.unwrap().body;
    let (before, after) = plain.split_at(plain.rfind("</VmRestorePoint>").unwrap());
    let guest = "<SqlInfo Instance=\"SENSITIVE\"><Databases><Database>SENSITIVE</Database><SqlInfo/>\
                 </Databases></SqlInfo><x:GuestInfo xmlns:x=\"y\" User=\"SENSITIVE\"/>";
    let body = format!("{before}{guest}<Later>kept</Later>{after}");
    server.inject(Matching::new(Method::GET, guid(point)), 2, Fault::status(200, &body));
    let raw_view = veeam.get(&name(id(&backup), guid(point)), View::Raw).await.unwrap();
    let raw = raw_view.raw.clone().unwrap();
    assert_eq!(raw.body, format!("{before}<Later>kept</Later>{after}"));
    let full = veeam.get(&name(id(&backup), guid(point)), View::Full).await.unwrap();
    assert!(!format!("{raw_view:?}{full:?}").contains("SENSITIVE"));
}

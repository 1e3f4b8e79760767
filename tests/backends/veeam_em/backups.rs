//! Backups, which are two steps from their points: what is asked how often, what happens in between, and
//! points that are still being written.

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

use super::{LIST, adapter, collection, error_body, name, properties, server, uids, walk, within};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Names the queries for runs by their own ids.
const LOOK_UP: &str = "filter=UID";

/// A server whose backup `Nightly` has so many runs more, and that backup.
async fn with_runs(runs: usize) -> (EnterpriseManager, VeeamEm, Segment) {
    let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
    let server = EnterpriseManager::start(Settings::new(clock.clone())).unwrap();
    let veeam = adapter(&server);
    let backup = collection(&veeam, "backup~", "Nightly").await;
    for _ in 0..runs {
        add_run(&server, &backup);
        clock.advance(SignedDuration::from_mins(1));
    }
    (server, veeam, Segment::Id(backup))
}

/// A run with one finished point, whose id this is.
fn add_run(server: &EnterpriseManager, backup: &str) -> String {
    let guid = backup.strip_prefix("backup~").unwrap();
    let point = server.collecting_backup_server().begin_write(guid, "audi99", HOUR).unwrap();
    assert!(server.collecting_backup_server().finish_write(&point));
    point
}

fn id(backup: &Segment) -> &str {
    let Segment::Id(id) = backup else { panic!("the wildcard") };
    id
}

fn guid(point: &RestorePoint) -> &str {
    &point.name.restore_point
}

#[tokio::test]
async fn a_backup_of_many_runs_is_whole_at_any_page_size() {
    let (server, veeam, backup) = with_runs(67).await;
    let whole = walk(&veeam, &backup, 1000).await.unwrap();
    assert_eq!((whole.len(), uids(&whole).len()), (70, 70));
    assert!(whole.is_sorted_by(|a, b| a.point_time >= b.point_time), "the newest runs first");
    for size in [1, 7, 32, 33] {
        assert_eq!(walk(&veeam, &backup, size).await.unwrap(), whole, "at {size} a page");
    }
    // Wherever it stands, it goes on at a replica that knows nothing of it.
    let (mut told, mut cursor) = (Vec::new(), None);
    loop {
        let page = adapter(&server).list(&backup, View::Basic, cursor.as_ref(), 20).await.unwrap();
        told.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(told, whole);
    // Three batches of runs, each asked for once with a look back at each turn, and their points.
    let before = server.count(&Method::GET, LIST);
    walk(&veeam, &backup, 1000).await.unwrap();
    assert_eq!(server.count(&Method::GET, LIST) - before, 3 + 2 + 3);
    assert_eq!(server.count(&Method::GET, "/restorePoints"), 0, "no run is asked for alone");
}

#[tokio::test]
async fn a_run_is_looked_up_once_in_a_while_and_never_alone() {
    let (server, _, _) = with_runs(67).await;
    let veeam = adapter(&server);
    let asked = |before: usize| server.count(&Method::GET, LIST) - before;
    let mut before = server.count(&Method::GET, LIST);
    for looks in [3, 0] {
        // Seventy runs: three queries, or none.
        assert_eq!(within(&walk(&veeam, &Segment::Any, 1000).await.unwrap(), "backup~").len(), 70);
        assert_eq!(asked(before), 3 + looks);
        before = server.count(&Method::GET, LIST);
    }
    // Names may have changed after as long as the vendor itself may be behind.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(16 * 60)).await;
    tokio::time::resume();
    walk(&veeam, &Segment::Any, 1000).await.unwrap();
    assert_eq!(asked(before), 3 + 3);
}

#[tokio::test]
async fn runs_that_come_between_pages_push_nothing_out() {
    let (server, veeam, backup) = with_runs(40).await;
    let before = walk(&veeam, &backup, 1000).await.unwrap();
    let (mut told, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&backup, View::Basic, cursor.as_ref(), 9).await.unwrap();
        told.extend(page.items);
        add_run(&server, id(&backup));
        match page.next {
            Some(next) if told.len() < 500 => cursor = Some(next),
            Some(_) => panic!("a walk without an end"),
            None => break,
        }
    }
    assert_eq!(told.len(), uids(&told).len());
    assert!(uids(&told).is_superset(&uids(&before)));
}

#[tokio::test]
async fn points_deleted_between_pages_take_no_others_with_them() {
    let (server, veeam, backup) = with_runs(40).await;
    let before = walk(&veeam, &backup, 1000).await.unwrap();
    let (mut told, mut cursor) = (Vec::new(), None);
    loop {
        let page = veeam.list(&backup, View::Basic, cursor.as_ref(), 9).await.unwrap();
        for point in &page.items {
            assert!(server.collecting_backup_server().remove_point(guid(point)));
        }
        told.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(told.len(), uids(&told).len());
    assert_eq!(uids(&told), uids(&before));
}

#[tokio::test]
async fn a_point_whose_run_is_not_told_is_gone_itself_or_an_error() {
    let (server, _, _) = with_runs(0).await;
    let nothing = "<QueryResult xmlns=\"http://www.veeam.com/ent/v1.0\"><Entities><RestorePoints/>\
                   </Entities></QueryResult>";
    let no_runs =
        || server.inject(Matching::new(Method::GET, LOOK_UP), 1, Fault::status(200, nothing));
    no_runs();
    let error = walk(&adapter(&server), &Segment::Any, 1000).await.unwrap_err();
    assert!(matches!(error, Error::InvalidResponse { .. }), "{error:?}");

    // Deleted after the page was read, with its run.
    no_runs();
    server.inject(Matching::new(Method::GET, "/vmRestorePoints/"), 3, error_body(404, "gone"));
    let left = walk(&adapter(&server), &Segment::Any, 1000).await.unwrap();
    assert_eq!(within(&left, "backup~").len(), 0);
    assert_eq!(within(&left, "replica~").len(), 3);
}

#[tokio::test]
async fn a_server_that_does_not_obey_a_filter_is_not_believed() {
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
        let error = walk(&veeam, &backup, 1000).await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }), "{error:?}");
    }
    assert_eq!(walk(&veeam, &backup, 1000).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_point_that_is_being_written_is_not_usable_yet() {
    for link in [UnfinishedLink::BackupFile, UnfinishedLink::RestorePoint] {
        let server = server(|settings| settings.unfinished_link = link);
        let veeam = adapter(&server);
        let backup = collection(&veeam, "backup~", "Nightly").await;
        let guid = backup.strip_prefix("backup~").unwrap();
        let point = server.collecting_backup_server().begin_write(guid, "audi99", HOUR).unwrap();
        let name = name(&backup, &point);
        let listed = walk(&veeam, &Segment::Id(backup), 1000).await.unwrap();
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
async fn a_raw_body_tells_nothing_of_the_guest() {
    let (server, veeam, backup) = with_runs(0).await;
    let point = &walk(&veeam, &backup, 1).await.unwrap()[0];
    let plain = veeam.get(&name("-", guid(point)), View::Raw).await.unwrap().raw.unwrap().body;
    let (before, behind) = plain.split_at(plain.rfind("</VmRestorePoint>").unwrap());
    let guest = "<SqlInfo Instance=\"SENSITIVE\"><Databases><Database>SENSITIVE</Database><SqlInfo/>\
                 </Databases></SqlInfo><x:GuestInfo xmlns:x=\"y\" User=\"SENSITIVE\"/>";
    let body = format!("{before}{guest}<Later>kept</Later>{behind}");
    server.inject(Matching::new(Method::GET, guid(point)), 2, Fault::status(200, &body));
    let told = veeam.get(&name(id(&backup), guid(point)), View::Raw).await.unwrap();
    let raw = told.raw.clone().unwrap();
    assert_eq!(raw.body, format!("{before}<Later>kept</Later>{behind}"));
    let full = veeam.get(&name(id(&backup), guid(point)), View::Full).await.unwrap();
    assert!(!format!("{told:?}{full:?}").contains("SENSITIVE"));
}

//! Points that are still being written, and when the database hears of them.

use jiff::SignedDuration;
use restore_point_sandbox::veeam_em::{AttributeOrder, UnfinishedLink};

use super::{Bench, between};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The relation of a point to its file and to its run, and the size of the file.
async fn progress(bench: &Bench, point: &str) -> [String; 3] {
    let (status, body) = bench.get(&format!("/vmRestorePoints/{point}?format=Entity")).await;
    assert_eq!(status, 200, "{body}");
    let rel = |kind: &str| {
        let link = body.split("<Link ").find(|link| link.contains(kind)).unwrap().to_owned();
        between(&link, "Rel=\"", "\"").to_owned()
    };
    let (_, file) = body.split_once("/api/backupFiles/").unwrap();
    let path = format!("/backupFiles/{}?format=Entity", file.split('"').next().unwrap());
    let file = bench.get(&path).await.1;
    let size = between(&file, "<BackupSize>", "</BackupSize>").to_owned();
    [rel("\"BackupFileReference\""), rel("\"RestorePointReference\""), size]
}

async fn nightly(bench: &Bench) -> String {
    let (_, backups) = bench.get("/backups").await;
    let (_, nightly) = backups.split_once("Name=\"Nightly\"").unwrap();
    between(nightly, "urn:veeam:Backup:", "\"").to_owned()
}

#[tokio::test]
async fn a_point_being_written_says_so_by_a_link_only_until_the_clock_has_passed() {
    let bench = Bench::with(|settings| settings.attribute_order = AttributeOrder::Documented);
    let backup = nightly(&bench).await;
    let point = bench.em.collected().begin_write(&backup, "audi99", HOUR).unwrap();
    assert_eq!(progress(&bench, &point).await, ["Related", "Up", "0"]);
    let listed = bench.get("/vmRestorePoints").await.1;
    assert!(listed.contains(&point), "it is listed all the while");
    bench.clock.advance(HOUR - SignedDuration::from_secs(1));
    assert_eq!(progress(&bench, &point).await[0], "Related");
    bench.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(progress(&bench, &point).await, ["Up", "Up", "5368709120"]);
    assert!(!bench.em.collected().finish_write(&point), "it is written already");
    assert!(bench.em.collected().begin_write(&point, "audi99", HOUR).is_none(), "not a backup");
}

#[tokio::test]
async fn a_write_can_be_ended_early_and_the_run_may_be_what_is_marked() {
    let bench = Bench::with(|settings| settings.unfinished_link = UnfinishedLink::RestorePoint);
    let backup = nightly(&bench).await;
    let point = bench.em.collected().begin_write(&backup.to_uppercase(), "new", HOUR).unwrap();
    assert_eq!(progress(&bench, &point).await, ["Up", "Related", "0"]);
    assert!(bench.em.collected().finish_write(&point));
    assert_eq!(progress(&bench, &point).await, ["Up", "Up", "5368709120"]);
    bench.clock.advance(HOUR);
    assert_eq!(progress(&bench, &point).await, ["Up", "Up", "5368709120"]);
}

#[tokio::test]
async fn a_write_at_the_server_is_seen_after_collections() {
    let bench = Bench::new();
    let backup = nightly(&bench).await;
    let twenty = SignedDuration::from_mins(20);
    let point = bench.em.backup_server().begin_write(&backup, "audi99", twenty).unwrap();
    let path = format!("/vmRestorePoints/{point}");
    assert_eq!(bench.get(&path).await.0, 404);
    bench.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(progress(&bench, &point).await[0], "Related");
    bench.clock.advance(SignedDuration::from_mins(14));
    assert_eq!(progress(&bench, &point).await[0], "Related", "done at the server, not yet here");
    bench.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(progress(&bench, &point).await[0], "Up");
}

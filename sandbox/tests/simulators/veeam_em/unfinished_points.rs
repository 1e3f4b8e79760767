//! Points that are being written, and when the database shows them.

use jiff::SignedDuration;
use restore_point_sandbox::veeam_em::{AttributeOrder, UnfinishedLink};

use super::fixture::{Fixture, between};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The `Rel` of the links from a point to its file and to its run, and the size of the file.
async fn progress(fixture: &Fixture, point: &str) -> [String; 3] {
    let (status, body) = fixture.get(&format!("/vmRestorePoints/{point}?format=Entity")).await;
    assert_eq!(status, 200, "{body}");
    let rel = |kind: &str| {
        let link = body.split("<Link ").find(|link| link.contains(kind)).unwrap().to_owned();
        between(&link, "Rel=\"", "\"").to_owned()
    };
    let (_, file) = body.split_once("/api/backupFiles/").unwrap();
    let path = format!("/backupFiles/{}?format=Entity", file.split('"').next().unwrap());
    let file = fixture.get(&path).await.1;
    let size = between(&file, "<BackupSize>", "</BackupSize>").to_owned();
    [rel("\"BackupFileReference\""), rel("\"RestorePointReference\""), size]
}

async fn nightly(fixture: &Fixture) -> String {
    let (_, backups) = fixture.get("/backups").await;
    let (_, nightly) = backups.split_once("Name=\"Nightly\"").unwrap();
    between(nightly, "urn:veeam:Backup:", "\"").to_owned()
}

#[tokio::test]
async fn a_link_shows_that_a_point_is_being_written_until_its_end() {
    let fixture = Fixture::with(|settings| settings.attribute_order = AttributeOrder::Documented);
    let backup = nightly(&fixture).await;
    let point = fixture.em.collecting_backup_server().begin_write(&backup, "audi99", HOUR).unwrap();
    assert_eq!(progress(&fixture, &point).await, ["Related", "Up", "0"]);
    let listed = fixture.get("/vmRestorePoints").await.1;
    assert!(listed.contains(&point), "it is listed while it is being written");
    fixture.clock.advance(HOUR - SignedDuration::from_secs(1));
    assert_eq!(progress(&fixture, &point).await[0], "Related");
    fixture.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(progress(&fixture, &point).await, ["Up", "Up", "5368709120"]);
    assert!(!fixture.em.collecting_backup_server().finish_write(&point), "it is complete");
    assert!(
        fixture.em.collecting_backup_server().begin_write(&point, "audi99", HOUR).is_none(),
        "not a backup"
    );
}

#[tokio::test]
async fn a_write_can_be_finished_early_and_the_link_to_the_run_can_be_marked() {
    let fixture = Fixture::with(|settings| settings.unfinished_link = UnfinishedLink::RestorePoint);
    let backup = nightly(&fixture).await;
    let point = fixture
        .em
        .collecting_backup_server()
        .begin_write(&backup.to_uppercase(), "new", HOUR)
        .unwrap();
    assert_eq!(progress(&fixture, &point).await, ["Up", "Related", "0"]);
    assert!(fixture.em.collecting_backup_server().finish_write(&point));
    assert_eq!(progress(&fixture, &point).await, ["Up", "Up", "5368709120"]);
    fixture.clock.advance(HOUR);
    assert_eq!(progress(&fixture, &point).await, ["Up", "Up", "5368709120"]);
}

#[tokio::test]
async fn a_write_at_the_server_is_visible_after_data_collections() {
    let fixture = Fixture::new();
    let backup = nightly(&fixture).await;
    let twenty = SignedDuration::from_mins(20);
    let point = fixture.em.backup_server().begin_write(&backup, "audi99", twenty).unwrap();
    let path = format!("/vmRestorePoints/{point}");
    assert_eq!(fixture.get(&path).await.0, 404);
    fixture.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(progress(&fixture, &point).await[0], "Related");
    fixture.clock.advance(SignedDuration::from_mins(14));
    assert_eq!(
        progress(&fixture, &point).await[0],
        "Related",
        "complete at the server, not yet in the database"
    );
    fixture.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(progress(&fixture, &point).await[0], "Up");
}

//! The data collection from the backup servers, and the delay of changes.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use reqwest::Method;
use restore_point_sandbox::veeam_em::RemovedPoint;

use super::fixture::{CRM, Fixture, SRV39, TOKEN, between, names};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn count(fixture: &Fixture) -> usize {
    names(&fixture.get("/cloud/vmReplicaPoints").await.1).len()
}

#[tokio::test]
async fn changes_are_visible_after_the_next_data_collection() {
    let fixture = Fixture::new();
    let new = fixture.em.backup_server().add_point(CRM, "new").unwrap();
    let state = format!("/cloud/vmReplicaPoints/{SRV39}?format=Entity");
    assert!(fixture.em.backup_server().set_state(SRV39, "Failover"));
    assert_eq!(fixture.get(&format!("/cloud/vmReplicaPoints/{new}")).await.0, 404);
    fixture.clock.advance(QUARTER - SECOND);
    assert_eq!(count(&fixture).await, 6);
    assert!(fixture.get(&state).await.1.contains("<State>Ready</State>"));
    fixture.clock.advance(SECOND);
    assert_eq!(count(&fixture).await, 7);
    assert!(fixture.get(&state).await.1.contains("<State>Failover</State>"));
    assert!(fixture.em.backup_server().remove_point(&new));
    assert!(!fixture.em.backup_server().remove_point(&new), "it was removed at the server");
    fixture.clock.advance(QUARTER - SECOND);
    assert_eq!(
        fixture.get(&format!("/cloud/vmReplicaPoints/{new}")).await.0,
        200,
        "still in the database"
    );
    fixture.clock.advance(SECOND);
    assert_eq!(count(&fixture).await, 6);
}

#[tokio::test]
async fn data_collections_are_periodic_without_any_request() {
    let fixture = Fixture::new();
    // Without any request for 40 minutes, a change in minute 40 is not in the collection of minute 30.
    fixture.clock.advance(SignedDuration::from_mins(40));
    fixture.em.backup_server().add_point(CRM, "late").unwrap();
    assert_eq!(count(&fixture).await, 6);
    fixture.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(count(&fixture).await, 7, "minute 45");
}

#[tokio::test]
async fn a_data_collection_can_be_requested() {
    let fixture = Fixture::new();
    let token = fixture.log_on().await;
    fixture.em.backup_server().add_point(CRM, "new").unwrap();
    let (_, servers) = fixture.get("/backupServers?format=Entity").await;
    let collect = between(&servers, "Href=\"https://localhost:9398/api/backupServers/", "?format");
    assert!(servers.contains(&format!("{collect}?action=collect\" Rel=\"Start\"/>")));
    let path = format!("/backupServers/{collect}?action=collect");
    let reply = fixture.request(Method::POST, &path).header(TOKEN, &token).send().await.unwrap();
    assert_eq!(reply.status(), 202);
    assert!(reply.text().await.unwrap().contains("<Operation>CollectingBackupServer</Operation>"));
    fixture.clock.advance(SignedDuration::from_secs(14));
    assert_eq!(count(&fixture).await, 6);
    fixture.clock.advance(SECOND);
    let (_, tasks) = fixture.get_as(&token, "/tasks").await;
    assert!(tasks.contains("<State>Finished</State>"));
    assert_eq!(count(&fixture).await, 7);
}

#[tokio::test]
async fn an_immediate_change_collects_pending_changes_too() {
    let fixture = Fixture::new();
    fixture.em.backup_server().add_point(CRM, "waiting").unwrap();
    fixture.em.add_point(CRM, "seen").unwrap();
    assert_eq!(count(&fixture).await, 8, "the pending change is collected too");
    let fixture = Fixture::with(|settings| settings.collection_interval = SignedDuration::ZERO);
    fixture.em.backup_server().add_point(CRM, "seen").unwrap();
    assert_eq!(count(&fixture).await, 7, "a database that is always up to date");
}

#[tokio::test]
async fn a_removed_point_is_listed_and_can_be_a_404() {
    let fixture = Fixture::with(|settings| settings.removed_points = RemovedPoint::NotFound);
    assert!(fixture.em.backup_server().remove_point(SRV39));
    assert_eq!(count(&fixture).await, 6);
    for format in ["", "?format=Entity"] {
        let path = format!("/cloud/vmReplicaPoints/{SRV39}{format}");
        assert_eq!(fixture.get(&path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_new_point_shifts_the_following_pages() {
    let fixture = Fixture::new();
    let page = async |number: &str| {
        let sorted = [("sortDesc", "CreationTime"), ("pageSize", "3"), ("page", number)];
        names(&fixture.query(&sorted).await.1)
    };
    let first = page("1").await;
    fixture.em.add_point(CRM, "new").unwrap();
    let second = page("2").await;
    let seen: BTreeSet<_> = first.iter().chain(&second).collect();
    assert_eq!(seen.len(), 5, "one point is on both pages");
    assert_eq!(first[2], second[0]);
}

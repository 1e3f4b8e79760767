//! The delay with which Enterprise Manager hears of its backup servers.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use reqwest::Method;
use restore_point_sandbox::veeam_em::Vanished;

use super::{Bench, CRM, SRV39, TOKEN, between, names};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn count(bench: &Bench) -> usize {
    names(&bench.get("/cloud/vmReplicaPoints").await.1).len()
}

#[tokio::test]
async fn points_come_and_go_with_the_next_collection() {
    let bench = Bench::new();
    let new = bench.em.backup_server().add_point(CRM, "new").unwrap();
    let state = format!("/cloud/vmReplicaPoints/{SRV39}?format=Entity");
    assert!(bench.em.backup_server().set_state(SRV39, "Failover"));
    assert_eq!(bench.get(&format!("/cloud/vmReplicaPoints/{new}")).await.0, 404);
    bench.clock.advance(QUARTER - SECOND);
    assert_eq!(count(&bench).await, 6);
    assert!(bench.get(&state).await.1.contains("<State>Ready</State>"));
    bench.clock.advance(SECOND);
    assert_eq!(count(&bench).await, 7);
    assert!(bench.get(&state).await.1.contains("<State>Failover</State>"));
    assert!(bench.em.backup_server().remove_point(&new));
    assert!(!bench.em.backup_server().remove_point(&new), "at the server it is gone");
    bench.clock.advance(QUARTER - SECOND);
    assert_eq!(bench.get(&format!("/cloud/vmReplicaPoints/{new}")).await.0, 200, "it lingers");
    bench.clock.advance(SECOND);
    assert_eq!(count(&bench).await, 6);
}

#[tokio::test]
async fn collections_keep_to_the_timetable_whenever_somebody_looks() {
    let bench = Bench::new();
    // Nobody looks for 40 minutes; what happens then is not in the collection of minute 30.
    bench.clock.advance(SignedDuration::from_mins(40));
    bench.em.backup_server().add_point(CRM, "late").unwrap();
    assert_eq!(count(&bench).await, 6);
    bench.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(count(&bench).await, 7, "minute 45");
}

#[tokio::test]
async fn a_collection_can_be_asked_for() {
    let bench = Bench::new();
    let token = bench.log_on().await;
    bench.em.backup_server().add_point(CRM, "new").unwrap();
    let (_, servers) = bench.get("/backupServers?format=Entity").await;
    let collect = between(&servers, "Href=\"https://localhost:9398/api/backupServers/", "?format");
    assert!(servers.contains(&format!("{collect}?action=collect\" Rel=\"Start\"/>")));
    let path = format!("/backupServers/{collect}?action=collect");
    let reply = bench.request(Method::POST, &path).header(TOKEN, &token).send().await.unwrap();
    assert_eq!(reply.status(), 202);
    assert!(reply.text().await.unwrap().contains("<Operation>CollectingBackupServer</Operation>"));
    bench.clock.advance(SignedDuration::from_secs(14));
    assert_eq!(count(&bench).await, 6);
    bench.clock.advance(SECOND);
    let (_, tasks) = bench.get_as(&token, "/tasks").await;
    assert!(tasks.contains("<State>Finished</State>"));
    assert_eq!(count(&bench).await, 7);
}

#[tokio::test]
async fn a_change_at_once_is_a_change_with_a_collection() {
    let bench = Bench::new();
    bench.em.backup_server().add_point(CRM, "waiting").unwrap();
    bench.em.add_point(CRM, "seen").unwrap();
    assert_eq!(count(&bench).await, 8, "what was waiting is collected too");
    let bench = Bench::with(|settings| settings.collection_interval = SignedDuration::ZERO);
    bench.em.backup_server().add_point(CRM, "seen").unwrap();
    assert_eq!(count(&bench).await, 7, "a server that always knows");
}

#[tokio::test]
async fn a_point_that_is_gone_is_listed_and_may_be_404() {
    let bench = Bench::with(|settings| settings.vanished = Vanished::NotFound);
    assert!(bench.em.backup_server().remove_point(SRV39));
    assert_eq!(count(&bench).await, 6);
    for format in ["", "?format=Entity"] {
        let path = format!("/cloud/vmReplicaPoints/{SRV39}{format}");
        assert_eq!(bench.get(&path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn pages_are_of_the_present_so_that_a_new_point_shifts_them() {
    let bench = Bench::new();
    let page = async |number: &str| {
        let sorted = [("sortDesc", "CreationTime"), ("pageSize", "3"), ("page", number)];
        names(&bench.query(&sorted).await.1)
    };
    let first = page("1").await;
    bench.em.add_point(CRM, "new").unwrap();
    let second = page("2").await;
    let seen: BTreeSet<_> = first.iter().chain(&second).collect();
    assert_eq!(seen.len(), 5, "one point comes twice");
    assert_eq!(first[2], second[0]);
}

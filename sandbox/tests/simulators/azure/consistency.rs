//! The consistency of points, and the quotas of creations.

use serde_json::{Value, json};

use super::fixture::{Fixture, HOUR};

fn crash() -> Value {
    json!({"properties": {"consistencyMode": "CrashConsistent"}})
}

#[tokio::test]
async fn the_guest_decides_how_consistent_a_point_is() {
    let fixture = Fixture::new();
    let seeded = fixture.azure.seeded();
    for (number, (vm, body, mode)) in [
        (&seeded.vm, json!({}), "FileSystemConsistent"),
        (&seeded.windows_vm, json!({}), "ApplicationConsistent"),
        (&seeded.stopped_vm, json!({}), "CrashConsistent"),
        (&seeded.windows_vm, crash(), "CrashConsistent"),
    ]
    .into_iter()
    .enumerate()
    {
        let collection = fixture.new_collection(&format!("rpc-{number}"), vm).await;
        let id = format!("{collection}/restorePoints/one");
        let is_requested = body != json!({});
        let started = fixture.put(&id, body).await;
        assert_eq!(started.status, 201, "{}", started.text);
        let is_present = started.json()["properties"].get("consistencyMode").is_some();
        assert_eq!(is_present, is_requested, "present during the creation only if requested");
        let charged = started.header("x-ms-ratelimit-remaining-resource").unwrap();
        let quota =
            if is_requested { "CreateCrashConsistent" } else { "CreateApplicationConsistent" };
        assert!(charged.ends_with(&format!("{quota}RestorePoint;2")), "{charged}");
        fixture.advance_seconds(40);
        assert_eq!(fixture.get(&id).await.json()["properties"]["consistencyMode"], mode);
    }
}

#[tokio::test]
async fn without_the_quirk_the_creation_of_a_stopped_machine_fails() {
    let fixture = Fixture::with(|settings| settings.quirks.silent_downgrade = false);
    let collection = fixture.new_collection("rpc-off", &fixture.azure.seeded().stopped_vm).await;
    let started = fixture.put(&format!("{collection}/restorePoints/one"), json!({})).await;
    fixture.advance_seconds(40);
    let failed = fixture.poll(&started).await.json();
    assert_eq!(failed["error"]["code"], "VMAgentStatusCommunicationError");
    let started = fixture.put(&format!("{collection}/restorePoints/two"), crash()).await;
    fixture.advance_seconds(40);
    assert_eq!(fixture.poll(&started).await.json()["status"], "Succeeded");
}

#[tokio::test]
async fn each_quota_allows_three_creations_an_hour_and_machine() {
    let fixture = Fixture::new();
    let vm = &fixture.azure.seeded().vm;
    let other = fixture.new_collection("rpc-other", vm).await;
    let collections = [&fixture.azure.seeded().collection, &other, &other];
    for (kind, body) in [("app", json!({})), ("crash", crash())] {
        for (number, collection) in collections.iter().enumerate() {
            let id = format!("{collection}/restorePoints/{kind}{number}");
            let created = fixture.put(&id, body.clone()).await;
            assert_eq!(created.status, 201, "{}", created.text);
            fixture.advance_seconds(40);
        }
        let throttled = fixture.put(&format!("{other}/restorePoints/{kind}3"), body.clone()).await;
        assert_eq!(throttled.status, 429);
        throttled.assert_from_provider();
        assert_eq!(throttled.json()["code"], "OperationNotAllowed");
        assert_eq!(throttled.header("retry-after"), Some("3481"), "120 s of the hour are over");
        let remaining = throttled.header("x-ms-ratelimit-remaining-resource").unwrap();
        assert!(remaining.ends_with("ConsistentRestorePoint;0"), "{remaining}");
    }
    let windows = fixture.new_collection("rpc-web", &fixture.azure.seeded().windows_vm).await;
    let other_machine = fixture.put(&format!("{windows}/restorePoints/own"), json!({})).await;
    assert_eq!(other_machine.status, 201, "another machine has its own quota");
    fixture.clock.advance(HOUR);
    let again = fixture.put(&format!("{other}/restorePoints/app3"), json!({})).await;
    assert_eq!(again.status, 201, "{}", again.text);
    let same = fixture.put(&format!("{other}/restorePoints/app3"), json!({})).await;
    assert_eq!(same.status, 200, "an existing point is not charged");
}

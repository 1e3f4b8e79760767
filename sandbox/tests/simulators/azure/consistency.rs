//! How consistent points turn out, and the quotas that are charged for what was asked.

use serde_json::{Value, json};

use super::fixture::{Bench, HOUR};

fn crash() -> Value {
    json!({"properties": {"consistencyMode": "CrashConsistent"}})
}

#[tokio::test]
async fn a_point_is_as_consistent_as_its_machine_lets_it_be() {
    let bench = Bench::new();
    let seeded = bench.azure.seeded();
    for (number, (vm, body, mode)) in [
        (&seeded.vm, json!({}), "FileSystemConsistent"),
        (&seeded.windows_vm, json!({}), "ApplicationConsistent"),
        (&seeded.off_vm, json!({}), "CrashConsistent"),
        (&seeded.windows_vm, crash(), "CrashConsistent"),
    ]
    .into_iter()
    .enumerate()
    {
        let home = bench.home(&format!("rpc-{number}"), vm).await;
        let id = format!("{home}/restorePoints/one");
        let asked = body != json!({});
        let started = bench.put(&id, body).await;
        assert_eq!(started.status, 201, "{}", started.text);
        let told = started.json()["properties"].get("consistencyMode").is_some();
        assert_eq!(told, asked, "known from the start only if asked for");
        let charged = started.header("x-ms-ratelimit-remaining-resource").unwrap();
        let quota = if asked { "CreateCrashConsistent" } else { "CreateApplicationConsistent" };
        assert!(charged.ends_with(&format!("{quota}RestorePoint;2")), "{charged}");
        bench.wait(40);
        assert_eq!(bench.get(&id).await.json()["properties"]["consistencyMode"], mode);
    }
}

#[tokio::test]
async fn without_the_quirk_a_machine_that_is_off_fails_instead() {
    let bench = Bench::with(|settings| settings.quirks.silent_downgrade = false);
    let home = bench.home("rpc-off", &bench.azure.seeded().off_vm).await;
    let started = bench.put(&format!("{home}/restorePoints/one"), json!({})).await;
    bench.wait(40);
    let failed = bench.poll(&started).await.json();
    assert_eq!(failed["error"]["code"], "VMAgentStatusCommunicationError");
    let started = bench.put(&format!("{home}/restorePoints/two"), crash()).await;
    bench.wait(40);
    assert_eq!(bench.poll(&started).await.json()["status"], "Succeeded");
}

#[tokio::test]
async fn three_of_each_kind_an_hour_and_machine() {
    let bench = Bench::new();
    let vm = &bench.azure.seeded().vm;
    let other = bench.home("rpc-other", vm).await;
    let homes = [&bench.azure.seeded().collection, &other, &other];
    for (kind, body) in [("app", json!({})), ("crash", crash())] {
        for (number, home) in homes.iter().enumerate() {
            let id = format!("{home}/restorePoints/{kind}{number}");
            let made = bench.put(&id, body.clone()).await;
            assert_eq!(made.status, 201, "{}", made.text);
            bench.wait(40);
        }
        let throttled = bench.put(&format!("{other}/restorePoints/{kind}3"), body.clone()).await;
        assert_eq!(throttled.status, 429);
        throttled.by_provider();
        assert_eq!(throttled.json()["code"], "OperationNotAllowed");
        assert_eq!(throttled.header("retry-after"), Some("3481"), "120 s of the hour are over");
        let left = throttled.header("x-ms-ratelimit-remaining-resource").unwrap();
        assert!(left.ends_with("ConsistentRestorePoint;0"), "{left}");
    }
    let windows = bench.home("rpc-web", &bench.azure.seeded().windows_vm).await;
    let free = bench.put(&format!("{windows}/restorePoints/own"), json!({})).await;
    assert_eq!(free.status, 201, "another machine has its own");
    bench.clock.advance(HOUR);
    let again = bench.put(&format!("{other}/restorePoints/app3"), json!({})).await;
    assert_eq!(again.status, 201, "{}", again.text);
    let same = bench.put(&format!("{other}/restorePoints/app3"), json!({})).await;
    assert_eq!(same.status, 200, "what is there already costs nothing");
}

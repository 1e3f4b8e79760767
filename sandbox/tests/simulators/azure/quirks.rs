//! The quirks as they are by default, and each switched off.

use http::Method;
use serde_json::json;

use super::fixture::Bench;

const LIST: &str = "/providers/Microsoft.Compute/restorePointCollections";

#[tokio::test]
async fn answers_are_dated_by_the_simulated_clock() {
    let bench = Bench::new();
    assert_eq!(bench.get(bench.day(1)).await.header("date"), Some("Fri, 24 Apr 2026 10:48:18 GMT"));
    bench.wait(3600);
    let seen = bench.get(&bench.collection("no")).await;
    assert_eq!(seen.header("date"), Some("Fri, 24 Apr 2026 11:48:18 GMT"));
}

#[tokio::test]
async fn groups_are_shouted_and_azure_backup_is_there_unless_switched_off() {
    let plain = Bench::with(|settings| {
        settings.quirks.upper_case_groups = false;
        settings.quirks.backup_collections = false;
    });
    let seen = plain.get(&plain.path(LIST)).await;
    assert!(seen.text.contains("/resourceGroups/RG-Prod/") && !seen.text.contains("RG-PROD"));
    assert!(!seen.text.to_lowercase().contains("azurebackup"));
    assert_eq!(plain.azure.seeded().backup_collection, "");

    let real = Bench::new();
    let seen = real.get(&real.path(LIST)).await;
    assert!(seen.text.contains("AzureBackup_vm-db01_"));
    let source = &seen.json()["value"][1]["properties"]["source"]["id"];
    assert!(source.as_str().unwrap().contains("/resourceGroups/RG-Prod/"), "sources keep theirs");
}

#[tokio::test]
async fn a_location_is_normalised_unless_switched_off() {
    for (plain, shown) in [(true, "eastus"), (false, "East US")] {
        let bench = Bench::with(|settings| settings.quirks.plain_locations = plain);
        let source = json!({"source": {"id": bench.azure.seeded().vm}});
        let id = bench.collection("rpc-spaced");
        let made = bench.put(&id, json!({"location": "East US", "properties": source})).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json()["location"], shown);
        assert_eq!(bench.get(&id).await.json()["location"], shown);
    }
}

#[tokio::test]
async fn a_copy_has_the_time_of_its_source_unless_switched_off() {
    let bench = Bench::with(|settings| settings.quirks.inherited_time = false);
    let target = bench.target("rpc-own-time", "northeurope").await;
    let copy = bench.copy(&target, "copy", bench.day(3)).await.json();
    assert_eq!(copy["properties"]["timeCreated"], "2026-04-24T10:48:24.6995494+00:00");
    let disks = bench.disks(&bench.azure.seeded().finished_copy).await;
    let source = bench.disks(bench.day(1)).await;
    assert_ne!(disks[0]["properties"]["timeCreated"], source[0]["properties"]["timeCreated"]);
    // The rule of order still goes by the sources.
    bench.clock.advance(super::fixture::HOUR);
    let late = bench.copy(&target, "late", bench.day(2)).await;
    late.refused(409, "OperationNotAllowed");
    assert!(late.text.contains("later restore point"), "{}", late.text);
}

#[tokio::test]
async fn times_drop_trailing_zeros_and_bodies_are_printed_in_two_ways() {
    let bench = Bench::new();
    bench.clock.advance(jiff::SignedDuration::from_nanos(1_000_000_000 - 699_549_400));
    let home = &bench.azure.seeded().collection;
    let whole = bench.put(&format!("{home}/restorePoints/whole"), json!({})).await;
    assert!(whole.text.contains("\"timeCreated\": \"2026-04-24T10:48:19+00:00\""));
    assert!(whole.text.starts_with("{\r\n  \"name\": \"whole\",\r\n  \"id\": \""));
    assert!(!whole.text.replace("\r\n", "").contains('\n'));
    bench.wait(41);
    bench.clock.advance(jiff::SignedDuration::from_millis(250));
    let part = bench.put(&format!("{home}/restorePoints/part"), json!({})).await;
    assert!(part.text.contains("\"2026-04-24T10:49:00.25+00:00\""));
    let compact = bench.call(Method::GET, &bench.url(&bench.collection("no")), None).await;
    assert!(compact.text.starts_with("{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\""));
}

#[tokio::test]
async fn urls_of_operations_are_signed_unless_switched_off() {
    for signed in [true, false] {
        let bench = Bench::with(|settings| settings.quirks.signed_urls = signed);
        let deleted = bench.delete(bench.day(1)).await;
        for name in ["azure-asyncoperation", "location"] {
            let url = deleted.header(name).unwrap();
            assert_eq!(url.len() > 3_000, signed, "{url}");
            assert_eq!(url.ends_with("&api-version=2024-07-01"), !signed, "{url}");
        }
        assert_eq!(bench.poll(&deleted).await.json()["status"], "InProgress");
        let monitor = deleted.header("location").unwrap();
        assert_eq!(bench.call(Method::GET, monitor, None).await.status, 202);
    }
}

//! The quirks, each with its default and switched off.

use http::Method;
use serde_json::json;

use super::fixture::Fixture;

const LIST: &str = "/providers/Microsoft.Compute/restorePointCollections";

#[tokio::test]
async fn the_date_header_follows_the_simulated_clock() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.get(fixture.point(1)).await.header("date"),
        Some("Fri, 24 Apr 2026 10:48:18 GMT")
    );
    fixture.advance_seconds(3600);
    let response = fixture.get(&fixture.collection("no")).await;
    assert_eq!(response.header("date"), Some("Fri, 24 Apr 2026 11:48:18 GMT"));
}

#[tokio::test]
async fn groups_in_upper_case_and_azure_backup_can_be_switched_off() {
    let switched_off = Fixture::with(|settings| {
        settings.quirks.upper_case_groups = false;
        settings.quirks.backup_collections = false;
    });
    let response = switched_off.get(&switched_off.path(LIST)).await;
    assert!(
        response.text.contains("/resourceGroups/RG-Prod/") && !response.text.contains("RG-PROD")
    );
    assert!(!response.text.to_lowercase().contains("azurebackup"));
    assert_eq!(switched_off.azure.seeded().backup_collection, "");

    let default_fixture = Fixture::new();
    let response = default_fixture.get(&default_fixture.path(LIST)).await;
    assert!(response.text.contains("AzureBackup_vm-db01_"));
    let source = &response.json()["value"][1]["properties"]["source"]["id"];
    assert!(
        source.as_str().unwrap().contains("/resourceGroups/RG-Prod/"),
        "source ids keep their casing"
    );
}

#[tokio::test]
async fn normalising_a_location_can_be_switched_off() {
    for (switched_off, shown) in [(true, "eastus"), (false, "East US")] {
        let fixture = Fixture::with(|settings| settings.quirks.plain_locations = switched_off);
        let source = json!({"source": {"id": fixture.azure.seeded().vm}});
        let id = fixture.collection("rpc-spaced");
        let created = fixture.put(&id, json!({"location": "East US", "properties": source})).await;
        assert_eq!(created.status, 201, "{}", created.text);
        assert_eq!(created.json()["location"], shown);
        assert_eq!(fixture.get(&id).await.json()["location"], shown);
    }
}

#[tokio::test]
async fn inheriting_the_time_of_the_source_can_be_switched_off() {
    let fixture = Fixture::with(|settings| settings.quirks.inherited_time = false);
    let target = fixture.new_target("rpc-own-time", "northeurope").await;
    let copy = fixture.copy(&target, "copy", fixture.point(3)).await.json();
    assert_eq!(copy["properties"]["timeCreated"], "2026-04-24T10:48:24.6995494+00:00");
    let disks = fixture.disks(&fixture.azure.seeded().finished_copy).await;
    let source = fixture.disks(fixture.point(1)).await;
    assert_ne!(disks[0]["properties"]["timeCreated"], source[0]["properties"]["timeCreated"]);
    // The order of copies is still checked by the time of the sources.
    fixture.clock.advance(super::fixture::HOUR);
    let late = fixture.copy(&target, "late", fixture.point(2)).await;
    late.assert_error(409, "OperationNotAllowed");
    assert!(late.text.contains("later restore point"), "{}", late.text);
}

#[tokio::test]
async fn times_have_no_trailing_zeros_and_bodies_two_formats() {
    let fixture = Fixture::new();
    fixture.clock.advance(jiff::SignedDuration::from_nanos(1_000_000_000 - 699_549_400));
    let home = &fixture.azure.seeded().collection;
    let whole_second = fixture.put(&format!("{home}/restorePoints/whole"), json!({})).await;
    assert!(whole_second.text.contains("\"timeCreated\": \"2026-04-24T10:48:19+00:00\""));
    assert!(whole_second.text.starts_with("{\r\n  \"name\": \"whole\",\r\n  \"id\": \""));
    assert!(!whole_second.text.replace("\r\n", "").contains('\n'));
    fixture.advance_seconds(41);
    fixture.clock.advance(jiff::SignedDuration::from_millis(250));
    let fraction = fixture.put(&format!("{home}/restorePoints/part"), json!({})).await;
    assert!(fraction.text.contains("\"2026-04-24T10:49:00.25+00:00\""));
    let compact = fixture.call(Method::GET, &fixture.url(&fixture.collection("no")), None).await;
    assert!(compact.text.starts_with("{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\""));
}

#[tokio::test]
async fn signed_operation_urls_can_be_switched_off() {
    for signed in [true, false] {
        let fixture = Fixture::with(|settings| settings.quirks.signed_urls = signed);
        let deleted = fixture.delete(fixture.point(1)).await;
        for name in ["azure-asyncoperation", "location"] {
            let url = deleted.header(name).unwrap();
            assert_eq!(url.len() > 3_000, signed, "{url}");
            assert_eq!(url.ends_with("&api-version=2024-07-01"), !signed, "{url}");
        }
        assert_eq!(fixture.poll(&deleted).await.json()["status"], "InProgress");
        let monitor = deleted.header("location").unwrap();
        assert_eq!(fixture.call(Method::GET, monitor, None).await.status, 202);
    }
}

//! Arbitrary bytes in place of ARM's JSON. Every body goes to every decoder: points, collections, pages of collections,
//! operations, error responses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::backend::azure::fuzzing as azure;
use restore_point_gateway::model::{Error, PointRef, RestorePoint, State};
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let point = azure::point(body);
    if let Some(point) = &point {
        check(point, body.len());
    }
    for status in [400, 403, 404, 409, 429, 500, 503] {
        let error = azure::error_response(status.try_into().expect("a status"), body);
        assert!(!matches!(error, Error::InvalidArgument { .. } | Error::Internal { .. }));
        assert!(error.to_string().len() < 1000, "{}", error.to_string().len());
    }

    // The oracle: the body as plain JSON. It is stricter than the decoders on members that they skip.
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
    if let Some(point) = &point {
        check_state(point, &value);
    }
    if let Some((collection, points)) = azure::collection(body) {
        assert!(PointRef::parse(&format!("{}/restorePoints/x", collection.name), "name").is_ok());
        let listed = value["properties"]["restorePoints"].as_array();
        assert!(points.len() <= listed.map_or(0, Vec::len));
        for point in &points {
            assert_eq!(point.name.collection, collection.name);
            assert_eq!(point.state == State::Ready, point.state.is_usable());
        }
    }
    if let Some((collections, has_next)) = azure::collections(body) {
        assert!(collections.len() <= value["value"].as_array().map_or(0, Vec::len));
        assert_eq!(has_next, value["nextLink"].is_string());
    }
    if let Some(status) = azure::operation(body) {
        assert_eq!(value["status"], status);
    }
    if let Some(shown) = azure::raw(body) {
        let shown: Value = serde_json::from_str(&shown).expect("view RAW is JSON");
        assert!(has_no_secret(&shown));
    }
});

fn check(point: &RestorePoint, size: usize) {
    let name = point.name.to_string();
    let parsed = PointRef::parse(&name, "name").expect("the name of a point is valid");
    assert_eq!(parsed.to_string(), name);

    let percents = point.disks.iter().filter_map(|disk| disk.progress_percent);
    assert!(
        percents.chain(point.copy_progress_percent).all(|percent| (0..=100).contains(&percent))
    );
    assert!(
        point.disks.iter().all(|disk| disk.size_gib >= 0 && disk.lun.is_none_or(|lun| lun >= 0))
    );
    assert!(point.vendor_id.len() <= size && point.disks.len() <= size / 2);
    assert!(point.state_reason.len() <= size + 1000);
}

fn check_state(point: &RestorePoint, body: &Value) {
    let properties = &body["properties"];
    let is_copy = !properties["sourceRestorePoint"].is_null();
    if point.state.is_usable() {
        assert_eq!(point.state, State::Ready);
        let provisioning = properties["provisioningState"].as_str().unwrap_or("Succeeded");
        assert!(provisioning.eq_ignore_ascii_case("Succeeded"));
        assert!(!is_copy || every_disk_succeeded(properties));
        assert!(!is_copy || point.copy_progress_percent == Some(100));
    }
}

/// Whether the instance view has a succeeded entry for each disk. A disk without a disk restore point is excluded from
/// the copy only if the aggregate has succeeded too.
fn every_disk_succeeded(properties: &Value) -> bool {
    let storage = &properties["sourceMetadata"]["storageProfile"];
    let data = storage["dataDisks"].as_array().into_iter().flatten();
    let disks = data.chain(Some(&storage["osDisk"]).filter(|disk| !disk.is_null()));
    let (included, excluded): (Vec<&Value>, Vec<&Value>) =
        disks.partition(|disk| disk["diskRestorePoint"]["id"].is_string());

    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let succeeded = |status: &Value| {
        let code = text(&status["code"]);
        (code == "succeeded" || code.ends_with("/succeeded")) && text(&status["level"]) != "error"
    };
    let entries = properties["instanceView"]["diskRestorePoints"].as_array();
    let has_arrived = |disk: &&Value| {
        let id = text(&disk["diskRestorePoint"]["id"]);
        let own = entries.into_iter().flatten().filter(|entry| text(&entry["id"]) == id);
        let own: Vec<bool> =
            own.map(|entry| succeeded(&entry["replicationStatus"]["status"])).collect();
        !own.is_empty() && own.into_iter().all(|succeeded| succeeded)
    };
    let aggregate = &properties["instanceView"]["statuses"][0];
    let is_covered = excluded.is_empty() || succeeded(aggregate);
    !included.is_empty() && included.iter().all(has_arrived) && is_covered
}

/// Whether a body is free of what must not leave the gateway.
fn has_no_secret(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| {
            let name = name.to_lowercase();
            let secrets =
                ["osprofile", "userdata", "customdata", "password", "accesssas", "secret"];
            !secrets.contains(&name.as_str()) && has_no_secret(value)
        }),
        Value::Array(elements) => elements.iter().all(has_no_secret),
        Value::String(text) => !(text.contains("://") && text.contains("?s")),
        _ => true,
    }
}

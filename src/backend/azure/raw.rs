//! ARM's body for view RAW, without what must not leave the gateway.
//!
//! A restore point carries the machine's model with it: guest users, ssh keys, customData, userData,
//! certificates, unattended-setup contents. What is removed is chosen by the names of members, on the
//! generous side: better a harmless member lost than a secret shown.

use serde_json::Value;

use crate::model::RawBody;

/// Removed with all that is below them, in any casing. `optionalProperties` is a bag that is "opaque"
/// by the vendor's page, so that nobody knows what is in it.
const MEMBERS: [&str; 4] = ["osprofile", "userdata", "customdata", "optionalproperties"];
/// Removed if the name contains one of these, in any casing.
const PARTS: [&str; 11] = [
    "secret",
    "password",
    "passphrase",
    "credential",
    "token",
    "key",
    "sas",
    "certificate",
    "unattend",
    "encryptionsettings",
    "connectionstring",
];

/// The body with its secrets removed.
pub(super) fn redacted(mut body: Value) -> RawBody {
    clean(&mut body);
    RawBody { content_type: "application/json", body: body.to_string() }
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !is_sensitive(name));
            members.values_mut().for_each(clean);
        }
        Value::Array(elements) => elements.iter_mut().for_each(clean),
        Value::String(text) => {
            // A URL's query may be a signature, whatever the member is called.
            if let (true, Some(at)) = (text.contains("://"), text.find('?')) {
                text.truncate(at);
                text.push_str("?…");
            }
        }
        _ => {}
    }
}

fn is_sensitive(name: &str) -> bool {
    let name = name.to_lowercase();
    MEMBERS.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_secret_survives() {
        let body = json!({
            "id": "/subscriptions/s", "name": "rp",
            "properties": {
                "timeCreated": "2026-01-01T00:00:00Z",
                "optionalProperties": "SECRET",
                "sourceMetadata": {
                    "vmId": "v", "userData": "SECRET", "encryptionSettings": { "a": "SECRET" },
                    "osProfile": { "adminUsername": "SECRET", "secrets": ["SECRET"] },
                    "OSPROFILE": "SECRET",
                    "list": [{ "keyData": "SECRET", "fine": 1 }],
                    "accessSAS": "SECRET",
                    "storageUri": "https://a.example/b?sig=SECRET",
                },
            },
        });
        let raw = redacted(body);
        assert_eq!(
            raw.body,
            json!({
                "id": "/subscriptions/s", "name": "rp",
                "properties": {
                    "timeCreated": "2026-01-01T00:00:00Z",
                    "sourceMetadata": {
                        "vmId": "v", "list": [{ "fine": 1 }],
                        "storageUri": "https://a.example/b?…",
                    },
                },
            })
            .to_string()
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!("SECRET")), Just(json!(1)), Just(Value::Null)];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-z]{1,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_below_os_profile_survives(below in any_json(), depth in 0_usize..4) {
            let mut body = json!({ "osProfile": below });
            for _ in 0..depth {
                body = json!([{ "x": body, "plain": true }]);
            }
            prop_assert!(!redacted(body).body.contains("SECRET"));
        }
    }
}

//! Removes secrets from ARM's body for view RAW.
//!
//! A restore point contains the model of its virtual machine: guest users, SSH keys, customData, userData, certificates,
//! the contents of unattended setup. Members are removed by their names, and rather too many than too few.

use serde_json::Value;

use crate::model::RawBody;

/// The names of members to remove, in any casing. `optionalProperties` is documented as an "opaque bag".
const SENSITIVE_NAMES: [&str; 4] = ["osprofile", "userdata", "customdata", "optionalproperties"];
/// Members to remove contain one of these in their names, in any casing.
const SENSITIVE_PARTS: [&str; 11] = [
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
pub(super) fn redact(mut body: Value) -> RawBody {
    remove_secrets(&mut body);
    RawBody { content_type: "application/json", body: body.to_string() }
}

fn remove_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !is_sensitive(name));
            members.values_mut().for_each(remove_secrets);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_secrets),
        Value::String(text) => {
            // The query of a URL may be a signature, whatever the name of the member.
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
    SENSITIVE_NAMES.contains(&name.as_str())
        || SENSITIVE_PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_removed_and_the_rest_is_kept() {
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
        let raw = redact(body);
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
        fn everything_below_os_profile_is_removed(below in any_json(), depth in 0_usize..4) {
            let mut body = json!({ "osProfile": below });
            for _ in 0..depth {
                body = json!([{ "x": body, "plain": true }]);
            }
            prop_assert!(!redact(body).body.contains("SECRET"));
        }
    }
}

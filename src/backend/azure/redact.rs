//! Removes secrets from ARM's body for view RAW, and people's addresses from ARM's texts.
//!
//! A restore point contains the model of its virtual machine: guest users, SSH keys, customData, userData, certificates,
//! the contents of unattended setup. Members are removed by their names, and rather too many than too few. ARM's texts
//! name the principal of a request by its e-mail address, as recorded in `AuthorizationFailed`: callers of the gateway
//! are not told it, while the object id beside it stays for the operator.

use serde_json::Value;

use crate::model::RawBody;
use crate::upstream::redact_text;

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

/// One of ARM's texts for callers: on one line, of bounded length, without signatures and e-mail addresses.
pub(super) fn redact_message(text: &str) -> String {
    remove_addresses(&redact_text(text))
}

/// The text with `…` in the place of each e-mail address, that of a guest (`live.com#a@b.example`) included.
fn remove_addresses(text: &str) -> String {
    let is_separator = |c: char| {
        c.is_whitespace() || matches!(c, '\'' | '"' | '`' | '<' | '>' | '(' | ')' | ',' | ';' | ':')
    };
    text.split_inclusive(is_separator)
        .flat_map(|part| {
            let word = part.trim_end_matches(is_separator);
            let is_address = word
                .split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
            [if is_address { "…" } else { word }, &part[word.len()..]]
        })
        .collect()
}

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
            if text.contains('@') {
                *text = remove_addresses(text);
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
            "systemData": { "createdBy": "SECRET@a.example", "createdByType": "User" },
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
                "systemData": { "createdBy": "…", "createdByType": "User" },
            })
            .to_string()
        );
    }

    #[test]
    fn addresses_are_removed_from_messages() {
        for (text, expected) in [
            ("The client 'live.com#a@b.example' with", "The client '…' with"),
            ("a_b.example#EXT#@t.onmicrosoft.com, x", "…, x"),
            ("<a@b.example> mailto:c@d.example.", "<…> mailto:…"),
            ("@Microsoft.KeyVault and a @ b", "@Microsoft.KeyVault and a @ b"),
            ("ä'ö@ü'", "ä'…'"),
            ("", ""),
        ] {
            assert_eq!(redact_message(text), expected);
        }
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

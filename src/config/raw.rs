//! The file as TOML has it: every key optional, every value with its place. `checked.rs` and `backend.rs`
//! say what is required and why.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

type Text = Option<Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub listen: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub allow_plaintext: bool,
    pub tls: Option<Spanned<Tls>>,
    pub drain: Option<Drain>,
    pub watch: Option<Watch>,
    pub metrics: Option<Spanned<Metrics>>,
    pub token_key_file: Text,
    pub token_key_env: Text,
    pub log: Text,
    #[serde(default)]
    pub backends: BTreeMap<Spanned<String>, Spanned<Backend>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub cert_file: Text,
    pub key_file: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drain {
    pub notice: Text,
    pub grace: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watch {
    pub quickest: Text,
    pub slowest: Text,
    pub progress: Text,
    pub linger: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    pub listen: Text,
}

/// A backend of either kind; which keys go with which is checked later, so that the error can say it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backend {
    pub kind: Text,
    pub ca_file: Text,
    pub requests_per_second: Option<Spanned<f64>>,
    pub requests_at_once: Option<Spanned<u32>>,
    pub watch: Option<Watch>,
    // Azure
    pub subscription_id: Text,
    pub cloud: Text,
    pub endpoint: Text,
    pub authority: Text,
    pub api_version: Text,
    pub credential: Option<Spanned<Credential>>,
    // Veeam
    pub url: Text,
    pub username: Text,
    pub password_file: Text,
    pub password_env: Text,
    pub certificate_sha256: Text,
    pub tenant: Option<Spanned<Tenant>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credential {
    pub kind: Text,
    pub tenant_id: Text,
    pub client_id: Text,
    pub secret_file: Text,
    pub secret_env: Text,
    pub token_file: Text,
    pub token_env: Text,
    pub certificate_file: Text,
    pub certificate_env: Text,
    pub metadata_service: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tenant {
    pub username: Text,
    pub password_file: Text,
    pub password_env: Text,
}

//! The configuration of an Enterprise Manager: `[backends.NAME]` with `kind = "veeam_enterprise_manager"`.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::{DEFAULT_RATE_LIMIT, Settings, Tenant, VeeamEm};
use crate::backend::{Backend, BackendConfig};
use crate::config::{BackendTable, ConfigError, Location, SecretRef, SourceFile, TrustConfig};
use crate::model::BackendId;
use crate::upstream::RateLimit;

type Text = Option<Spanned<String>>;

/// The keys, besides those of every backend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    url: Text,
    username: Text,
    password_file: Text,
    password_env: Text,
    tenant: Option<Spanned<AccountKeys>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountKeys {
    username: Text,
    password_file: Text,
    password_env: Text,
}

/// The checked settings.
#[derive(Debug)]
struct VeeamEmConfig {
    location: Location,
    url: Url,
    account: AccountConfig,
    tenant: Option<AccountConfig>,
    trust: TrustConfig,
    rate_limit: RateLimit,
}

#[derive(Debug)]
struct AccountConfig {
    username: String,
    password: SecretRef,
}

/// Reads the table.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn read(mut table: BackendTable<'_>) -> Result<Box<dyn BackendConfig>, ConfigError> {
    let (source, location) = (table.source(), table.location());
    let rate_limit = table.take_rate_limit(DEFAULT_RATE_LIMIT)?;
    let trust = table.take_trust()?;
    let Keys { url, username, password_file, password_env, tenant } = table.read()?;
    let url = location.required("url", &url, "https://em.example:9398/api")?;
    let account = AccountKeys { username, password_file, password_env };
    let tenant =
        tenant.map(|tenant| check_account(source, &source.at(&tenant), tenant.get_ref(), "tenant"));
    Ok(Box::new(VeeamEmConfig {
        url: source.https_url("url", url)?,
        account: check_account(source, &location, &account, "DOMAIN\\\\user")?,
        tenant: tenant.transpose()?,
        trust,
        rate_limit,
        location,
    }))
}

fn check_account(
    source: &SourceFile,
    location: &Location,
    keys: &AccountKeys,
    example: &str,
) -> Result<AccountConfig, ConfigError> {
    let AccountKeys { username, password_file, password_env } = keys;
    let username = location.required("username", username, example)?.get_ref().clone();
    let password = SecretRef::required(source, location, password_file, password_env, "password")?;
    Ok(AccountConfig { username, password })
}

impl BackendConfig for VeeamEmConfig {
    fn build(&self, id: &BackendId) -> Result<Arc<dyn Backend>, ConfigError> {
        let tenant = match &self.tenant {
            None => None,
            Some(AccountConfig { username, password }) => {
                Some(Tenant { username: username.clone(), password: password.read()? })
            }
        };
        let backend = VeeamEm::new(Settings {
            id: id.clone(),
            url: self.url.clone(),
            username: self.account.username.clone(),
            password: self.account.password.read()?,
            tenant,
            trust: self.trust.read()?,
            rate_limit: self.rate_limit,
        });
        Ok(Arc::new(backend.map_err(|error| self.location.error(error.to_string()))?))
    }
}

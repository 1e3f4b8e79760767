//! The settings of an Enterprise Manager, and the table of the configuration that they are read from:
//! `[backends.NAME]` with `kind = "veeam_enterprise_manager"`.

use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::logon::Tenant;
use crate::config::{BackendTable, ConfigError, Location, SecretRef, SourceFile, TrustConfig};
use crate::model::BackendId;
use crate::upstream::{self, Proxy, RateLimit, Trust};

/// The vendor names no limit. A server of the usual size handles this rate without a noticeable load.
pub const DEFAULT_RATE_LIMIT: RateLimit = RateLimit { per_second: 50.0, burst: 100 };

/// The settings of one Enterprise Manager.
pub struct Settings {
    /// Id of the backend.
    pub id: BackendId,
    /// `https://host:9398`, with or without `/api`. User information in it is ignored.
    pub url: Url,
    /// The account as the server expects it: `DOMAIN\user` on Windows, `user@DOMAIN` on Linux.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// A tenant to log on as.
    pub tenant: Option<Tenant>,
    /// Which certificates are accepted: the server's own is self-signed unless it has been replaced.
    pub trust: Trust,
    /// Through which proxy the server is reached.
    pub proxy: Proxy,
    /// How many requests are sent at most.
    pub rate_limit: RateLimit,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = upstream::redact_url(&self.url);
        f.debug_struct("Settings").field("id", &self.id).field("url", &url).finish_non_exhaustive()
    }
}

type Text = Option<Spanned<String>>;

/// The keys of this kind of backend.
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

/// The checked table. Secrets are not read yet.
#[derive(Debug)]
pub(super) struct Config {
    location: Location,
    url: Url,
    account: AccountConfig,
    tenant: Option<AccountConfig>,
    trust: TrustConfig,
    proxy: Proxy,
    rate_limit: RateLimit,
}

#[derive(Debug)]
struct AccountConfig {
    username: String,
    password: SecretRef,
}

impl Config {
    /// Reads the table.
    ///
    /// # Errors
    /// The first key that is wrong.
    pub(super) fn read(mut table: BackendTable<'_>) -> Result<Self, ConfigError> {
        let (source, location) = (table.source(), table.location());
        let rate_limit = table.take_rate_limit(DEFAULT_RATE_LIMIT)?;
        let trust = table.take_trust()?;
        let proxy = table.take_proxy()?;
        let Keys { url, username, password_file, password_env, tenant } = table.read()?;
        let url = location.required("url", &url, "https://em.example:9398/api")?;
        let account = AccountKeys { username, password_file, password_env };
        let tenant = tenant.map(|tenant| {
            AccountConfig::check(source, &source.at(&tenant), tenant.get_ref(), "tenant")
        });
        Ok(Self {
            url: source.https_url("url", url)?,
            account: AccountConfig::check(source, &location, &account, "DOMAIN\\\\user")?,
            tenant: tenant.transpose()?,
            trust,
            proxy,
            rate_limit,
            location,
        })
    }

    /// Reads the secrets and the certificates.
    ///
    /// # Errors
    /// A secret or certificate that is absent or unusable.
    pub(super) fn settings(&self, id: &BackendId) -> Result<Settings, ConfigError> {
        let tenant = match &self.tenant {
            None => None,
            Some(AccountConfig { username, password }) => {
                Some(Tenant { username: username.clone(), password: password.read()? })
            }
        };
        Ok(Settings {
            id: id.clone(),
            url: self.url.clone(),
            username: self.account.username.clone(),
            password: self.account.password.read()?,
            tenant,
            trust: self.trust.read()?,
            proxy: self.proxy.clone(),
            rate_limit: self.rate_limit,
        })
    }

    /// An error about the table as a whole.
    pub(super) fn error(&self, problem: impl Into<String>) -> ConfigError {
        self.location.error(problem)
    }
}

impl AccountConfig {
    fn check(
        source: &SourceFile,
        location: &Location,
        keys: &AccountKeys,
        example: &str,
    ) -> Result<Self, ConfigError> {
        let AccountKeys { username, password_file, password_env } = keys;
        let username = location.required("username", username, example)?.get_ref().clone();
        let password =
            SecretRef::required(source, location, password_file, password_env, "password")?;
        Ok(Self { username, password })
    }
}

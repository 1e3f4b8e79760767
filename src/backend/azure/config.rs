//! The configuration of an Azure backend: the keys of `[backends.NAME]` with `kind = "azure"`, and the [`Settings`] that
//! they become.

use serde::Deserialize;
use toml::Spanned;
use url::{Host, Url};
use uuid::Uuid;

use super::credential::Credential;
use crate::backend::BackendConfig;
use crate::config::{
    BackendTable, ConfigError, FileRef, Location, SecretRef, SourceFile, TrustConfig,
};
use crate::model::BackendId;
use crate::upstream::{Proxy, RateLimit, Trust, TrustError, redact_url};

/// The api-version that is used by default: the first with all that the gateway reads, instant access included.
pub const DEFAULT_API_VERSION: &str = "2025-04-01";
/// ARM's limit for the reads of one principal in a subscription: a token bucket of 250 that refills by 25 a second.
pub const DEFAULT_RATE_LIMIT: RateLimit = RateLimit { per_second: 25.0, burst: 250 };

/// The first api-version with the instance view, which shows the progress of a copy.
const MIN_API_VERSION: &str = "2021-11-01";

/// The settings of an Azure backend.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Id of the backend.
    pub id: BackendId,
    /// The subscription whose collections it shows, a GUID.
    pub subscription_id: String,
    /// Azure Resource Manager, `https://management.azure.com` in the public cloud; also the audience of tokens. Plain
    /// HTTP is allowed on loopback only.
    pub endpoint: Url,
    /// Microsoft Entra ID, `https://login.microsoftonline.com` in the public cloud.
    pub authority: Url,
    /// [`DEFAULT_API_VERSION`], or another from 2021-11-01 on for a cloud that does not have it.
    pub api_version: String,
    /// How the gateway authenticates.
    pub credential: Credential,
    /// Which certificates of Resource Manager and of the authority are accepted.
    pub trust: Trust,
    /// Through which proxy they are reached.
    pub proxy: Proxy,
    /// The requests that this process may send to Resource Manager; other replicas are not counted.
    pub rate_limit: RateLimit,
}

/// Why settings are invalid.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// One of the values.
    #[error("{setting}: {problem}")]
    Value {
        /// The name of the setting.
        setting: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// The trusted certificates.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Settings {
    /// Checks the values that need no credential and no request.
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        let invalid = |setting, value: &str, expected: &str| {
            let problem = format!("invalid value `{value}`: expected {expected}");
            Err(SettingsError::Value { setting, problem })
        };
        if Uuid::try_parse(&self.subscription_id).is_err() {
            return invalid("subscription_id", &self.subscription_id, "a GUID");
        }
        if !is_safe_endpoint(&self.endpoint) {
            return invalid(
                "endpoint",
                &redact_url(&self.endpoint),
                "an https URL without a query",
            );
        }
        if self.authority.scheme() != "https" {
            return invalid("authority", &redact_url(&self.authority), "an https URL");
        }
        let date = self.api_version.get(..MIN_API_VERSION.len()).unwrap_or_default();
        if date.parse::<jiff::civil::Date>().is_err() || date < MIN_API_VERSION {
            let expected = format!("{MIN_API_VERSION} or later, since earlier ones have no copies");
            return invalid("api_version", &self.api_version, &expected);
        }
        Ok(())
    }
}

/// Whether a bearer token may be sent to this URL: over TLS, or without leaving this host.
fn is_safe_endpoint(endpoint: &Url) -> bool {
    let is_loopback = match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let is_plain = endpoint.query().is_none() && endpoint.fragment().is_none();
    let scheme = endpoint.scheme();
    is_plain && (scheme == "https" || (scheme == "http" && is_loopback))
}

type Text = Option<Spanned<String>>;

/// The keys of an Azure backend, besides those of every backend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    subscription_id: Text,
    cloud: Text,
    endpoint: Text,
    authority: Text,
    api_version: Text,
    credential: Option<Spanned<CredentialKeys>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialKeys {
    kind: Text,
    tenant_id: Text,
    client_id: Text,
    secret_file: Text,
    secret_env: Text,
    token_file: Text,
    token_env: Text,
    certificate_file: Text,
    certificate_env: Text,
    metadata_service: Text,
}

/// The checked keys.
#[derive(Debug)]
pub(super) struct AzureConfig {
    /// Where the table is, for errors.
    pub(super) location: Location,
    subscription_id: String,
    endpoint: Url,
    authority: Url,
    api_version: String,
    credential: CredentialConfig,
    trust: TrustConfig,
    proxy: Proxy,
    rate_limit: RateLimit,
}

/// A [`Credential`] whose secrets are not read yet.
#[derive(Debug)]
enum CredentialConfig {
    ClientSecret { tenant_id: String, client_id: String, secret: SecretRef },
    ClientCertificate { tenant_id: String, client_id: String, certificate: SecretRef },
    WorkloadIdentity { tenant_id: String, client_id: String, token_file: FileRef },
    ManagedIdentity { client_id: Option<String>, metadata_service: Option<Url> },
    AzureCli,
    StaticToken(SecretRef),
}

/// For errors of a missing key.
const EXAMPLE_GUID: &str = "00000000-0000-…";

/// The clouds that Microsoft operates: name, endpoint of Resource Manager, authority.
const CLOUDS: [(&str, &str, &str); 3] = [
    ("public", "https://management.azure.com", "https://login.microsoftonline.com"),
    ("usgov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
    ("china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
];

/// Reads and checks the keys.
///
/// # Errors
/// The first invalid key.
pub(super) fn read(mut table: BackendTable<'_>) -> Result<Box<dyn BackendConfig>, ConfigError> {
    let (source, location) = (table.source(), table.location());
    let rate_limit = table.take_rate_limit(DEFAULT_RATE_LIMIT)?;
    let trust = table.take_ca_file()?;
    let proxy = table.take_proxy()?;
    let keys: Keys = table.read()?;
    let subscription_id =
        location.required("subscription_id", &keys.subscription_id, EXAMPLE_GUID)?;
    if Uuid::try_parse(subscription_id.get_ref()).is_err() {
        let problem = format!(
            "invalid value `{}` for `subscription_id`: expected a GUID",
            subscription_id.get_ref()
        );
        return Err(source.at(subscription_id).error(problem));
    }
    let (endpoint, authority) = check_cloud(source, &location, &keys)?;
    let credential = keys.credential.as_ref().ok_or_else(|| {
        let problem =
            "missing table `credential`: expected [backends.NAME.credential] with a `kind`";
        location.error(problem)
    })?;
    Ok(Box::new(AzureConfig {
        location: location.clone(),
        subscription_id: subscription_id.get_ref().clone(),
        endpoint,
        authority,
        api_version: keys.api_version.map_or(DEFAULT_API_VERSION.to_owned(), Spanned::into_inner),
        credential: check_credential(source, credential)?,
        trust,
        proxy,
        rate_limit,
    }))
}

fn check_cloud(
    source: &SourceFile,
    location: &Location,
    keys: &Keys,
) -> Result<(Url, Url), ConfigError> {
    match (&keys.cloud, &keys.endpoint, &keys.authority) {
        (None, Some(endpoint), Some(authority)) => {
            Ok((source.https_url("endpoint", endpoint)?, source.https_url("authority", authority)?))
        }
        (Some(_), Some(given), _)
        | (Some(_), _, Some(given))
        | (None, Some(given), None)
        | (None, None, Some(given)) => Err(source.at(given).error(
            "expected either `cloud`, or `endpoint` and `authority` together (Azure Stack)",
        )),
        (cloud, None, None) => {
            let name = cloud.as_ref().map_or("public", |cloud| cloud.get_ref());
            let known = CLOUDS.iter().find(|(cloud, ..)| *cloud == name);
            let parsed = known.and_then(|(_, endpoint, authority)| {
                Some((Url::parse(endpoint).ok()?, Url::parse(authority).ok()?))
            });
            parsed.ok_or_else(|| {
                let location = cloud.as_ref().map_or(location.clone(), |cloud| source.at(cloud));
                location.error(format!(
                    "unknown value `{name}` for `cloud`: expected one of \"public\", \"usgov\", \"china\""
                ))
            })
        }
    }
}

fn check_credential(
    source: &SourceFile,
    credential: &Spanned<CredentialKeys>,
) -> Result<CredentialConfig, ConfigError> {
    let location = source.at(credential);
    let keys = credential.get_ref();
    let id = |key: &str, value: &Text| {
        location.required(key, value, EXAMPLE_GUID).map(|text| text.get_ref().clone())
    };
    let secret = |file: &Text, variable: &Text, what: &str| {
        SecretRef::required(source, &location, file, variable, what)
    };
    let kind = location.required("kind", &keys.kind, "client_secret")?;
    Ok(match kind.get_ref().as_str() {
        "client_secret" => CredentialConfig::ClientSecret {
            tenant_id: id("tenant_id", &keys.tenant_id)?,
            client_id: id("client_id", &keys.client_id)?,
            secret: secret(&keys.secret_file, &keys.secret_env, "secret")?,
        },
        "client_certificate" => CredentialConfig::ClientCertificate {
            tenant_id: id("tenant_id", &keys.tenant_id)?,
            client_id: id("client_id", &keys.client_id)?,
            certificate: secret(&keys.certificate_file, &keys.certificate_env, "certificate")?,
        },
        "workload_identity" => CredentialConfig::WorkloadIdentity {
            tenant_id: id("tenant_id", &keys.tenant_id)?,
            client_id: id("client_id", &keys.client_id)?,
            token_file: FileRef::new(
                source,
                location.required("token_file", &keys.token_file, "/path/to/file")?,
            ),
        },
        "managed_identity" => CredentialConfig::ManagedIdentity {
            client_id: keys.client_id.as_ref().map(|id| id.get_ref().clone()),
            metadata_service: keys
                .metadata_service
                .as_ref()
                .map(|text| metadata_url(source, text))
                .transpose()?,
        },
        "azure_cli" => CredentialConfig::AzureCli,
        "static_token" => {
            CredentialConfig::StaticToken(secret(&keys.token_file, &keys.token_env, "token")?)
        }
        other => {
            return Err(source.at(kind).error(format!(
                "unknown value `{other}` for `kind`: expected one of client_secret, client_certificate, \
                 workload_identity, managed_identity, azure_cli, static_token"
            )));
        }
    })
}

/// The metadata service has plain HTTP only: its address is link-local.
fn metadata_url(source: &SourceFile, text: &Spanned<String>) -> Result<Url, ConfigError> {
    match Url::parse(text.get_ref()) {
        Ok(url) if url.path() == "/" && url.has_host() && url.username().is_empty() => Ok(url),
        _ => Err(source.at(text).error(format!(
            "invalid URL `{}` for `metadata_service`: expected e.g. http://169.254.169.254, without a path",
            text.get_ref()
        ))),
    }
}

impl AzureConfig {
    /// The settings, with the secrets read from their files and variables.
    ///
    /// # Errors
    /// A secret or certificate that is absent or unusable.
    pub(super) fn settings(&self, id: &BackendId) -> Result<Settings, ConfigError> {
        Ok(Settings {
            id: id.clone(),
            subscription_id: self.subscription_id.clone(),
            endpoint: self.endpoint.clone(),
            authority: self.authority.clone(),
            api_version: self.api_version.clone(),
            credential: self.credential.read()?,
            trust: self.trust.read()?,
            proxy: self.proxy.clone(),
            rate_limit: self.rate_limit,
        })
    }
}

impl CredentialConfig {
    fn read(&self) -> Result<Credential, ConfigError> {
        Ok(match self {
            Self::ClientSecret { tenant_id, client_id, secret } => Credential::ClientSecret {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                secret: secret.read()?,
            },
            Self::ClientCertificate { tenant_id, client_id, certificate } => {
                Credential::ClientCertificate {
                    tenant_id: tenant_id.clone(),
                    client_id: client_id.clone(),
                    pem: certificate.read()?,
                }
            }
            Self::WorkloadIdentity { tenant_id, client_id, token_file } => {
                Credential::WorkloadIdentity {
                    tenant_id: tenant_id.clone(),
                    client_id: client_id.clone(),
                    token_file: token_file.path().to_owned(),
                }
            }
            Self::ManagedIdentity { client_id, metadata_service } => Credential::ManagedIdentity {
                client_id: client_id.clone(),
                metadata_service: metadata_service.clone(),
            },
            Self::AzureCli => Credential::AzureCli,
            Self::StaticToken(token) => Credential::StaticToken(token.read()?),
        })
    }
}

//! The configuration of an Azure backend: `[backends.NAME]` with `kind = "azure"`.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::{Azure, Credential, DEFAULT_API_VERSION, DEFAULT_RATE_LIMIT, Settings};
use crate::backend::{Backend, BackendConfig};
use crate::config::{
    BackendTable, ConfigError, FileRef, Location, SecretRef, SourceFile, TrustConfig,
};
use crate::model::BackendId;
use crate::upstream::RateLimit;

type Text = Option<Spanned<String>>;

/// The keys, besides those of every backend.
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

/// The checked settings.
#[derive(Debug)]
struct AzureConfig {
    location: Location,
    subscription_id: String,
    endpoint: Url,
    authority: Url,
    api_version: String,
    credential: CredentialConfig,
    trust: TrustConfig,
    rate_limit: RateLimit,
}

/// A [`Credential`] whose secrets have not been read.
#[derive(Debug)]
enum CredentialConfig {
    ClientSecret { tenant_id: String, client_id: String, secret: SecretRef },
    ClientCertificate { tenant_id: String, client_id: String, certificate: SecretRef },
    WorkloadIdentity { tenant_id: String, client_id: String, token_file: FileRef },
    ManagedIdentity { client_id: Option<String>, metadata_service: Option<Url> },
    AzureCli,
    StaticToken(SecretRef),
}

/// The clouds that Microsoft operates: name, Resource Manager, authority.
const CLOUDS: [(&str, &str, &str); 3] = [
    ("public", "https://management.azure.com", "https://login.microsoftonline.com"),
    ("usgov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
    ("china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
];

/// Reads the table.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn read(mut table: BackendTable<'_>) -> Result<Box<dyn BackendConfig>, ConfigError> {
    let (source, location) = (table.source(), table.location());
    let rate_limit = table.take_rate_limit(DEFAULT_RATE_LIMIT)?;
    let trust = table.take_ca_file()?;
    let keys: Keys = table.read()?;
    let subscription_id = location.required("subscription_id", &keys.subscription_id, GUID)?;
    if uuid::Uuid::try_parse(subscription_id.get_ref()).is_err() {
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
        rate_limit,
    }))
}

const GUID: &str = "00000000-0000-…";

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
            let known = CLOUDS.iter().find(|(own, _, _)| *own == name);
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
        location.required(key, value, GUID).map(|text| text.get_ref().clone())
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

/// The metadata service speaks plain HTTP, and never leaves the machine.
fn metadata_url(source: &SourceFile, text: &Spanned<String>) -> Result<Url, ConfigError> {
    match Url::parse(text.get_ref()) {
        Ok(url) if url.path() == "/" && url.has_host() && url.username().is_empty() => Ok(url),
        _ => Err(source.at(text).error(format!(
            "invalid URL `{}` for `metadata_service`: expected e.g. http://169.254.169.254, without a path",
            text.get_ref()
        ))),
    }
}

impl BackendConfig for AzureConfig {
    fn build(&self, id: &BackendId) -> Result<Arc<dyn Backend>, ConfigError> {
        let azure = Azure::new(Settings {
            id: id.clone(),
            subscription_id: self.subscription_id.clone(),
            endpoint: self.endpoint.clone(),
            authority: self.authority.clone(),
            api_version: self.api_version.clone(),
            credential: self.credential.read()?,
            trust: self.trust.read()?,
            rate_limit: self.rate_limit,
        });
        Ok(Arc::new(azure.map_err(|error| self.location.error(error.to_string()))?))
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

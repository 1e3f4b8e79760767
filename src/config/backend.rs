//! What the file says of one vendor.

use toml::Spanned;
use url::Url;

use super::raw;
use super::secret::{FileRef, SecretRef};
use super::source::{ConfigError, Place, Source};
use crate::model::BackendId;

type Text = Option<Spanned<String>>;

/// One vendor endpoint with its credential.
#[derive(Debug)]
pub enum BackendConfig {
    /// An Azure subscription.
    Azure(AzureConfig),
    /// An Enterprise Manager.
    Veeam(VeeamConfig),
}

/// An Azure subscription.
#[derive(Debug)]
pub struct AzureConfig {
    /// The subscription, a GUID.
    pub subscription_id: String,
    /// Azure Resource Manager.
    pub endpoint: Url,
    /// Where tokens come from.
    pub authority: Url,
    /// The version to speak, or none for the adapter's own choice.
    pub api_version: Option<String>,
    /// Who the gateway is.
    pub credential: CredentialConfig,
    /// Whose certificates are taken.
    pub trust: TrustConfig,
    /// How often it is asked at most, where that is not the adapter's own choice.
    pub rate: RateConfig,
}

/// Who the gateway is at Azure.
#[derive(Debug)]
pub enum CredentialConfig {
    /// An application with a secret.
    ClientSecret {
        /// The directory.
        tenant_id: String,
        /// The application.
        client_id: String,
        /// Its secret.
        secret: SecretRef,
    },
    /// An application with a certificate, PEM with its key.
    ClientCertificate {
        /// The directory.
        tenant_id: String,
        /// The application.
        client_id: String,
        /// Certificate and RSA key.
        certificate: SecretRef,
    },
    /// A Kubernetes service account federated with an application.
    WorkloadIdentity {
        /// The directory.
        tenant_id: String,
        /// The application.
        client_id: String,
        /// The service account's token, read again whenever it is needed.
        token_file: FileRef,
    },
    /// The identity of the machine, or of the app service, that the gateway runs on.
    ManagedIdentity {
        /// For one of several user-assigned identities.
        client_id: Option<String>,
        /// What answers in the place of the machine's metadata service.
        metadata_service: Option<Url>,
    },
    /// Whoever is logged on with the `az` tool; for a person's own machine.
    AzureCli,
    /// A bearer token from elsewhere; for tests and tools, since it is not renewed.
    StaticToken(SecretRef),
}

/// An Enterprise Manager.
#[derive(Debug)]
pub struct VeeamConfig {
    /// Its REST API.
    pub url: Url,
    /// Who the gateway is.
    pub username: String,
    /// That user's password.
    pub password: SecretRef,
    /// A tenant whose points alone are seen.
    pub tenant: Option<(String, SecretRef)>,
    /// Whose certificate is taken.
    pub trust: TrustConfig,
    /// How often it is asked at most, where that is not the adapter's own choice.
    pub rate: RateConfig,
}

/// A limit on requests, each half of which may be left to the adapter.
#[derive(Debug, Clone, Copy)]
pub struct RateConfig {
    /// In the long run; more than 0.
    pub per_second: Option<f64>,
    /// At once, after a silence; more than 0.
    pub at_once: Option<u32>,
}

/// Whose certificates are taken.
#[derive(Debug)]
pub enum TrustConfig {
    /// The platform's roots.
    Platform,
    /// These as well.
    CaFile(FileRef),
    /// This one certificate.
    Sha256([u8; 32]),
}

/// The clouds that Azure runs: name, Resource Manager, authority.
const CLOUDS: [(&str, &str, &str); 3] = [
    ("public", "https://management.azure.com", "https://login.microsoftonline.com"),
    ("usgov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
    ("china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
];

pub(super) fn check(
    source: &Source,
    id: &Spanned<String>,
    backend: &Spanned<raw::Backend>,
) -> Result<(BackendId, BackendConfig), ConfigError> {
    let place = source.at(id);
    let id = BackendId::new(id.get_ref()).map_err(|problem| place.error(problem))?;
    let raw = backend.get_ref();
    let kind = place.required("kind", &raw.kind, "azure")?;
    let config = match kind.get_ref().as_str() {
        "azure" => {
            refuse_other_kind(source, &veeam_keys(raw), "a veeam")?;
            if let Some(tenant) = &raw.tenant {
                return Err(source
                    .at(tenant)
                    .error("[tenant] goes with a veeam backend; take it out"));
            }
            BackendConfig::Azure(check_azure(source, &place, raw)?)
        }
        "veeam" => {
            refuse_other_kind(source, &azure_keys(raw), "an azure")?;
            if let Some(credential) = &raw.credential {
                let place = source.at(credential);
                return Err(place.error("[credential] goes with an azure backend; take it out"));
            }
            BackendConfig::Veeam(check_veeam(source, &place, raw)?)
        }
        _ => return Err(source.at(kind).error("`kind` is \"azure\" or \"veeam\"")),
    };
    Ok((id, config))
}

fn check_azure(
    source: &Source,
    place: &Place,
    raw: &raw::Backend,
) -> Result<AzureConfig, ConfigError> {
    let subscription =
        place.required("subscription_id", &raw.subscription_id, "00000000-0000-…")?;
    if uuid::Uuid::try_parse(subscription.get_ref()).is_err() {
        return Err(source.at(subscription).error("`subscription_id` is no GUID"));
    }
    let (endpoint, authority) = check_cloud(source, raw)?;
    let credential = raw.credential.as_ref().ok_or_else(|| {
        place.error("it has no credential; add a table [backends.NAME.credential] with a `kind`")
    })?;
    Ok(AzureConfig {
        subscription_id: subscription.get_ref().clone(),
        endpoint,
        authority,
        api_version: raw.api_version.as_ref().map(|version| version.get_ref().clone()),
        credential: check_credential(source, credential)?,
        trust: check_trust(source, &raw.ca_file, &None)?,
        rate: check_rate(source, raw)?,
    })
}

fn check_cloud(source: &Source, raw: &raw::Backend) -> Result<(Url, Url), ConfigError> {
    match (&raw.cloud, &raw.endpoint, &raw.authority) {
        (None, Some(endpoint), Some(authority)) => {
            Ok((https_url(source, endpoint)?, https_url(source, authority)?))
        }
        (Some(_), Some(given), _)
        | (Some(_), _, Some(given))
        | (None, Some(given), None)
        | (None, None, Some(given)) => Err(source.at(given).error(
            "give `cloud`, or `endpoint` and `authority` together (Azure Stack), not a mixture",
        )),
        (cloud, None, None) => {
            let name = cloud.as_ref().map_or("public", |cloud| cloud.get_ref());
            let known = CLOUDS.iter().find(|(own, _, _)| *own == name);
            let parsed = known.and_then(|(_, endpoint, authority)| {
                Some((Url::parse(endpoint).ok()?, Url::parse(authority).ok()?))
            });
            parsed.ok_or_else(|| {
                let place = cloud.as_ref().map_or(source.place(0..0), |cloud| source.at(cloud));
                place.error("`cloud` is \"public\", \"usgov\" or \"china\"")
            })
        }
    }
}

fn check_credential(
    source: &Source,
    credential: &Spanned<raw::Credential>,
) -> Result<CredentialConfig, ConfigError> {
    let place = source.at(credential);
    let raw = credential.get_ref();
    let id = |key: &str, value: &Text| {
        place.required(key, value, "00000000-0000-…").map(|text| text.get_ref().clone())
    };
    let secret_of = |file: &Text, variable: &Text, what: &str| {
        SecretRef::either(source, file, variable, what)?.ok_or_else(|| {
            place.error(format!("it needs `{what}_file` or `{what}_env`, never the secret itself"))
        })
    };
    let file = |key: &str, value: &Text| {
        place
            .required(key, value, "/path/to/file")
            .map(|path| FileRef::new(source.at(path), path.get_ref()))
    };
    let kind = place.required("kind", &raw.kind, "client_secret")?;
    Ok(match kind.get_ref().as_str() {
        "client_secret" => CredentialConfig::ClientSecret {
            tenant_id: id("tenant_id", &raw.tenant_id)?,
            client_id: id("client_id", &raw.client_id)?,
            secret: secret_of(&raw.secret_file, &raw.secret_env, "secret")?,
        },
        "client_certificate" => CredentialConfig::ClientCertificate {
            tenant_id: id("tenant_id", &raw.tenant_id)?,
            client_id: id("client_id", &raw.client_id)?,
            certificate: secret_of(&raw.certificate_file, &raw.certificate_env, "certificate")?,
        },
        "workload_identity" => CredentialConfig::WorkloadIdentity {
            tenant_id: id("tenant_id", &raw.tenant_id)?,
            client_id: id("client_id", &raw.client_id)?,
            token_file: file("token_file", &raw.token_file)?,
        },
        "managed_identity" => CredentialConfig::ManagedIdentity {
            client_id: raw.client_id.as_ref().map(|id| id.get_ref().clone()),
            metadata_service: raw
                .metadata_service
                .as_ref()
                .map(|text| metadata_url(source, text))
                .transpose()?,
        },
        "azure_cli" => CredentialConfig::AzureCli,
        "static_token" => {
            CredentialConfig::StaticToken(secret_of(&raw.token_file, &raw.token_env, "token")?)
        }
        _ => {
            return Err(source.at(kind).error(
                "`kind` is client_secret, client_certificate, workload_identity, managed_identity, \
                 azure_cli or static_token",
            ));
        }
    })
}

fn check_veeam(
    source: &Source,
    place: &Place,
    raw: &raw::Backend,
) -> Result<VeeamConfig, ConfigError> {
    let url = place.required("url", &raw.url, "https://em.example:9398/api")?;
    let username = place.required("username", &raw.username, "DOMAIN\\\\user")?;
    let needs_password = |place: &Place| {
        place.error("it needs `password_file` or `password_env`, never the password itself")
    };
    let password = SecretRef::either(source, &raw.password_file, &raw.password_env, "password")?
        .ok_or_else(|| needs_password(place))?;
    let tenant = match &raw.tenant {
        None => None,
        Some(tenant) => {
            let place = source.at(tenant);
            let tenant = tenant.get_ref();
            let username = place.required("username", &tenant.username, "tenant")?;
            let password =
                SecretRef::either(source, &tenant.password_file, &tenant.password_env, "password")?
                    .ok_or_else(|| needs_password(&place))?;
            Some((username.get_ref().clone(), password))
        }
    };
    Ok(VeeamConfig {
        url: https_url(source, url)?,
        username: username.get_ref().clone(),
        password,
        tenant,
        trust: check_trust(source, &raw.ca_file, &raw.certificate_sha256)?,
        rate: check_rate(source, raw)?,
    })
}

fn check_rate(source: &Source, raw: &raw::Backend) -> Result<RateConfig, ConfigError> {
    if let Some(given) = raw.requests_per_second.as_ref().filter(|given| {
        let rate = *given.get_ref();
        !(rate.is_finite() && rate >= 0.01)
    }) {
        return Err(source.at(given).error("`requests_per_second` must be 0.01 or more"));
    }
    if let Some(given) = raw.requests_at_once.as_ref().filter(|given| *given.get_ref() == 0) {
        return Err(source.at(given).error("`requests_at_once` must be 1 or more"));
    }
    Ok(RateConfig {
        per_second: raw.requests_per_second.as_ref().map(|given| *given.get_ref()),
        at_once: raw.requests_at_once.as_ref().map(|given| *given.get_ref()),
    })
}

fn check_trust(
    source: &Source,
    ca_file: &Text,
    certificate_sha256: &Text,
) -> Result<TrustConfig, ConfigError> {
    match (ca_file, certificate_sha256) {
        (None, None) => Ok(TrustConfig::Platform),
        (Some(path), None) => {
            Ok(TrustConfig::CaFile(FileRef::new(source.at(path), path.get_ref())))
        }
        (None, Some(text)) => parse_sha256(text.get_ref()).map(TrustConfig::Sha256).ok_or_else(|| {
            source.at(text).error(
                "it is no SHA-256: 64 hexadecimal digits, as printed by `openssl x509 -noout -fingerprint \
                 -sha256`",
            )
        }),
        (Some(_), Some(text)) => {
            Err(source.at(text).error("give `ca_file` or `certificate_sha256`, not both"))
        }
    }
}

/// 64 hexadecimal digits, with colons or without.
fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok().filter(|_| rest.is_empty())
}

/// Neither vendor is called without TLS: a credential would travel in the clear.
fn https_url(source: &Source, text: &Spanned<String>) -> Result<Url, ConfigError> {
    match Url::parse(text.get_ref()) {
        Ok(url) if url.scheme() == "https" && url.has_host() && url.username().is_empty() => {
            Ok(url)
        }
        _ => Err(source.at(text).error("it must be an https:// URL without user information")),
    }
}

/// The metadata service speaks plain HTTP, and never leaves the machine.
fn metadata_url(source: &Source, text: &Spanned<String>) -> Result<Url, ConfigError> {
    match Url::parse(text.get_ref()) {
        Ok(url) if url.path() == "/" && url.has_host() && url.username().is_empty() => Ok(url),
        _ => Err(source.at(text).error("it must be like http://169.254.169.254, without a path")),
    }
}

type Keys<'a> = [(&'static str, &'a Text)];

fn azure_keys(raw: &raw::Backend) -> [(&'static str, &Text); 5] {
    [
        ("subscription_id", &raw.subscription_id),
        ("cloud", &raw.cloud),
        ("endpoint", &raw.endpoint),
        ("authority", &raw.authority),
        ("api_version", &raw.api_version),
    ]
}

fn veeam_keys(raw: &raw::Backend) -> [(&'static str, &Text); 5] {
    [
        ("url", &raw.url),
        ("username", &raw.username),
        ("password_file", &raw.password_file),
        ("password_env", &raw.password_env),
        ("certificate_sha256", &raw.certificate_sha256),
    ]
}

fn refuse_other_kind(source: &Source, keys: &Keys<'_>, owner: &str) -> Result<(), ConfigError> {
    match keys.iter().find_map(|(key, value)| value.as_ref().map(|value| (key, value))) {
        None => Ok(()),
        Some((key, value)) => {
            Err(source.at(value).error(format!("`{key}` goes with {owner} backend; take it out")))
        }
    }
}

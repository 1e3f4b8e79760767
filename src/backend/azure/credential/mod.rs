//! The gateway's credential for Azure, and the access tokens that it gets for it: azure_identity behind the trait
//! [`TokenSource`], over the gateway's own HTTP client.
//!
//! Nothing is cached here; [`TokenCache`](crate::backend::token_cache) does that. The library's own cache would return a
//! token again that ARM has rejected, and drop one that is still valid when its renewal fails. So each token is fetched
//! by a new credential object.

mod certificate;
mod transport;

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use azure_identity::{
    AzureCliCredential, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::certificate::CertificateKey;
use self::transport::{AuthorityTransport, MetadataServiceTransport};
use super::redact::redact_message;
use crate::backend::token_cache::{Token, TokenSource, TokenSourceError};
use crate::model::Error;
use crate::upstream::{Client, Connection, Proxy, RateLimit, Trust, Upstream, redact_text};

/// The library itself may try for 72 s.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(15);

/// How the gateway authenticates to Azure.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A service principal with a client secret.
    ClientSecret {
        /// Its tenant.
        tenant_id: String,
        /// Its application id.
        client_id: String,
        /// The secret.
        secret: SecretString,
    },
    /// A service principal with a certificate.
    ClientCertificate {
        /// Its tenant.
        tenant_id: String,
        /// Its application id.
        client_id: String,
        /// The certificate and its RSA key, PEM.
        pem: SecretString,
    },
    /// Workload identity federation with a token file, as Kubernetes renews it.
    WorkloadIdentity {
        /// The tenant.
        tenant_id: String,
        /// The application id.
        client_id: String,
        /// The file, read again for each token.
        token_file: PathBuf,
    },
    /// The managed identity of the virtual machine or App Service that the gateway runs in.
    ManagedIdentity {
        /// The application id of a user-assigned identity; none for the system-assigned one.
        client_id: Option<String>,
        /// Scheme, host and port to use in place of the metadata service, `http://169.254.169.254`. App Service
        /// announces its endpoint itself.
        metadata_service: Option<Url>,
    },
    /// The account that is logged in with the `az` command.
    AzureCli,
    /// A fixed token that is never renewed.
    StaticToken(SecretString),
}

/// Requests for tokens. One token serves all calls for an hour, and failures have a pause, so that more are a fault, such
/// as a Resource Manager that rejects each token at once; Entra ID and the metadata service throttle frequent requests.
const RATE_LIMIT: RateLimit = RateLimit { per_second: 2.0, burst: 20 };

/// The source of access tokens for a credential, and the client of its authority, if it has one.
///
/// # Errors
/// When the credential is invalid whatever Azure replies, such as an empty secret.
pub(super) fn token_source(
    credential: Credential,
    endpoint: &Url,
    authority: &Url,
    manager: &Client,
) -> Result<(Arc<dyn TokenSource>, Option<Client>), String> {
    if let Credential::StaticToken(bearer) = credential {
        return Ok((Arc::new(StaticToken(bearer)), None));
    }
    let (client, transport): (Client, Arc<dyn HttpClient>) = match &credential {
        Credential::ManagedIdentity { metadata_service, .. } => {
            // The metadata service has a link-local address: no proxy can reach it.
            let connection = Connection { trust: Trust::Platform, proxy: Proxy::Direct };
            let backend = manager.backend();
            let http = Client::new(backend, Upstream::Authority, &connection, RATE_LIMIT)
                .map_err(|error| error.to_string())?;
            let service = metadata_service.clone();
            (http.clone(), Arc::new(MetadataServiceTransport { http, service }))
        }
        _ => {
            let http = manager.sibling(Upstream::Authority, RATE_LIMIT);
            (http.clone(), Arc::new(AuthorityTransport(http)))
        }
    };
    // `az` sends its requests itself.
    let client = (!matches!(credential, Credential::AzureCli)).then_some(client);
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = authority.as_str().to_owned();
    let options = ClientOptions {
        transport: Some(Transport::new(transport)),
        // The requests that need a token are retried as a whole.
        retry: RetryOptions::none(),
        cloud: Some(Arc::new(cloud.into())),
        ..ClientOptions::default()
    };
    let scope = format!("{}/.default", endpoint.as_str().trim_end_matches('/'));
    let source = IdentitySource { credential, authority: authority.clone(), options, scope };
    source.build().map_err(|error| redact_text(&error.to_string()))?;
    Ok((Arc::new(source), client))
}

#[derive(Debug)]
struct StaticToken(SecretString);

#[async_trait]
impl TokenSource for StaticToken {
    async fn fetch(&self) -> Result<Token, TokenSourceError> {
        Ok(Token { bearer: self.0.clone(), expires: Timestamp::MAX })
    }
}

#[derive(Debug)]
struct IdentitySource {
    credential: Credential,
    authority: Url,
    options: ClientOptions,
    scope: String,
}

impl IdentitySource {
    fn build(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = self.options.clone();
        Ok(match &self.credential {
            Credential::ClientSecret { tenant_id, client_id, secret } => {
                let secret = Secret::new(secret.expose_secret().to_owned());
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(tenant_id, client_id.clone(), secret, Some(options))?
            }
            Credential::ClientCertificate { tenant_id, client_id, pem } => {
                let key = CertificateKey::parse(pem, &self.authority, tenant_id, client_id)
                    .map_err(|text| azure_core::Error::with_message(ErrorKind::Credential, text))?;
                let options = Some(ClientAssertionCredentialOptions { client_options });
                let (tenant, client) = (tenant_id.clone(), client_id.clone());
                ClientAssertionCredential::new(tenant, client, key, options)?
            }
            Credential::WorkloadIdentity { tenant_id, client_id, token_file } => {
                let options = WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    tenant_id: Some(tenant_id.clone()),
                    client_id: Some(client_id.clone()),
                    token_file_path: Some(token_file.clone()),
                };
                WorkloadIdentityCredential::new(Some(options))?
            }
            Credential::ManagedIdentity { client_id, .. } => {
                let user_assigned_id = client_id.clone().map(UserAssignedId::ClientId);
                let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
                ManagedIdentityCredential::new(Some(options))?
            }
            Credential::AzureCli => AzureCliCredential::new(None)?,
            Credential::StaticToken(_) => {
                let message = "a static token is not fetched";
                return Err(azure_core::Error::with_message(ErrorKind::Credential, message));
            }
        })
    }
}

#[async_trait]
impl TokenSource for IdentitySource {
    async fn fetch(&self) -> Result<Token, TokenSourceError> {
        let credential = self.build().map_err(|error| token_error(&error))?;
        let scopes = [self.scope.as_str()];
        let token = tokio::time::timeout(TOKEN_TIMEOUT, credential.get_token(&scopes, None))
            .await
            .map_err(|_| {
                TokenSourceError::unreachable(format!("no token within {TOKEN_TIMEOUT:?}"))
            })?
            .map_err(|error| token_error(&error))?;
        let bearer = token.token.secret();
        let expires = Timestamp::from_second(token.expires_on.unix_timestamp());
        match expires {
            Ok(expires) if !bearer.is_empty() => {
                Ok(Token { bearer: bearer.to_owned().into(), expires })
            }
            _ => Err(TokenSourceError::unreachable("the response holds no token")),
        }
    }
}

/// Classifies an error of the library by its innermost [`azure_core::Error`]; the text is that of this error and of its
/// causes.
fn token_error(error: &azure_core::Error) -> TokenSourceError {
    let mut innermost = error;
    let mut text = error.to_string();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(error) = cause {
        // The transport's own: the request was not sent, or has no complete response.
        if let Some(Error::Unavailable { retry_after, detail, .. }) = error.downcast_ref() {
            let (detail, retry_after) = (redact_message(detail), *retry_after);
            return TokenSourceError::Unreachable { detail, retry_after };
        }
        if let Some(inner) = error.downcast_ref::<azure_core::Error>() {
            innermost = inner;
            text = inner.to_string();
        } else {
            text = format!("{text}: {error}");
        }
        cause = error.source();
    }
    let text = redact_message(&text);
    match innermost.kind() {
        // The metadata service responds with 404 or 410 while it is being updated.
        ErrorKind::HttpResponse { status, .. } => match u16::from(*status) {
            404 | 408 | 410 | 429 | 500..=599 => TokenSourceError::unreachable(text),
            _ => TokenSourceError::Refused(text),
        },
        ErrorKind::Connection | ErrorKind::Io | ErrorKind::DataConversion => {
            TokenSourceError::unreachable(text)
        }
        _ => TokenSourceError::Refused(text),
    }
}

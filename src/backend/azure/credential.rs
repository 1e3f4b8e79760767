//! Who the gateway is to Azure, and where its tokens come from: the identity library behind a trait of
//! our own, over our own HTTP client, so that the configured certificates count here too.
//!
//! Nothing is cached here. The library would: it answers a refused token with the same token again, and
//! forgets one that still holds when a refresh fails. So each token is fetched by a new credential, and
//! kept by [`super::tokens`].

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

use super::certificate::CertificateKey;
use super::transport::{Login, Metadata};
use crate::backend::token_cache::{Token, TokenSource, TokenSourceError};
use crate::upstream::redact_text;

/// Beyond this a caller is better served by an error. The library itself might try for 72 s.
const DEADLINE: Duration = Duration::from_secs(30);

/// How the gateway proves who it is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A service principal with a secret.
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
    /// A federated token out of a file, as Kubernetes renews it.
    WorkloadIdentity {
        /// The tenant.
        tenant_id: String,
        /// The application id.
        client_id: String,
        /// The file, read anew for each token.
        token_file: PathBuf,
    },
    /// The identity of the virtual machine or App Service that the gateway runs in.
    ManagedIdentity {
        /// The application id of a user-assigned identity; none for the machine's own.
        client_id: Option<String>,
        /// What answers in the place of a machine's metadata service, `http://169.254.169.254`: scheme,
        /// host and port. App Services say by themselves where theirs is.
        metadata_service: Option<Url>,
    },
    /// Whoever is logged on with the `az` command.
    AzureCli,
    /// A token as it is; it is never renewed.
    StaticToken(SecretString),
}

/// The source for a credential.
///
/// # Errors
/// When the credential cannot be right whatever the vendor says, such as an empty secret.
pub(super) fn source(
    credential: Credential,
    endpoint: &Url,
    authority: &Url,
    client: &crate::upstream::Client,
) -> Result<Arc<dyn TokenSource>, String> {
    if let Credential::StaticToken(bearer) = credential {
        return Ok(Arc::new(Static(bearer)));
    }
    let transport: Arc<dyn HttpClient> = match &credential {
        // The metadata service is on the machine itself: no proxy can reach it.
        Credential::ManagedIdentity { metadata_service, .. } => Arc::new(Metadata {
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(DEADLINE)
                .build()
                .map_err(|error| redact_text(&error.to_string()))?,
            service: metadata_service.clone(),
        }),
        _ => Arc::new(Login(client.inner().clone())),
    };
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = authority.as_str().to_owned();
    let options = ClientOptions {
        transport: Some(Transport::new(transport)),
        // Who asks for a token tries again by himself.
        retry: RetryOptions::none(),
        cloud: Some(Arc::new(cloud.into())),
        ..ClientOptions::default()
    };
    let scope = format!("{}/.default", endpoint.as_str().trim_end_matches('/'));
    let identity = Identity { credential, authority: authority.clone(), options, scope };
    identity.build().map_err(|error| redact_text(&error.to_string()))?;
    Ok(Arc::new(identity))
}

#[derive(Debug)]
struct Static(SecretString);

#[async_trait]
impl TokenSource for Static {
    async fn fetch(&self) -> Result<Token, TokenSourceError> {
        Ok(Token { bearer: self.0.clone(), expires: Timestamp::MAX })
    }
}

#[derive(Debug)]
struct Identity {
    credential: Credential,
    authority: Url,
    options: ClientOptions,
    scope: String,
}

impl Identity {
    fn build(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = self.options.clone();
        Ok(match &self.credential {
            Credential::ClientSecret { tenant_id, client_id, secret } => {
                let secret = Secret::new(secret.expose_secret().to_owned());
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(tenant_id, client_id.clone(), secret, Some(options))?
            }
            Credential::ClientCertificate { tenant_id, client_id, pem } => {
                let key = CertificateKey::read(pem, &self.authority, tenant_id, client_id)
                    .map_err(|why| azure_core::Error::with_message(ErrorKind::Credential, why))?;
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
impl TokenSource for Identity {
    async fn fetch(&self) -> Result<Token, TokenSourceError> {
        let credential = self.build().map_err(|error| token_error(&error))?;
        let scopes = [self.scope.as_str()];
        let token = tokio::time::timeout(DEADLINE, credential.get_token(&scopes, None))
            .await
            .map_err(|_| TokenSourceError::Unreachable(format!("no token within {DEADLINE:?}")))?
            .map_err(|error| token_error(&error))?;
        let bearer = token.token.secret();
        let expires = Timestamp::from_second(token.expires_on.unix_timestamp());
        match expires {
            Ok(expires) if !bearer.is_empty() => {
                Ok(Token { bearer: bearer.to_owned().into(), expires })
            }
            _ => Err(TokenSourceError::Unreachable("the answer holds no token".to_owned())),
        }
    }
}

/// The library wraps what happened in an error of its own; the innermost of those, and what caused it,
/// tells.
fn token_error(error: &azure_core::Error) -> TokenSourceError {
    let mut innermost = error;
    let mut text = error.to_string();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(own) = error.downcast_ref::<azure_core::Error>() {
            innermost = own;
            text = own.to_string();
        } else {
            text = format!("{text}: {error}");
        }
        cause = error.source();
    }
    let text = redact_text(&text);
    match innermost.kind() {
        // The metadata service answers 404 and 410 while it is being updated.
        ErrorKind::HttpResponse { status, .. } => match u16::from(*status) {
            404 | 408 | 410 | 429 | 500..=599 => TokenSourceError::Unreachable(text),
            _ => TokenSourceError::Refused(text),
        },
        ErrorKind::Connection | ErrorKind::Io | ErrorKind::DataConversion => {
            TokenSourceError::Unreachable(text)
        }
        _ => TokenSourceError::Refused(text),
    }
}
